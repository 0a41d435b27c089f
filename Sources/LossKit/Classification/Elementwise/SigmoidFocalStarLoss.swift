/// The focal loss's variant FL*: a logistic loss of a scaled and shifted score, element by element.
///
///     L = α_t softplus(−(γ x + β)) / γ,   x = (2t − 1) z,  α_t = α t + (1 − α)(1 − t)
///
/// - Parameters:
///   - z: logits, `[rows, columns]`.
///   - t: targets, 0 or 1, shaped as `z`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - alpha: α in [0, 1]; negative, the default −1: no factor α_t.
///   - gamma: γ > 0, default 2.
///   - beta: β, default 1; finite.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection, appendix.
func sigmoidFocalStarLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ alpha: Double, _ gamma: Double,
  _ beta: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha <= 1, isPositive(gamma), beta.magnitude < .infinity else { return .invalidParameter }
  return elementLoss(
    SigmoidFocalStarLoss<S.Vector>(alpha: alpha, gamma: gamma, beta: beta), z, t, (rows, columns), targets: .bits,
    reduction, sampleWeight, loss, grad)
}

private struct SigmoidFocalStarLoss<V: Lanes>: ElementLoss {
  /// α_t of t = 0 and t = 1.
  let negativeWeight, positiveWeight: V
  let gamma, beta: SplitParameter<V>
  let inverseGamma: V

  init(alpha: Double, gamma: Double, beta: Double) {
    negativeWeight = V(alpha < 0 ? 1 : 1 - alpha)
    positiveWeight = V(alpha < 0 ? 1 : alpha)
    self.gamma = SplitParameter(gamma)
    self.beta = SplitParameter(beta)
    inverseGamma = V(1 / gamma)
  }

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let sign = t + t - V.one
    let alpha = V.select(t .== V.zero, negativeWeight, positiveWeight)
    // u = γ x + β, and what its roundings take from it: e^{−u} has it as a relative error.
    let x = sign * z
    let product = gamma.high * x
    let (u, rounding) = V.exactSum(product, beta.high)
    let rest = V.fma(gamma.high, x, -product) + V.fma(gamma.low, x, rounding + beta.low)
    let error = V.select(u.magnitude .< V.infinity, rest, V.zero)
    let s = Logistic(u)
    return (
      alpha * inverseGamma * V.fma(-error, s.negative, V.max(V.zero, -u) + s.tail),
      -sign * alpha * (s.negative * V.fma(-error, s.positive, V.one))
    )
  }
}
