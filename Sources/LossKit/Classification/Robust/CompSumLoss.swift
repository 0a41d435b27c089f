/// Comp-sum loss: sum losses composed with a concave function, from the sum-exponential loss to the mean absolute
/// error.
///
///     u = Σ_{k≠y} e^{z_k − z_y} = 1/p_y − 1,   p = softmax(z)
///     L = ((1 + u)^{1−τ} − 1)/(1 − τ),   log(1 + u) for τ = 1
///
/// For τ < 1 the loss grows exponentially; too large a one is +inf.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - tau: τ ≥ 0, default 1: 0 sum-exponential, 1 cross-entropy, 1 < τ < 2 generalized cross-entropy with q = τ − 1,
///     2 mean absolute error.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Mao et al. 2023, Cross-Entropy Loss Functions: Theoretical Analysis and Applications.
func compSumLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ tau: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard tau >= 0, tau < .infinity else { return .invalidParameter }
  return targetRowLoss(
    PowerLoss<S.Vector>(tau - 1), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Sum-exponential loss: the exponential loss of Weston-Watkins type, `comp_sum_loss` with τ = 0.
///
///     L = Σ_{k≠y} e^{z_k − z_y}
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
/// - Reference: Mao et al. 2023, Cross-Entropy Loss Functions: Theoretical Analysis and Applications.
func sumExponentialLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  targetRowLoss(
    PowerLoss<S.Vector>(-1), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}
