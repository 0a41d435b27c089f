/// Hinge embedding loss of distances: small ones are wanted between what is alike, large ones between what is not.
///
///     L = x  where y = 1,   L = max(0, margin − x)  where y = −1
///
/// - Parameters:
///   - x: distances, `[rows, columns]`.
///   - y: 1 or −1, shaped as `x`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - margin: default 1; finite.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `x`. The derivative at the kink is 0.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.hinge_embedding_loss.
func hingeEmbeddingLoss<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ margin: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard margin.magnitude < .infinity else { return .invalidParameter }
  return elementLoss(
    HingeEmbeddingLoss<S.Vector>(margin: SplitParameter(margin)), x, y, (rows, columns), targets: .signs, reduction,
    sampleWeight, loss, grad)
}

private struct HingeEmbeddingLoss<V: Lanes>: ElementLoss {
  let margin: SplitParameter<V>

  @inline(__always) func evaluate(_ x: V, _ y: V, _: V) -> (value: V, derivative: V) {
    let hinge = V.max(V.zero, margin + -x)
    // Where it is not positive, the hinge is 0 or NaN, and so is its derivative.
    let hingeSlope = V.select(hinge .> V.zero, -V.one, hinge)
    let isAlike = y .> V.zero
    return (V.select(isAlike, x, hinge), V.select(isAlike & (x .== x), V.one, V.select(isAlike, x, hingeSlope)))
  }
}
