/// α-entmax loss of logits and integer targets.
///
///     L = Ω*(z) − z_y,   Ω(p) = (Σ p^α − 1)/(α (α − 1)),   dL/dz = entmax(z) − e_y
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α ≥ 1, default 1.5; 1 is cross-entropy, less the target's entropy.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Peters et al. 2019, Sparse Sequence-to-Sequence Models; Blondel et al. 2020.
func entmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard alpha >= 1, alpha < .infinity else { return .invalidParameter }
  if alpha == 1 {
    return targetRowLoss(ShannonTargetLoss<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
  }
  if alpha == 1.5 { return entmax15Loss(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad) }
  if alpha == 2 { return sparsemaxLoss(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad) }
  return rowLoss(
    SimplexTargetLoss<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(threshold: SimplexThreshold(alpha: alpha)), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// α-entmax loss of logits and dense targets.
///
///     L = Ω*(z) + Ω(t) − ⟨z, t⟩,   Ω(p) = (Σ p^α − 1)/(α (α − 1)),   dL/dz = entmax(z) − t
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: probabilities, not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α ≥ 1, default 1.5; 1 is cross-entropy, less the target's entropy.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Peters et al. 2019, Sparse Sequence-to-Sequence Models; Blondel et al. 2020.
func entmaxLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard alpha >= 1, alpha < .infinity else { return .invalidParameter }
  if alpha == 1 {
    return rowLoss(ShannonDenseLoss<S.Vector>(), z, dense: target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
  }
  if alpha == 1.5 { return entmax15LossDense(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad) }
  if alpha == 2 { return sparsemaxLossDense(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad) }
  return rowLoss(
    SimplexDenseLoss<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(threshold: SimplexThreshold(alpha: alpha)), z, dense: target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}
