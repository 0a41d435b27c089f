/// Gradient and Hessian of the Poly-1 loss on sigmoid scores, for boosters.
///
///     s = 2y − 1,   p = σ(s f),   q = 1 − p,   L = −log p + ε q
///     grad = −s q (1 + ε p),   hess = p q (1 + ε (p − q))
///
/// - Parameters:
///   - f: raw scores, `[rows, columns]`.
///   - y: targets, 0 or 1, shaped as `f`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - epsilon: ε, finite, default 1.
///   - sampleWeight: optional, one per row, ≥ 0, default 1: multiplies both outputs.
///   - minHess: a floor under the weighted Hessians; −inf, the default, for none.
///   - grad: optional output, shaped as `f`.
///   - hess: optional output, shaped as `f`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func poly1SigmoidGradHess<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ epsilon: Double,
  _ sampleWeight: UnsafePointer<S>?, _ minHess: Double, _ grad: UnsafeMutablePointer<S>?,
  _ hess: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(rows, columns) != nil else { return .invalidShape }
  guard epsilon.isFinite else { return .invalidParameter }
  return elementObjective(
    Poly1SigmoidObjective<S.Vector>(epsilon), f, y, rows, columns, sampleWeight,
    smallestHessian: minHess, grad, hess)
}

private struct Poly1SigmoidObjective<V: Lanes>: BinaryObjective {
  /// 1 + ε p and 1 + ε (p − q).
  let slope, curvature: LineOfProbability<V>

  init(_ epsilon: Double) {
    slope = LineOfProbability(1, epsilon)
    curvature = LineOfProbability(1 - epsilon, 2 * epsilon)
  }

  @inline(__always) func evaluate(_ row: TargetRow<V>, isPositive _: V.Integers) -> (slope: V, hessian: V) {
    (-row.complement * slope(row), row.probability * row.complement * curvature(row))
  }
}
