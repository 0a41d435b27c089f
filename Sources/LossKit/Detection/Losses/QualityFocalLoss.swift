/// Quality focal loss, element by element: a focal loss whose targets are qualities (the IoU of the box that is
/// predicted).
///
///     L = |t − σ|^β (softplus(z) − t z),  σ = σ(z)
///     dL/dz = |t − σ|^β (σ − t) + β |t − σ|^{β−1} sign(σ − t) σ (1 − σ) (softplus(z) − t z),  0 at t = σ
///
/// - Parameters:
///   - logits: z, `[rows, columns]`.
///   - target: t in [0, 1], shaped as `logits`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - beta: β ≥ 0 and finite, default 2.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `logits`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Li et al. 2020, Generalized Focal Loss.
func qualityFocalLoss<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ beta: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard beta >= 0, beta < .infinity else { return .invalidParameter }
  return elementLoss(
    QualityFocalLoss<S.Vector>(modulator: FixedPower(beta)), logits, target, (rows, columns), targets: .probabilities,
    reduction, sampleWeight, loss, grad)
}

private struct QualityFocalLoss<V: Lanes>: ElementLoss {
  let modulator: FixedPower<V>

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let s = Logistic(z)
    let notT = V.one - t
    // The linear part of softplus(z) − t z vanishes on the right side, also for infinite z.
    let side = V.select(z .> V.zero, notT, -t)
    let crossEntropy = V.select(side .== V.zero, V.zero, side * z) + s.tail
    let residual = notT * s.positive - t * s.negative
    let (power, slope) = modulator(residual.magnitude)
    let curvature = s.positive * s.negative
    let modulation = V.select(curvature .== V.zero, V.zero, slope.copySign(residual) * curvature * crossEntropy)
    return (
      power * crossEntropy, V.select(residual .== V.zero, V.zero, power * residual + modulation)
    )
  }
}
