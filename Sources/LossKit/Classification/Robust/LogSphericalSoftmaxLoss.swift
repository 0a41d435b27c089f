/// Cross-entropy of the spherical softmax, in which squares stand for exponentials.
///
///     L = log Σ_k h(z_k) − log h(z_y),   h(x) = x² + ε
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. A row with NaN or an infinity gives NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - eps: ε > 0, default 1e-6.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: de Brébisson and Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss
///   Family.
func logSphericalSoftmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ eps: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(eps) else { return .invalidParameter }
  return rowLoss(
    SubstituteLoss(ShiftedSquare<S.Vector>(eps: S.Vector(eps))), z, target, (outer, classes, inner), reduction,
    sampleWeight, loss, grad)
}

private struct ShiftedSquare<V: Lanes>: ExponentialSubstitute {
  let eps: V
  @inline(__always) func value(_ x: V) -> V { V.fma(x, x, eps) }
  @inline(__always) func slope(_ x: V, _: V) -> V { x + x }
}
