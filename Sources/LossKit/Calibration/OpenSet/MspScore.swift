/// Maximum softmax probability of each row: high where the input is like those of the training.
///
///     score = p_m,   p = softmax(z),   m = argmax z,      dscore/dz_j = p_m ([j = m] − p_j)
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row with NaN or +inf, or of −inf alone, gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's score with respect to its logits.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Hendrycks and Gimpel 2017, A Baseline for Detecting Misclassified and Out-of-Distribution Examples.
func mspScore<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ score: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  confidenceScore(LargestProbability<S.Vector>(), logits, (outer, classes, inner), score, grad)
}

private struct LargestProbability<V: Lanes>: ConfidenceScore {
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let p = row.largestProbability
    let factor = p * p
    return (p, ScoreConstants(a: factor, b: factor * row.others))
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    V.select(e.isFirst, k.b, -(k.a * e.exponential))
  }
}
