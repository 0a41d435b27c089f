/// Generalized cross-entropy: between cross-entropy (q → 0) and the mean absolute error (q = 1).
///
///     L = (1 − p_y^q)/q,   p = softmax(z);   truncated: (1 − k^q)/q where p_y ≤ k
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - q: in (0, 1], default 0.7.
///   - k: in [0, 1): truncation, default 0, which is none. Truncated rows have gradient 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Zhang and Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
///   Labels.
func generalizedCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ q: Double,
  _ k: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard q > 0, q <= 1, k >= 0, k < 1 else { return .invalidParameter }
  return targetRowLoss(
    GeneralizedCrossEntropy<S.Vector>(q: q, k: k), z, target, (outer, classes, inner), reduction, sampleWeight, loss,
    grad)
}

private struct GeneralizedCrossEntropy<V: Lanes>: TargetRowLoss {
  let power: PowerLoss<V>
  let threshold, atThreshold: V

  init(q: Double, k: Double) {
    power = PowerLoss(q)
    threshold = V(k == 0 ? -1 : k)
    atThreshold = V((1 - DoubleLanes.pow(DoubleLanes(k), DoubleLanes(q))[0]) / q)
  }

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    let (value, psi) = power.evaluate(row)
    let isTruncated = row.probability .<= threshold
    return (V.select(isTruncated, atThreshold, value), V.select(isTruncated, V.zero, psi))
  }
}
