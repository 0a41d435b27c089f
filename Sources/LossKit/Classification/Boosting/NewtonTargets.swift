/// What a weak learner is fitted to.
enum NewtonOrder: Int32 {
  /// The negative gradient, with weight 1.
  case first = 1
  /// The Newton step, with the Hessian as weight.
  case second = 2
}

/// Regression targets and weights for a weak learner, from gradients and Hessians.
///
///     second order:  target = −grad / max(hess, ε),   weight = hess
///     first order:   target = −grad,                  weight = 1
///
/// GrowNet fits its next network by the mean of weight · (rate · output − target)².
///
/// - Parameters:
///   - grad: `[count]`.
///   - hess: `[count]`.
///   - count: number of elements, ≥ 0.
///   - eps: ε > 0, the least Hessian that is divided by, default 1e-12.
///   - order: default second.
///   - target: optional output, `[count]`; may be `grad` itself.
///   - weight: optional output, `[count]`; may be `hess` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Badirli et al. 2020, Gradient Boosting Neural Networks: GrowNet.
func newtonTargets<S: Scalar>(
  _ grad: UnsafePointer<S>?, _ hess: UnsafePointer<S>?, _ count: Int, _ eps: Double, _ order: NewtonOrder,
  _ target: UnsafeMutablePointer<S>?, _ weight: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  guard isPositive(eps) else { return .invalidParameter }
  // An ε that is 0 as a float would divide by 0.
  let floor = S.Vector(max(eps, S.leastNonzeroMagnitude.double))
  return mapElementsToPairs(
    NewtonStep(floor: floor, isFirstOrder: order == .first), grad, hess, count, 1, nil, target, weight)
}

private struct NewtonStep<V: Lanes>: ElementPairMap {
  let floor: V
  let isFirstOrder: Bool

  @inline(__always) func values(_ grad: V, _ hess: V, _: V) -> (V, V) {
    isFirstOrder ? (-grad, V.one) : (-grad / V.max(floor, hess), hess)
  }
}
