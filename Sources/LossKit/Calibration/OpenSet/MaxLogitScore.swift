/// Largest logit of each row: high where the input is like those of the training.
///
///     score = max z,      dscore/dz_j = [j = argmax z]     (of equal ones the first)
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. A row with NaN gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's score with respect to its logits.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Hendrycks et al. 2022, Scaling Out-of-Distribution Detection for Real-World Settings.
func maxLogitScore<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ score: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  confidenceScore(LargestLogit<S.Vector>(), logits, (outer, classes, inner), score, grad)
}

private struct LargestLogit<V: Lanes>: ConfidenceScore {
  static var usesExponentials: Bool { false }

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    (row.maximum + row.others, ScoreConstants(a: row.others))
  }

  /// a is 0, or NaN where the row has NaN.
  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    V.select(e.isFirst, V.one, V.zero) + k.a
  }
}
