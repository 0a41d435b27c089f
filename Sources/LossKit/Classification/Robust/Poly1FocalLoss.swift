/// Poly-1 focal loss: the first coefficient of its expansion in 1 − p is raised by ε.
///
///     L = α_y (1 − p_y)^γ ν + ε (1 − p_y)^{γ+1},   ν = −log p_y,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gamma: γ ≥ 0, default 2.
///   - epsilon: ε, default 1.
///   - alpha: optional, `[classes]`, default 1: a factor of the focal part.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1FocalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gamma: Double, _ epsilon: Double, _ alpha: UnsafePointer<S>?, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard gamma >= 0, gamma < .infinity, epsilon.isFinite else { return .invalidParameter }
  return targetRowLoss(
    Poly1FocalLoss<S.Vector>(gamma: gamma, epsilon: epsilon), z, target, (outer, classes, inner), classFactor: alpha,
    reduction, sampleWeight, loss, grad)
}

private struct Poly1FocalLoss<V: Lanes>: TargetRowLoss {
  let focal: FocalLoss<V>
  let epsilon, slope: V
  static var appliesFactor: Bool { true }

  init(gamma: Double, epsilon: Double) {
    focal = FocalLoss(gamma: gamma, detachModulator: false)
    self.epsilon = V(epsilon)
    slope = V(epsilon * (gamma + 1))
  }

  /// ψ = α ψ_focal + ε (γ + 1) p (1 − p)^γ
  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    let (value, psi) = focal.evaluate(row)
    let power = focal.modulator(row.complement).power
    return (
      V.fma(epsilon * power, row.complement, value.scaled(by: row.factor)),
      V.fma(slope * power, row.probability, psi * row.factor)
    )
  }
}
