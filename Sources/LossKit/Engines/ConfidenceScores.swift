// Scores of rows of logits: one number for each row, and its gradient with respect to that row. Tiles of rows are known
// in this file only; what a score states are formulas of the numbers below.

/// What is known of a row before it is scored.
struct ScoredRow<V: Lanes> {
  /// The largest logit: −inf where all are masked.
  let maximum: V
  /// The largest but one, −inf where there is none; only for scores that use it.
  let runnerUp: V
  /// `Σ e^{(z − m)/T}` without the first largest logit (`1 − p` of that one has no cancellation then), m being the
  /// maximum, or the runner-up for scores that measure from there. NaN where the row has NaN or +inf.
  let others: V
  /// The same measured from the maximum: `rest / (1 + rest)` is 1 − p of the largest.
  let rest: V

  /// `log Σ e^{(z − maximum)/T}` with the largest.
  @inline(__always) var logSum: V { V.log1p(rest) }

  /// The probability of the largest logit, for scores that measure from it; NaN in rows without probabilities.
  @inline(__always) var largestProbability: V { V.select(maximum .== -V.infinity, V.nan, V.one / (V.one + others)) }
}

/// What is known of an element of a row.
struct ScoredElement<V: Lanes> {
  /// `maximum − z`, ≥ 0.
  let distance: V
  /// `e^{(z − m)/T}`
  let exponential: V
  /// Is it the first of the largest logits, the first of the next, one of the `kept` largest?
  let isFirst, isSecond, isKept: V.Integers
}

/// Numbers of a row that a score keeps for its derivative.
struct ScoreConstants<V: Lanes> {
  var a = V.zero, b = V.zero, c = V.zero
}

/// A score of a row.
protocol ConfidenceScore {
  associatedtype V: Lanes
  static var usesExponentials: Bool { get }
  static var usesRunnerUp: Bool { get }
  static var measuresFromRunnerUp: Bool { get }
  static var usesTerms: Bool { get }
  /// How many of the largest logits are kept: `isKept`.
  var kept: Int { get }
  /// T
  var exponential: ScaledExponential<V> { get }
  /// Two terms of an element, which are summed over the row; `rest` is the row's.
  func terms(_ e: ScoredElement<V>, rest: V) -> (V, V)
  func evaluate(_ row: ScoredRow<V>, _ sums: (V, V)) -> (score: V, constants: ScoreConstants<V>)
  /// dscore/dz of an element.
  func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V
}

extension ConfidenceScore {
  static var usesExponentials: Bool { true }
  static var usesRunnerUp: Bool { false }
  static var measuresFromRunnerUp: Bool { false }
  static var usesTerms: Bool { false }
  var kept: Int { .max }
  var exponential: ScaledExponential<V> { ScaledExponential(temperature: 1) }
  @inline(__always) func terms(_ e: ScoredElement<V>, rest: V) -> (V, V) { (V.zero, V.zero) }
}

/// Scores and gradients of rows, with the arguments of a public function, which are checked first.
@inline(__always)
func confidenceScore<F: ConfidenceScore>(
  _ formula: F, _ logits: UnsafePointer<F.V.Element>?, _ shape: (outer: Int, classes: Int, inner: Int),
  _ score: UnsafeMutablePointer<F.V.Element>?, _ grad: UnsafeMutablePointer<F.V.Element>?
) -> Status {
  guard let shape = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let logits, let score else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: logits, second: logits, perClass: nil, output: grad),
    ConfidenceScoreKernel(formula: formula, score: score, wantsGradient: grad != nil))
  return .ok
}

private struct ConfidenceScoreKernel<F: ConfidenceScore>: RowVisitor {
  typealias V = F.V
  let formula: F
  let score: UnsafeMutablePointer<V.Element>
  let wantsGradient: Bool
  static var memory: KernelMemory { .candidates }

  // Of the constants of a pass: a is the maximum, b where exponents are measured from, c the second class, target the
  // first, d the threshold of what is kept and e the last class of its ties, f what formulas get.
  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    let maximum = tile.maximum()
    k.a = maximum
    k.target = tile.lowestClass(k) { e, k in e.x .== k.a }
    var runnerUp = -V.infinity
    if F.usesRunnerUp {
      runnerUp = tile.maximum(k) { e, k in V.select(e.classes .== k.target, -V.infinity, e.x) }
      k.b = runnerUp
      k.c = V(bits: tile.lowestClass(k) { e, k in (e.x .== k.b) & ~(e.classes .== k.target) })
    }
    (k.d, k.e) = (-V.infinity, V(bits: V.Integers(Int(Int32.max))))
    if formula.kept < tile.classes {
      let top = tile.top(formula.kept)
      k.d = top.threshold
      k.e = V(bits: top.lastTie)
    }
    k.a = V.shift(maximum)
    k.b = F.measuresFromRunnerUp ? V.shift(runnerUp) : k.a

    var others = V.zero
    if F.usesExponentials {
      others = tile.sum(k, keep: false) { e, k in
        V.select(e.classes .== k.target, V.zero, formula.exponential(e.x - k.b))
      }
      others = V.select(maximum .== V.infinity, V.nan, others)
    } else {
      // Maxima ignore NaN.
      let hasNaN = tile.maximum { V.select($0.x.isNaN, V.one, V.zero) }
      others = V.select(hasNaN .== V.zero, V.zero, V.nan)
    }
    k.f = F.measuresFromRunnerUp ? others * formula.exponential(runnerUp - k.a) : others
    let sums = F.usesTerms
      ? tile.sums(k, keep: false) { e, k in
        let terms = formula.terms(element(e, k), rest: k.f)
        return RowTerms(first: terms.0, second: terms.1)
      } : (V.zero, V.zero)
    let row = ScoredRow(maximum: maximum, runnerUp: runnerUp, others: others, rest: k.f)
    let result = formula.evaluate(row, sums)
    tile.rows.store(result.score, score)
    if !wantsGradient { return }
    (k.f, k.g, k.h) = (result.constants.a, result.constants.b, result.constants.c)
    tile.map(k) { e, k in formula.derivative(element(e, k), ScoreConstants(a: k.f, b: k.g, c: k.h)) }
  }

  @inline(__always) private func element(_ e: RowElements<V>, _ k: RowConstants<V>) -> ScoredElement<V> {
    ScoredElement(
      distance: k.a - e.x, exponential: formula.exponential(e.x - k.b), isFirst: e.classes .== k.target,
      isSecond: e.classes .== k.c.bits,
      isKept: TopSelection.contains(e, k.d, k.e.bits))
  }
}
