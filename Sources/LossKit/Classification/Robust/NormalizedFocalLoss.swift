/// Normalized focal loss: divided by its sum over all targets. In [0, 1], and robust to wrong labels.
///
///     L = v_y / Σ_k v_k,   v_k = (1 − p_k)^γ ν_k,   ν_k = −log p_k,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - gamma: γ ≥ 0, default 0.5.
///   - detachModulator: treat (1 − p_k)^γ as a constant in the gradient; default false.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels.
func normalizedFocalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gamma: Double, _ detachModulator: Bool, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return rowLoss(
    NormalizedLoss(FocalLoss<S.Vector>(gamma: gamma, detachModulator: detachModulator)), z, target,
    (outer, classes, inner), smallestClassCount: 2, reduction, sampleWeight, loss, grad)
}
