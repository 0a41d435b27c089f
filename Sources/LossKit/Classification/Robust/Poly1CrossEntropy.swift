/// Poly-1 cross-entropy: the first coefficient of its expansion in 1 − p is raised by ε.
///
///     L = Σ_k w_k t_k ν_k + ε Σ_k t_k (1 − p_k),   ν_k = −log p_k,   p = softmax(z)
///     t_k = (1 − ls) [k = y] + ls/C
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - epsilon: ε, default 1; −1 or more in the paper.
///   - labelSmoothing: ls in [0, 1], default 0.
///   - weight: optional, `[classes]`, ≥ 0, default 1: class weights of the cross-entropy, no part of the mean's
///     denominator.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1CrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ epsilon: Double, _ labelSmoothing: Double, _ weight: UnsafePointer<S>?, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard epsilon.isFinite, labelSmoothing >= 0, labelSmoothing <= 1 else { return .invalidParameter }
  let formula = Poly1CrossEntropy<S.Vector>(epsilon: S.Vector(epsilon))
  return withCheckedRows(z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, z, target, call in
    guard areWeights(weight, classes) else { return .invalidValue }
    let isSmooth = labelSmoothing != 0
    let targets = Targets(
      classes: target, ignoreIndex: nil, classFactor: isSmooth ? nil : weight, factorIsWeight: false)
    if !isSmooth { return targetRowLoss(formula, shape, z, targets, call) }
    guard let denominator = targets.denominator(shape.rows, classCount: classes, sampleWeight) else {
      return .invalidTarget
    }
    denseRowLoss(
      formula, SmoothedTargets(labelSmoothing: labelSmoothing, classes: classes), shape, z, second: nil,
      perClass: weight, targets: targets, denominator: denominator, call)
    return .ok
  }
}

/// Poly-1 cross-entropy with dense targets.
///
///     t' = (1 − ls) t + ls/C
///     L = Σ_k w_k t'_k ν_k + ε Σ_k t'_k (1 − p_k),   ν_k = −log p_k,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: the weight of each class, usually probabilities. Not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - epsilon: ε, default 1; −1 or more in the paper.
///   - labelSmoothing: ls in [0, 1], default 0.
///   - weight: optional, `[classes]`, ≥ 0, default 1: class weights of the cross-entropy, no part of the mean's
///     denominator.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1CrossEntropyDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ epsilon: Double, _ labelSmoothing: Double, _ weight: UnsafePointer<S>?, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard epsilon.isFinite, labelSmoothing >= 0, labelSmoothing <= 1 else { return .invalidParameter }
  return withCheckedRows(z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, z, target, call in
    guard areWeights(weight, classes) else { return .invalidValue }
    denseRowLoss(
      Poly1CrossEntropy<S.Vector>(epsilon: S.Vector(epsilon)),
      DenseTargets(labelSmoothing: labelSmoothing, classes: classes), shape, z, second: target, perClass: weight,
      targets: nil, denominator: sumOfSampleWeights(sampleWeight, shape.rows), call)
    return .ok
  }
}

/// Of a class: w ν + ε (1 − p), with ψ = w + ε p.
private struct Poly1CrossEntropy<V: Lanes>: TargetRowLoss, DenseRowLoss {
  let epsilon: V
  static var appliesFactor: Bool { true }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    (V.fma(epsilon, c.complement, c.nu.scaled(by: c.factor)), V.fma(epsilon, c.probability, c.factor))
  }
}
