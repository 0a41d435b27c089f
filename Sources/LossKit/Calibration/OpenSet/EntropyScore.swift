/// Entropy of the softmax of each row, in natural logarithms: high where the prediction is uncertain.
///
///     H = −Σ p log p = log Σ e^{−d} + Σ e^{−d} d / Σ e^{−d},   d_j = max z − z_j
///     dH/dz_j = −p_j (log p_j + H)
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row with NaN or +inf, or of −inf alone, gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - normalize: divide by log(`classes`), where there is more than one class? Default false.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's score with respect to its logits.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Shannon 1948, A Mathematical Theory of Communication.
func entropyScore<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ normalize: Bool,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  let divisor = normalize && classes > 1 ? DoubleLanes.log(DoubleLanes(Double(classes)))[0] : 1
  return confidenceScore(
    SoftmaxEntropy<S.Vector>(divisor: S.Vector(divisor)), logits, (outer, classes, inner), score, grad)
}

private struct SoftmaxEntropy<V: Lanes>: ConfidenceScore {
  static var usesTerms: Bool { true }
  let divisor: V
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) func terms(_ e: ScoredElement<V>, rest: V) -> (V, V) {
    (V.select(e.distance .== V.infinity, V.zero, e.exponential * e.distance), V.zero)
  }

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _ sums: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let p = row.largestProbability
    let meanDistance = sums.0 * p
    return ((row.logSum + meanDistance) / divisor, ScoreConstants(a: p / divisor, b: meanDistance))
  }

  /// log p_j + H is the mean distance less that of j.
  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    let distance = V.select(e.distance .== V.infinity, k.b, e.distance)
    return k.a * e.exponential * (distance - k.b)
  }
}
