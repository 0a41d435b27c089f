/// Cross-entropy of the stablemax, whose exponential grows and falls off only linearly.
///
///     L = log Σ_k h(z_k) − log h(z_y),   h(x) = x + 1 for x ≥ 0, 1/(1 − x) for x < 0
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Prieto et al. 2025, Grokking at the Edge of Numerical Stability.
func stablemaxCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SubstituteLoss(StableExponential<S.Vector>()), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct StableExponential<V: Lanes>: ExponentialSubstitute {
  @inline(__always) func value(_ x: V) -> V {
    let distance = V.one + x.magnitude
    return V.select(x .< V.zero, V.one / distance, distance)
  }

  /// 1, or h² for x < 0.
  @inline(__always) func slope(_ x: V, _ h: V) -> V { V.select(x .< V.zero, h * h, V.one) }
}
