/// Which well-classified examples `haltedFocalLoss` treats as cross-entropy does.
enum HaltedSide: Int32 {
  /// Those with target 1.
  case positive = 0
  /// All.
  case both = 1
}

/// Focal loss on sigmoid scores that stops down-weighting: examples on the right side of ½ keep the gradient of
/// cross-entropy.
///
///     L = α_t (c − B)           where p_t > ½ (and t = 1, or both sides):   B = (1 − 2^−γ) log 2
///     L = α_t (1 − p_t)^γ c     else
///     c = softplus(z) − t z = −log p_t,   p_t = σ((2t − 1) z)
///
/// Continuous, with a jump of the gradient at z = 0.
///
/// - Parameters:
///   - z: logits, `[rows, columns]`.
///   - t: targets, 0 or 1, shaped as `z`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - alpha: α in [0, 1]: α_t = α t + (1 − α)(1 − t); negative, the default −1: no such factor.
///   - gamma: γ ≥ 0, default 2.
///   - side: where down-weighting stops, default positive.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Zhao et al. 2022, Well-classified Examples are Underestimated in Classification with Deep Neural
///   Networks.
func haltedFocalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ alpha: Double, _ gamma: Double,
  _ side: HaltedSide, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha <= 1, gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return elementLoss(
    HaltedFocalLoss<S.Vector>(alpha: alpha, gamma: gamma, side: side), z, t, (rows, columns), targets: .bits,
    reduction, sampleWeight, loss, grad)
}

private struct HaltedFocalLoss<V: Lanes>: ElementLoss {
  let terms: SigmoidFocalTerms<V>
  let minusOffset: SplitParameter<V>
  /// Examples with a target below it never halt.
  let leastTarget: V

  init(alpha: Double, gamma: Double, side: HaltedSide) {
    let log2 = 0.6931471805599453
    terms = SigmoidFocalTerms(alpha: alpha, gamma: gamma)
    minusOffset = SplitParameter(log2 * DoubleLanes.expm1(DoubleLanes(-gamma * log2))[0])
    leastTarget = V(side == .positive ? 1.0 : 0.0)
  }

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let e = terms(z, t)
    let isEasy = ((t + t - V.one) * z .> V.zero) & (leastTarget .<= t)
    return (
      e.alpha * V.select(isEasy, minusOffset + e.crossEntropy, e.focal),
      e.alpha * V.select(isEasy, e.residual, e.focalSlope)
    )
  }
}
