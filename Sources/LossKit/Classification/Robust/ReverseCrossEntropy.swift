/// Reverse cross-entropy: of the target under the prediction, with a finite log 0.
///
///     L = −Σ_k p_k log [k = y] = −A (1 − p_y),   p = softmax(z),   log 0 := A
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - logZero: A < 0, default log 10⁻⁴ = −9.210340371976182: what log 0 counts as.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Wang et al. 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels.
func reverseCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ logZero: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(-logZero) else { return .invalidParameter }
  return targetRowLoss(
    MeanAbsoluteError<S.Vector>(-logZero), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Normalized reverse cross-entropy: divided by its sum over all targets, which leaves `normalized_mae_loss`.
///
///     L = (1 − p_y)/(C − 1),   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels.
func normalizedReverseCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  normalizedMaeLoss(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad)
}
