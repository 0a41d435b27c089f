/// 1.5-entmax loss of logits and integer targets.
///
///     L = Ω*(z) − z_y,   Ω(p) = 4/3 (Σ p^{1.5} − 1),   dL/dz = entmax15(z) − e_y
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
/// - Reference: Peters et al. 2019, Sparse Sequence-to-Sequence Models.
func entmax15Loss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SimplexTargetLoss<S.Vector, SecondPower, SecondPower>(threshold: SimplexThreshold(alpha: 1.5)), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// 1.5-entmax loss of logits and dense targets.
///
///     L = Ω*(z) + Ω(t) − ⟨z, t⟩,   Ω(p) = 4/3 (Σ p^{1.5} − 1),   dL/dz = entmax15(z) − t
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
/// - Reference: Peters et al. 2019, Sparse Sequence-to-Sequence Models.
func entmax15LossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SimplexDenseLoss<S.Vector, SecondPower, SecondPower>(threshold: SimplexThreshold(alpha: 1.5)), z, dense: target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}
