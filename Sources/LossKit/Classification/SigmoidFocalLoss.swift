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
///   - loss: output, one value, or one per element without reduction.
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
  guard let loss else { return count == 0 && reduction == .none ? .ok : .nullPointer }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if count == 0 { return call.empty }
  guard let z, let t else { return .nullPointer }
  guard areWeights(sampleWeight, rows) else { return .invalidValue }
  elementLoss(SigmoidFocalLoss<S.Vector>(alpha: alpha, gamma: gamma), z, t, rows: rows, columns: columns, call)
  return .ok
}

private struct SigmoidFocalLoss<V: Lanes>: ElementLoss {
  /// α_t = negativeWeight + t · slope.
  let negativeWeight, slope, gamma: V
  let power: FixedPower<V>

  init(alpha: Double, gamma: Double) {
    negativeWeight = V(alpha < 0 ? 1 : 1 - alpha)
    slope = V(alpha < 0 ? 0 : 2 * alpha - 1)
    self.gamma = V(gamma)
    power = FixedPower(gamma)
  }

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let s = Logistic(z)
    let notT = V.one - t
    // softplus(z) − t z; the linear part vanishes on the right side, also for infinite z.
    let side = V.select(z .> V.zero, notT, -t)
    let crossEntropy = V.select(side .== V.zero, V.zero, side * z) + s.tail
    let q = V.fma(t, s.negative, notT * s.positive)  // 1 − p_t
    let factor = V.fma(t, slope, negativeWeight) * power(q)
    let curvature = s.positive * s.negative
    let modulation = V.select(
      (q .== V.zero) | (curvature .== V.zero), V.zero, gamma * (notT - t) * curvature * (crossEntropy / q))
    let derivative = factor * (V.fma(notT, s.positive, -(t * s.negative)) + modulation)
    return (
      V.select(q .== V.zero, V.zero, factor * crossEntropy), V.select(q .== V.zero, V.zero, derivative)
    )
  }
}
