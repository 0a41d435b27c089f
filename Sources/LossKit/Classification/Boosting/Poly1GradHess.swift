/// Gradient and diagonal Hessian of the Poly-1 loss on softmax probabilities, for boosters.
///
///     p = softmax(z),   L = −log p_y + ε (1 − p_y),   d_j = p_j − [j = y]
///     grad_j = (1 + ε p_y) d_j,   hess_j = (1 + ε p_y) p_j (1 − p_j) − ε p_y d_j²
///
/// - Parameters:
///   - z: raw scores, `[outer, classes, inner]`: with inner = 1 a row per sample, with outer = 1 a row per class, as
///     LightGBM has them. −inf is a masked class.
///   - y: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - epsilon: ε, finite, default 1.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians; −inf, the default, for none.
///   - grad: optional output, shaped as `z`.
///   - hess: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1GradHess<S: Scalar>(
  _ z: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ epsilon: Double,
  _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard epsilon.isFinite else { return .invalidParameter }
  return rowObjective(
    Poly1Objective<S.Vector>(epsilon), z, y, (outer, classes, inner), sampleWeight,
    smallestHessian: minHess, grad, hess)
}

private struct Poly1Objective<V: Lanes>: RowObjective {
  let epsilon: V
  let psi: LineOfProbability<V>

  init(_ epsilon: Double) {
    self.epsilon = V(epsilon)
    psi = LineOfProbability(1, epsilon)
  }

  /// ψ = 1 + ε p_y,   κ = −ε p_y
  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (psi: V, curvature: V) {
    (psi(row), -epsilon * row.probability)
  }
}
