/// The elementary functions that formulas are made of, on whole vectors.
///
/// Every function is defined for all inputs: NaN propagates, ±inf and out-of-range arguments give the limits. One
/// file holds each function for both precisions, with its error bound.
protocol ElementaryFunctions {
  /// `e^x`.
  static func exp(_ x: Self) -> Self
  /// `e^x` for `x ≤ 0` (or NaN): what a max-shifted softmax needs, two instructions shorter.
  static func expOfNonPositive(_ x: Self) -> Self
  /// Natural logarithm: −inf at 0, NaN below.
  static func log(_ x: Self) -> Self
  /// `2^f` for |f| ≤ ½, and what rounds its argument: the parts of `ScaledExponential`.
  static func exp2OfFraction(_ f: Self) -> Self
  static var roundingShift: Self { get }
  static var leastExponent: Double { get }
}
