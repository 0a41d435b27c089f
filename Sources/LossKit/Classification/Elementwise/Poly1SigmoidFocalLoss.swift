/// Focal loss on sigmoid scores with the first term of its expansion in 1 − p_t strengthened, element by element.
///
///     L = α_t (1 − p_t)^γ (softplus(z) − t z) + ε (1 − p_t)^{γ+1},   p_t = p t + (1 − p)(1 − t),  p = σ(z)
///
/// - Parameters:
///   - z: logits, `[rows, columns]`.
///   - t: targets in [0, 1], shaped as `z`. Not checked.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - alpha: α in [0, 1], default 0.25: α_t = α t + (1 − α)(1 − t); negative: no such factor.
///   - gamma: γ ≥ 0, default 2.
///   - epsilon: ε, default 1; finite.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1SigmoidFocalLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ alpha: Double, _ gamma: Double,
  _ epsilon: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha <= 1, gamma >= 0, gamma < .infinity, epsilon.magnitude < .infinity else { return .invalidParameter }
  return elementLoss(
    Poly1SigmoidFocalLoss<S.Vector>(
      terms: SigmoidFocalTerms(alpha: alpha, gamma: gamma), epsilon: S.Vector(epsilon),
      slopeFactor: S.Vector(epsilon * (gamma + 1))), z, t, (rows, columns), targets: .any, reduction, sampleWeight,
    loss, grad)
}

private struct Poly1SigmoidFocalLoss<V: Lanes>: ElementLoss {
  let terms: SigmoidFocalTerms<V>
  /// ε, and ε (γ + 1).
  let epsilon, slopeFactor: V

  @inline(__always) func evaluate(_ z: V, _ t: V, _: V) -> (value: V, derivative: V) {
    let e = terms(z, t)
    return (
      V.fma(e.alpha, e.focal, epsilon * (e.power * e.complement)),
      V.fma(e.alpha, e.focalSlope, slopeFactor * (e.power * e.complementSlope))
    )
  }
}
