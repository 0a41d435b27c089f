/// Encouraging loss: cross-entropy and a bonus for well-classified rows. It may be negative.
///
///     L = ν + log max(1 − p_y, ε),   ν = −log p_y,   p = softmax(z)
///     for p_y > LE, along the tangent:   L = ν + log(1 − LE) − (p_y − LE)/(1 − LE)
///
/// With one class it is 0, as all losses of softmax are.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - logEnd: LE in (0, 1], default 0.75: where the logarithm ends. 0.5 is the safe choice.
///   - eps: ε in (0, 1), default 1e-5: the bonus is constant where 1 − p_y < ε.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Zhao et al. 2022, Well-classified Examples are Underestimated in Classification with Deep Neural
///   Networks.
func encouragingLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ logEnd: Double, _ eps: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard logEnd > 0, logEnd <= 1, eps > 0, eps < 1 else { return .invalidParameter }
  return targetRowLoss(
    EncouragingLoss<S.Vector>(logEnd: logEnd, eps: eps, hasOthers: classes > 1), z, target, (outer, classes, inner),
    reduction, sampleWeight, loss, grad)
}

private struct EncouragingLoss<V: Lanes>: TargetRowLoss {
  let eps, rest, inverseRest, logRest: V
  let hasOthers: Bool

  init(logEnd: Double, eps: Double, hasOthers: Bool) {
    self.eps = V(eps)
    rest = V(1 - logEnd)
    inverseRest = V(logEnd == 1 ? 0 : 1 / (1 - logEnd))
    logRest = V(DoubleLanes.log(DoubleLanes(logEnd == 1 ? 1 : 1 - logEnd))[0])
    self.hasOthers = hasOthers
  }

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    if !hasOthers { return (row.nu, V.one) }
    let isTangent = row.complement .< rest
    let inverse = V.one / row.complement
    let bonus = V.log(V.max(eps, row.complement))
    // p_y − LE = (1 − LE) − (1 − p_y)
    let tangent = logRest - (rest - row.complement) * inverseRest
    let psi = V.select(row.complement .< eps, V.one, inverse)
    return (
      row.nu + V.select(isTangent, tangent, bonus),
      V.select(isTangent, V.fma(row.probability, inverseRest, V.one), psi)
    )
  }
}
