/// A loss of one score with a target of 0 or 1, as a function of the probability of that target.
///
///     s = 2y − 1,   p = σ(s f),   q = 1 − p,   ν = −log p
protocol BinaryObjective: ElementObjective {
  /// dL/d(s f) and d²L/d(s f)², of which the second is d²L/df² as well.
  func evaluate(_ row: TargetRow<V>, isPositive: V.Integers) -> (slope: V, hessian: V)
}

extension BinaryObjective {
  static var targets: ElementTargets { .bits }

  @inline(__always) func evaluate(_ f: V, _ y: V) -> (gradient: V, hessian: V) {
    let sign = y + y - V.one
    let margin = sign * f
    let s = Logistic(margin)
    let row = TargetRow(probability: s.positive, complement: s.negative, nu: s.tail - V.min(margin, V.zero))
    let result = evaluate(row, isPositive: y .> V.zero)
    return (sign * result.slope, result.hessian)
  }
}
