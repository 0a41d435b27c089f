/// Gradient and Hessian of the logistic loss, for boosters.
///
///     L = softplus(f) − y f,   grad = σ(f) − y,   hess = σ(f) σ(−f)
///
/// - Parameters:
///   - f: raw scores, `[rows, columns]`.
///   - y: targets in [0, 1], shaped as `f`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians, default 0; −inf for none.
///   - grad: optional output, shaped as `f`.
///   - hess: optional output, shaped as `f`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Badirli et al. 2020, Gradient Boosting Neural Networks: GrowNet; XGBoost's binary:logistic.
func logisticGradHess<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ sampleWeight: UnsafePointer<S>?,
  _ minHess: Double, _ grad: UnsafeMutablePointer<S>?, _ hess: UnsafeMutablePointer<S>?
) -> Status {
  elementObjective(
    LogisticObjective<S.Vector>(), f, y, rows, columns, sampleWeight, smallestHessian: minHess, grad, hess)
}

private struct LogisticObjective<V: Lanes>: ElementObjective {
  static var targets: ElementTargets { .probabilities }

  @inline(__always) func evaluate(_ f: V, _ y: V) -> (gradient: V, hessian: V) {
    let s = Logistic(f)
    // σ(f) − y, from the side on which σ is small.
    let gradient = V.select(f .> V.zero, (V.one - y) - s.negative, s.positive - y)
    return (gradient, s.positive * s.negative)
  }
}
