/// Gradient and diagonal Hessian of the focal loss on softmax probabilities, for boosters. The Hessian is negative for
/// badly classified rows when γ > 0: boosters want a floor under it.
///
///     p = softmax(z),   q = 1 − p_y,   ν = −log p_y,   L = α_y q^γ ν,   d_j = p_j − [j = y]
///     ψ = dL/dν = α_y (q^γ + γ q^{γ−1} p_y ν)
///     κ = dψ/dν = α_y γ q^{γ−2} p_y (q (2 − ν) + (γ − 1) p_y ν)
///     grad_j = ψ d_j,   hess_j = ψ p_j (1 − p_j) + κ d_j²
///
/// - Parameters:
///   - z: raw scores, `[outer, classes, inner]`: with inner = 1 a row per sample, with outer = 1 a row per class, as
///     LightGBM has them. −inf is a masked class.
///   - y: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gamma: γ ≥ 0, default 2. 0 gives cross-entropy.
///   - alpha: optional, `[classes]`, default 1.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians; −inf, the default, for none.
///   - grad: optional output, shaped as `z`.
///   - hess: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection, extended to softmax.
func focalGradHess<S: Scalar>(
  _ z: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ gamma: Double,
  _ alpha: UnsafePointer<S>?, _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return rowObjective(
    FocalObjective<S.Vector>(gamma: gamma), z, y, (outer, classes, inner), classFactor: alpha, sampleWeight,
    smallestHessian: minHess, grad, hess)
}

private struct FocalObjective<V: Lanes>: RowObjective {
  let gammaMinusOne: V
  let modulator: FixedPower<V>

  init(gamma: Double) {
    gammaMinusOne = V(gamma - 1)
    modulator = FixedPower(gamma)
  }

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (psi: V, curvature: V) {
    let p = row.probability, q = row.complement
    let (power, slope) = modulator(q)
    let pNu = V.select(p .== V.zero, V.zero, p * row.nu)  // → 0 as p → 0
    let ratio = V.select(q .== V.zero, V.one, pNu / q)  // → 1 as q → 0
    return (V.fma(slope, pNu, power), slope * (V.fma(gammaMinusOne * p, ratio, p + p) - pNu))
  }
}
