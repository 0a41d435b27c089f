/// Binary cross-entropy of sigmoid scores, element by element.
///
///     L = w [(1 − t) softplus(z) + q t softplus(−z)]
///
/// - Parameters:
///   - z: logits, `[rows, columns]`.
///   - t: targets in [0, 1], shaped as `z`; soft ones are allowed.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - weight: optional, ≥ 0, default 1: w, one per column, or one per element if `weightPerElement`. Not part of the
///     mean's denominator.
///   - weightPerElement: is there a weight for each element, in the order of `z`?
///   - posWeight: optional, `[columns]`, > 0: q, the weight of positives, default 1.
///   - reduction: default mean, over all elements, weighted by `sampleWeight`.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET for a NaN target, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.binary_cross_entropy_with_logits.
func binaryCrossEntropyWithLogits<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ weight: UnsafePointer<S>?,
  _ weightPerElement: Bool, _ posWeight: UnsafePointer<S>?, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  elementLoss(
    BinaryCrossEntropyWithLogits<S.Vector>(), z, t, (rows, columns), targets: .numbers,
    weights: ElementFactors(
      perElement: weightPerElement ? weight : nil, perColumn: weightPerElement ? nil : weight, column: posWeight),
    reduction, sampleWeight, loss, grad)
}

private struct BinaryCrossEntropyWithLogits<V: Lanes>: ElementLoss {
  @inline(__always) func evaluate(_ z: V, _ t: V, _ posWeight: V) -> (value: V, derivative: V) {
    let s = Logistic(z)
    let negative = V.one - t
    let positive = posWeight * t
    // softplus(±z) = max(±z, 0) + tail: only one side has a linear part, and none where its weight is 0.
    let side = V.select(z .> V.zero, negative, positive)
    let linear = V.select(side .== V.zero, V.zero, side * z.magnitude)
    return (
      V.fma(negative + positive, s.tail, linear), V.fma(negative, s.positive, -(positive * s.negative))
    )
  }
}
