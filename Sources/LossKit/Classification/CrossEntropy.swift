/// Cross-entropy of softmax probabilities and integer targets.
///
///     ν = −log softmax(z)_y,   L = w_y ν
///     with label smoothing ls:   L = (1 − ls) w_y ν_y + (ls/C) Σ_c w_c ν_c
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes, or `ignoreIndex`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weight: optional, `[classes]`, ≥ 0: class weights, default 1. The mean divides by Σ s_i w_{y_i}.
///   - ignoreIndex: rows with this target have loss and gradient 0 and do not count; any integer, default −100.
///   - labelSmoothing: ls in [0, 1], default 0.
///   - reduction: default mean.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.cross_entropy.
func crossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ weight: UnsafePointer<S>?, _ ignoreIndex: Int64, _ labelSmoothing: Double, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard labelSmoothing >= 0, labelSmoothing <= 1 else { return .invalidParameter }
  return withCheckedRows(z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, z, target, call in
    guard areWeights(weight, classes) else { return .invalidValue }
    let targets = Targets(classes: target, ignoreIndex: ignoreIndex, classFactor: weight, factorIsWeight: true)
    if labelSmoothing == 0 { return targetRowLoss(CrossEntropy<S.Vector>(), shape, z, targets, call) }
    guard let denominator = targets.denominator(shape.rows, classCount: classes, sampleWeight) else {
      return .invalidTarget
    }
    denseRowLoss(
      CrossEntropy<S.Vector>(), SmoothedTargets(labelSmoothing: labelSmoothing, classes: classes), shape, z,
      second: nil, perClass: weight, targets: targets, denominator: denominator, call)
    return .ok
  }
}

/// Cross-entropy of softmax probabilities and dense targets.
///
///     t' = (1 − ls) t + ls/C,   L = −Σ_c w_c t'_c log softmax(z)_c
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: the weight of each class, usually probabilities. Not checked. Terms with t' = 0 are
///     skipped, whatever the logit.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weight: optional, `[classes]`, ≥ 0: class weights, default 1. They are no part of the mean's denominator.
///   - labelSmoothing: ls in [0, 1], default 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.cross_entropy.
func crossEntropyDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ weight: UnsafePointer<S>?, _ labelSmoothing: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard labelSmoothing >= 0, labelSmoothing <= 1 else { return .invalidParameter }
  return withCheckedRows(z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, z, target, call in
    guard areWeights(weight, classes) else { return .invalidValue }
    denseRowLoss(
      CrossEntropy<S.Vector>(), DenseTargets(labelSmoothing: labelSmoothing, classes: classes), shape, z,
      second: target, perClass: weight, targets: nil, denominator: sumOfSampleWeights(sampleWeight, shape.rows), call)
    return .ok
  }
}
