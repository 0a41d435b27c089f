/// Focal loss on sigmoid scores, element by element: binary cross-entropy that down-weights easy examples.
///
///     p = σ(z),  p_t = p t + (1 − p)(1 − t),  α_t = α t + (1 − α)(1 − t)
///     L = α_t (1 − p_t)^γ (softplus(z) − t z)
///
/// - Parameters:
///   - z: logits, `[rows, columns]`.
///   - t: targets in [0, 1], shaped as `z`. Not checked.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - alpha: α in [0, 1], default 0.25; negative: no factor α_t.
///   - gamma: γ ≥ 0, default 2.
///   - reduction: default mean, over all elements, weighted. (Detectors divide the sum by the number of positives.)
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection; torchvision.ops.sigmoid_focal_loss.
func sigmoidFocalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ alpha: Double, _ gamma: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard let count = elementCount(rows, columns) else { return .invalidShape }
  guard alpha <= 1, gamma >= 0, gamma < .infinity else { return .invalidParameter }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if count == 0 { return call.empty }
  guard let z, let t else { return .nullPointer }
  guard areWeights(sampleWeight, rows) else { return .invalidValue }
  elementLoss(SigmoidFocalLoss<S.Vector>(alpha: alpha, gamma: gamma), z, t, rows: rows, columns: columns, call)
  return .ok
}

private struct SigmoidFocalLoss<V: Lanes>: ElementLoss {
  /// α_t = negativeWeight + t · alphaSlope.
  let negativeWeight, alphaSlope: V
  let modulator: FixedPower<V>

  init(alpha: Double, gamma: Double) {
    negativeWeight = V(alpha < 0 ? 1 : 1 - alpha)
    alphaSlope = V(alpha < 0 ? 0 : 2 * alpha - 1)
    modulator = FixedPower(gamma)
  }

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let s = Logistic(z)
    let notT = V.one - t
    // softplus(z) − t z; the linear part vanishes on the right side, also for infinite z.
    let side = V.select(z .> V.zero, notT, -t)
    let crossEntropy = V.select(side .== V.zero, V.zero, side * z) + s.tail
    let q = V.fma(t, s.negative, notT * s.positive)  // 1 − p_t, with derivative (1 − 2t) p (1 − p)
    let (power, slope) = modulator(q)
    let alpha = V.fma(t, alphaSlope, negativeWeight)
    let curvature = s.positive * s.negative
    let modulation = V.select(curvature .== V.zero, V.zero, (notT - t) * curvature * slope * crossEntropy)
    let residual = V.fma(notT, s.positive, -(t * s.negative))  // p − t
    return (alpha * (power * crossEntropy), alpha * V.fma(power, residual, modulation))
  }
}
