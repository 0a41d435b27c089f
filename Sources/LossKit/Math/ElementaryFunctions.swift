/// The elementary functions that formulas are made of, on whole vectors.
///
/// Every function is defined for all inputs: NaN propagates, ±inf and out-of-range arguments give the limits,
/// subnormal arguments and results are exact to the stated bound. One file holds each function for both precisions,
/// with its error bound; README.md has the table of what was measured.
protocol ElementaryFunctions {
  /// `e^x`.
  static func exp(_ x: Self) -> Self
  /// `e^x` for `x ≤ 0` (or NaN): what a max-shifted softmax needs, one instruction shorter.
  static func expOfNonPositive(_ x: Self) -> Self
  /// `2^x`.
  static func exp2(_ x: Self) -> Self
  /// `e^x − 1`, accurate near 0.
  static func expm1(_ x: Self) -> Self
  /// Natural logarithm: −inf at 0, NaN below.
  static func log(_ x: Self) -> Self
  /// Logarithm to base 2: −inf at 0, NaN below.
  static func log2(_ x: Self) -> Self
  /// The f and e of x = (1 + f)·2^e with −¼ ≤ f < ½, for 0 < x < inf.
  static func decomposed(_ x: Self) -> (f: Self, e: Self)
  /// `e·ln 2 + log(1 + f)` for −¼ ≤ f < ½ and integral `e`: the part that all logarithms share.
  static func logarithm(_ f: Self, _ e: Self) -> Self
  /// `log(1 + x)`, accurate near 0: −inf at −1, NaN below.
  static func log1p(_ x: Self) -> Self
  /// `log(1 + x)` for `0 ≤ x ≤ 1` (or NaN): what `log(1 + e^{−|x|})` needs, at half the cost.
  static func log1pOfFraction(_ x: Self) -> Self
  /// Logistic function `1 / (1 + e^{−x})`.
  static func sigmoid(_ x: Self) -> Self
  /// `log σ(x) = min(x, 0) − log(1 + e^{−|x|})`.
  static func logSigmoid(_ x: Self) -> Self
  /// `log(1 + e^x) = max(x, 0) + log(1 + e^{−|x|})`.
  static func softplus(_ x: Self) -> Self
  /// `2^f` for |f| ≤ ½, and what rounds its argument: the parts of `ScaledExponential`.
  static func exp2OfFraction(_ f: Self) -> Self
  static var roundingShift: Self { get }
  static var leastExponent: Double { get }
  static var largestExactExponent: Double { get }
  /// `cos 2πx`: an angle in turns, whose reduction is exact however large it is.
  static func cosineOfTurns(_ x: Self) -> Self
  /// Hyperbolic tangent.
  static func tanh(_ x: Self) -> Self
  /// Arctangent.
  static func atan(_ x: Self) -> Self
  /// `(atan r / r − 1) / r²` from r², for |r| ≤ tan(π/8).
  static func arctangentTail(_ u: Self) -> Self
  /// Error function.
  static func erf(_ x: Self) -> Self
  /// `x^y` with the special values of C's `pow`; x < 0 needs an integral y, else the result is NaN.
  static func pow(_ x: Self, _ y: Self) -> Self
  /// `(a/b)^y` for 0 ≤ a ≤ b and y > 0, accurate also where the rounding of a/b would grow in the power.
  static func power(ofRatio a: Self, _ b: Self, _ y: Double) -> Self
  /// `1/√x` for 0 < x < inf; a large number at 0.
  static func reciprocalSquareRoot(_ x: Self) -> Self
  static func reciprocalSquareRoot(ofComplement p: Self) -> Self
}
