/// The factor c that a booster gives the Hessian of the softmax cross-entropy.
enum SoftmaxHessian: Int32 {
  /// c = 1: the second derivative itself.
  case exact = 0
  /// c = 2, as XGBoost's multi:softprob has it.
  case xgboost = 1
  /// c = C/(C − 1), as LightGBM's multiclass has it; 1 for one class.
  case lightgbm = 2
}

/// Gradient and diagonal Hessian of the softmax cross-entropy with integer targets, for boosters.
///
///     p = softmax(z),   grad_j = p_j − [j = y],   hess_j = c p_j (1 − p_j)
///
/// - Parameters:
///   - z: raw scores, `[outer, classes, inner]`: with inner = 1 a row per sample, with outer = 1 a row per class, as
///     LightGBM has them. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - hessian: the factor c, default lightgbm.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians, default 0; −inf for none.
///   - grad: optional output, shaped as `z`.
///   - hess: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: LightGBM's multiclass and XGBoost's multi:softprob; Emami and Martínez-Muñoz 2022, Condensed Gradient
///   Boosting, whose trees are fitted to −grad.
func softmaxGradHess<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ hessian: SoftmaxHessian, _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  rowObjective(
    SoftmaxObjective<S.Vector>(hessian, classes: classes), z, target, (outer, classes, inner), sampleWeight,
    smallestHessian: minHess, grad, hess)
}

/// Gradient and diagonal Hessian of the softmax cross-entropy with dense targets, for boosters.
///
///     p = softmax(z),   grad_j = p_j − t_j,   hess_j = c p_j (1 − p_j)
///
/// - Parameters:
///   - z: raw scores, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: the probability of each class. Not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - hessian: the factor c, default lightgbm.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians, default 0; −inf for none.
///   - grad: optional output, shaped as `z`.
///   - hess: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: as `softmax_grad_hess`.
func softmaxGradHessDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ hessian: SoftmaxHessian, _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  rowObjective(
    SoftmaxObjective<S.Vector>(hessian, classes: classes), z, dense: target, (outer, classes, inner), sampleWeight,
    smallestHessian: minHess, grad, hess)
}

private struct SoftmaxObjective<V: Lanes>: RowObjective {
  let spread: V

  init(_ hessian: SoftmaxHessian, classes: Int) {
    switch hessian {
    case .exact: spread = V.one
    case .xgboost: spread = V.one + V.one
    case .lightgbm: spread = classes == 1 ? V.one : V(Double(classes) / Double(classes &- 1))
    }
  }

  @inline(__always) func evaluate(_: TargetRow<V>) -> (psi: V, curvature: V) { (V.one, V.zero) }
}
