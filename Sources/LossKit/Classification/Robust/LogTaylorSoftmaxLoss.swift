/// Cross-entropy of the Taylor softmax, whose exponential is its second-order expansion.
///
///     L = log Σ_k h(z_k) − log h(z_y),   h(x) = 1 + x + x²/2
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. A row with NaN or an infinity gives NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: de Brébisson and Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss
///   Family.
func logTaylorSoftmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SubstituteLoss(TaylorExponential<S.Vector>()), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct TaylorExponential<V: Lanes>: ExponentialSubstitute {
  /// As a sum of two squares, which cannot cancel.
  @inline(__always) func value(_ x: V) -> V {
    let half = V(0.5), u = V.one + x
    return V.fma(half * u, u, half)
  }

  @inline(__always) func slope(_ x: V, _: V) -> V { V.one + x }
}
