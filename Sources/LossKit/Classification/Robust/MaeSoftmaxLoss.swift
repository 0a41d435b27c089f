/// Mean absolute error of softmax probabilities: bounded, hence robust to wrong labels.
///
///     L = 1 − p_y,   p = softmax(z);   not reduced: Σ_k |p_k − [k = y]| = 2 (1 − p_y)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduced: 1 − p_y, the default, or twice that.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ghosh et al. 2017, Robust Loss Functions under Label Noise for Deep Neural Networks.
func maeSoftmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduced: Bool, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  targetRowLoss(
    MeanAbsoluteError<S.Vector>(reduced ? 1 : 2), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Normalized mean absolute error: divided by its sum over all targets.
///
///     L = (1 − p_y)/(C − 1),   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels.
func normalizedMaeLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  targetRowLoss(
    MeanAbsoluteError<S.Vector>(1 / Double(classes &- 1)), z, target, (outer, classes, inner), smallestClassCount: 2,
    reduction, sampleWeight, loss, grad)
}

/// c (1 − p_y), with ψ = c p_y.
struct MeanAbsoluteError<V: Lanes>: TargetRowLoss {
  private let factor: V

  init(_ factor: Double) { self.factor = V(factor) }

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    (factor * row.complement, factor * row.probability)
  }
}
