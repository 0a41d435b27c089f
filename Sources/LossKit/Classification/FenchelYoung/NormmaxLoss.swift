/// Normmax loss of logits and integer targets.
///
///     L = Ω*(z) − z_y,   Ω(p) = ‖p‖_α − 1,   dL/dz = normmax(z) − e_y
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 1, default 2.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func normmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard alpha > 1, alpha < .infinity else { return .invalidParameter }
  if alpha == 2 {
    return rowLoss(
      SimplexTargetLoss<S.Vector, SecondPower, FirstPower>(threshold: SimplexThreshold(alpha: 2, isNorm: true)), z, target,
      (outer, classes, inner), reduction, sampleWeight, loss, grad)
  }
  return rowLoss(
    SimplexTargetLoss<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(threshold: SimplexThreshold(alpha: alpha, isNorm: true)), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Normmax loss of logits and dense targets.
///
///     L = Ω*(z) + Ω(t) − ⟨z, t⟩,   Ω(p) = ‖p‖_α − 1,   dL/dz = normmax(z) − t
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: probabilities, not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 1, default 2.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func normmaxLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard alpha > 1, alpha < .infinity else { return .invalidParameter }
  if alpha == 2 {
    return rowLoss(
      SimplexDenseLoss<S.Vector, SecondPower, FirstPower>(threshold: SimplexThreshold(alpha: 2, isNorm: true)), z, dense: target,
      (outer, classes, inner), reduction, sampleWeight, loss, grad)
  }
  return rowLoss(
    SimplexDenseLoss<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(threshold: SimplexThreshold(alpha: alpha, isNorm: true)), z, dense: target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}
