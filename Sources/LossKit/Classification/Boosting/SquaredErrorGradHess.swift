/// Gradient and Hessian of half the squared error of each output, for boosters.
///
///     L = ½ (z − t)²,   grad = z − t,   hess = 1
///
/// - Parameters:
///   - z: predictions, `[rows, columns]`.
///   - t: targets, shaped as `z`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - grad: optional output, shaped as `z`.
///   - hess: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Emami and Martínez-Muñoz 2022, Condensed Gradient Boosting.
func squaredErrorGradHess<S: Scalar>(
  _ z: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ sampleWeight: UnsafePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?, _ hess: UnsafeMutablePointer<S>?
) -> Status {
  elementObjective(
    SquaredErrorObjective<S.Vector>(), z, t, rows, columns, sampleWeight, smallestHessian: -.infinity, grad, hess)
}

private struct SquaredErrorObjective<V: Lanes>: ElementObjective {
  static var targets: ElementTargets { .any }

  @inline(__always) func evaluate(_ z: V, _ t: V) -> (gradient: V, hessian: V) { (z - t, V.one) }
}
