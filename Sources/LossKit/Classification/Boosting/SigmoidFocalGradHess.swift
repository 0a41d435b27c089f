/// Gradient and Hessian of the focal loss on sigmoid scores, for boosters. The Hessian is negative for badly classified
/// samples when γ > 0: boosters want a floor under it.
///
///     s = 2y − 1,   p = σ(s f),   q = 1 − p,   ν = −log p,   L = α_y q^γ ν
///     grad = −s α_y q^γ (γ p ν + q)
///     hess = α_y q^γ p ((2γ + 1) q + γ ν (γ p − q))
///
/// - Parameters:
///   - f: raw scores, `[rows, columns]`.
///   - y: targets, 0 or 1, shaped as `f`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - alpha: α_1 = 1 − α_0 in [0, 1], default 0.25; negative: no factor α_y.
///   - gamma: γ ≥ 0, default 2. 0 gives the logistic loss.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians; −inf, the default, for none.
///   - grad: optional output, shaped as `f`.
///   - hess: optional output, shaped as `f`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection.
func sigmoidFocalGradHess<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ alpha: Double, _ gamma: Double,
  _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(rows, columns) != nil else { return .invalidShape }
  guard alpha <= 1, gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return elementObjective(
    SigmoidFocalObjective<S.Vector>(alpha: alpha, gamma: gamma), f, y, rows, columns, sampleWeight,
    smallestHessian: minHess, grad, hess)
}

private struct SigmoidFocalObjective<V: Lanes>: BinaryObjective {
  let positiveWeight, negativeWeight, gamma: V
  let modulator: FixedPower<V>

  init(alpha: Double, gamma: Double) {
    positiveWeight = V(alpha < 0 ? 1 : alpha)
    negativeWeight = V(alpha < 0 ? 1 : 1 - alpha)
    self.gamma = V(gamma)
    modulator = FixedPower(gamma)
  }

  @inline(__always) func evaluate(_ row: TargetRow<V>, isPositive: V.Integers) -> (slope: V, hessian: V) {
    let p = row.probability, q = row.complement
    let weight = V.select(isPositive, positiveWeight, negativeWeight) * modulator(q).power
    let gammaNu = V.select(p .== V.zero, V.zero, gamma * row.nu)  // p ν → 0 as p → 0
    let bracket = V.fma(gamma + gamma + V.one, q, gammaNu * V.fma(gamma, p, -q))
    return (-weight * V.fma(gammaNu, p, q), weight * (p * bracket))
  }
}
