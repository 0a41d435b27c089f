/// Normalized generalized cross-entropy: divided by its sum over all targets.
///
///     L = (1 − p_y^q) / Σ_k (1 − p_k^q),   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - q: in (0, 1], default 0.7.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels.
func normalizedGeneralizedCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ q: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard q > 0, q <= 1 else { return .invalidParameter }
  if q == 1 { return normalizedMaeLoss(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad) }
  return rowLoss(
    NormalizedLoss(NormalizablePower<S.Vector>(q)), z, target, (outer, classes, inner), smallestClassCount: 2, reduction,
    sampleWeight, loss, grad)
}
