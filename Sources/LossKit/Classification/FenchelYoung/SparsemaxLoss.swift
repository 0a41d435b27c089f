/// Sparsemax loss of logits and integer targets.
///
///     L = ½ [(1 − p_y)² + Σ_{j ≠ y} p_j²] + max(τ − z_y, 0),   p = sparsemax(z),   dL/dz = p − e_y
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Martins and Astudillo 2016, From Softmax to Sparsemax.
func sparsemaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SimplexTargetLoss<S.Vector, FirstPower, FirstPower>(threshold: SimplexThreshold(alpha: 2)), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Sparsemax loss of logits and dense targets.
///
///     L = ½ ‖p − t‖² + Σ_j t_j max(τ − z_j, 0) + τ (1 − Σ t),   p = sparsemax(z),   dL/dz = p − t
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: probabilities, not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Martins and Astudillo 2016, From Softmax to Sparsemax.
func sparsemaxLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SimplexDenseLoss<S.Vector, FirstPower, FirstPower>(threshold: SimplexThreshold(alpha: 2)), z, dense: target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}
