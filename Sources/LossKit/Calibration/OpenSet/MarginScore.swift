/// The largest probability of each row less the next: high where the prediction is certain.
///
///     score = p_1 − p_2 = p_1 (1 − e^{z_2 − z_1}),   z_1 ≥ z_2 ≥ … sorted, p = softmax(z)     (p_1 for one class)
///     dscore/dz_j = p_1 ([j = 1] − p_j) − p_2 ([j = 2] − p_j)
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row with NaN or +inf, or of −inf alone, gives NaN.
///     Of equal logits the first class counts as the largest.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's score with respect to its logits.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Scheffer et al. 2001, Active Hidden Markov Models for Information Extraction.
func marginScore<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ score: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  confidenceScore(ProbabilityMargin<S.Vector>(), logits, (outer, classes, inner), score, grad)
}

private struct ProbabilityMargin<V: Lanes>: ConfidenceScore {
  static var usesRunnerUp: Bool { true }
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let p1 = row.largestProbability
    let gap = row.runnerUp - row.maximum
    let p2 = p1 * exponential(gap)
    let margin = V.zero - p1 * V.expm1(gap)
    // 1 − margin is (1 − p_1) + p_2.
    return (
      margin, ScoreConstants(a: margin * p1, b: p1 * (row.others * p1 + p2), c: p2 * (V.one + margin))
    )
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    V.select(e.isFirst, k.b, -V.select(e.isSecond, k.c, k.a * e.exponential))
  }
}
