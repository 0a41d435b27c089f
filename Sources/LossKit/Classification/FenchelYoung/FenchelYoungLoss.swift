/// What a Fenchel-Young loss takes off ⟨p, z⟩.
enum Regularizer: Int32 {
  /// Σ p log p: softmax. The loss is cross-entropy less the target's entropy.
  case shannon = 0
  /// (Σ p² − 1)/2: sparsemax.
  case gini = 1
  /// (Σ p^α − 1)/(α (α − 1)), α ≥ 1: α-entmax.
  case tsallis = 2
  /// ‖p‖_α − 1, α > 1: normmax.
  case norm = 3
  /// ‖p‖²/2 on the whole space: the loss is |z − t|²/2.
  case l2 = 4
  /// Σ p log p + (1 − p) log(1 − p) on the unit cube: binary cross-entropies less the targets' entropies.
  case logistic = 5
}

/// Fenchel-Young loss of logits and integer targets.
///
///     L = Ω*(z) + Ω(t) − ⟨z, t⟩,   Ω*(z) = max_p ⟨z, p⟩ − Ω(p),   dL/dz = argmax − t
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes: t is 1 there, else 0.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - regularizer: Ω, default shannon.
///   - alpha: α of tsallis (≥ 1) and norm (> 1), default 1.5; the others ignore it.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func fenchelYoungLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ regularizer: Regularizer, _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  typealias V = S.Vector
  let shape = (outer: outer, classes: classes, inner: inner)
  switch regularizer {
  case .gini: return sparsemaxLoss(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad)
  case .tsallis: return entmaxLoss(z, target, outer, classes, inner, alpha, reduction, sampleWeight, loss, grad)
  case .norm: return normmaxLoss(z, target, outer, classes, inner, alpha, reduction, sampleWeight, loss, grad)
  case .shannon: return targetRowLoss(ShannonTargetLoss<V>(), z, target, shape, reduction, sampleWeight, loss, grad)
  case .l2:
    return rowLoss(
      OutputLoss<SquaredError<V>, OneHotTarget<V>>(formula: SquaredError()), z, target, shape, reduction,
      sampleWeight, loss, grad)
  case .logistic:
    return rowLoss(
      OutputLoss<BinaryDivergence<V>, OneHotTarget<V>>(formula: BinaryDivergence()), z, target, shape, reduction,
      sampleWeight, loss, grad)
  }
}

/// Fenchel-Young loss of logits and dense targets.
///
///     L = Ω*(z) + Ω(t) − ⟨z, t⟩,   Ω*(z) = max_p ⟨z, p⟩ − Ω(p),   dL/dz = argmax − t
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: in the domain of Ω, which is not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - regularizer: Ω, default shannon.
///   - alpha: α of tsallis (≥ 1) and norm (> 1), default 1.5; the others ignore it.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func fenchelYoungLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ regularizer: Regularizer, _ alpha: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  typealias V = S.Vector
  let shape = (outer: outer, classes: classes, inner: inner)
  switch regularizer {
  case .gini: return sparsemaxLossDense(z, target, outer, classes, inner, reduction, sampleWeight, loss, grad)
  case .tsallis: return entmaxLossDense(z, target, outer, classes, inner, alpha, reduction, sampleWeight, loss, grad)
  case .norm: return normmaxLossDense(z, target, outer, classes, inner, alpha, reduction, sampleWeight, loss, grad)
  case .shannon: return rowLoss(ShannonDenseLoss<V>(), z, dense: target, shape, reduction, sampleWeight, loss, grad)
  case .l2:
    return rowLoss(
      OutputLoss<SquaredError<V>, DenseTarget<V>>(formula: SquaredError()), z, dense: target, shape, reduction,
      sampleWeight, loss, grad)
  case .logistic:
    return rowLoss(
      OutputLoss<BinaryDivergence<V>, DenseTarget<V>>(formula: BinaryDivergence()), z, dense: target, shape, reduction,
      sampleWeight, loss, grad)
  }
}
