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
  guard alpha <= 1, gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return elementLoss(
    SigmoidFocalLoss<S.Vector>(terms: SigmoidFocalTerms(alpha: alpha, gamma: gamma)), z, t, (rows, columns),
    targets: .any, reduction, sampleWeight, loss, grad)
}

private struct SigmoidFocalLoss<V: Lanes>: ElementLoss {
  let terms: SigmoidFocalTerms<V>

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let e = terms(z, t)
    return (e.alpha * e.focal, e.alpha * e.focalSlope)
  }
}

/// What the focal losses on sigmoid scores are made of.
struct SigmoidFocalTerms<V: Lanes> {
  /// α_t = negativeWeight + t · alphaSlope.
  private let negativeWeight, alphaSlope: V
  private let modulator: FixedPower<V>

  /// - Parameter alpha: negative: α_t = 1.
  init(alpha: Double, gamma: Double) {
    negativeWeight = V(alpha < 0 ? 1 : 1 - alpha)
    alphaSlope = V(alpha < 0 ? 0 : 2 * alpha - 1)
    modulator = FixedPower(gamma)
  }

  struct Element {
    let alpha: V
    /// softplus(z) − t z, and its derivative p − t.
    let crossEntropy, residual: V
    /// q = 1 − p_t, its derivative (1 − 2t) p (1 − p), and q^γ.
    let complement, complementSlope, power: V
    /// q^γ (softplus(z) − t z), and its derivative.
    let focal, focalSlope: V
  }

  @inline(__always) func callAsFunction(_ z: V, _ t: V) -> Element {
    let s = Logistic(z)
    let notT = V.one - t
    // The linear part of softplus(z) − t z vanishes on the right side, also for infinite z.
    let side = V.select(z .> V.zero, notT, -t)
    let crossEntropy = V.select(side .== V.zero, V.zero, side * z) + s.tail
    let residual = V.fma(notT, s.positive, -(t * s.negative))
    let complement = V.fma(t, s.negative, notT * s.positive)
    let (power, slope) = modulator(complement)
    let curvature = s.positive * s.negative
    let complementSlope = (notT - t) * curvature
    let modulation = V.select(curvature .== V.zero, V.zero, complementSlope * slope * crossEntropy)
    return Element(
      alpha: V.fma(t, alphaSlope, negativeWeight), crossEntropy: crossEntropy, residual: residual,
      complement: complement, complementSlope: complementSlope, power: power, focal: power * crossEntropy,
      focalSlope: V.fma(power, residual, modulation))
  }
}
