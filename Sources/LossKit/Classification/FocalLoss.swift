/// Focal loss on softmax probabilities: cross-entropy that down-weights well-classified rows.
///
///     L = α_y (1 − p_y)^γ ν,   ν = −log p_y,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gamma: γ ≥ 0, default 2. 0 gives cross-entropy.
///   - alpha: optional, `[classes]`, default 1. Part of the loss, not of the mean's denominator.
///   - detachModulator: treat (1 − p_y)^γ as a constant in the gradient; default false.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection, extended to softmax.
func focalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gamma: Double, _ alpha: UnsafePointer<S>?, _ detachModulator: Bool, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return targetRowLoss(
    FocalLoss<S.Vector>(gamma: gamma, detachModulator: detachModulator), z, target, (outer, classes, inner),
    classFactor: alpha, reduction, sampleWeight, loss, grad)
}

/// Focal loss on softmax probabilities with dense targets.
///
///     L = Σ_k t_k α_k (1 − p_k)^γ ν_k,   ν_k = −log p_k,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: the weight of each class, usually probabilities. Not checked. Terms with t = 0 are
///     skipped, whatever the logit.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gamma: γ ≥ 0, default 2. 0 gives cross-entropy.
///   - alpha: optional, `[classes]`, default 1. Part of the loss, not of the mean's denominator.
///   - detachModulator: treat (1 − p_k)^γ as a constant in the gradient; default false.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection, extended to softmax.
func focalLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ gamma: Double,
  _ alpha: UnsafePointer<S>?, _ detachModulator: Bool, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return withCheckedRows(z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, z, target, call in
    denseRowLoss(
      FocalLoss<S.Vector>(gamma: gamma, detachModulator: detachModulator),
      DenseTargets(labelSmoothing: 0, classes: classes), shape, z, second: target, perClass: alpha, targets: nil,
      denominator: sumOfSampleWeights(sampleWeight, shape.rows), call)
    return .ok
  }
}
