// Cross-entropy of maps that put another positive function in the place of softmax's exponential.

/// The function and its derivative.
protocol ExponentialSubstitute {
  associatedtype V: Lanes
  func value(_ x: V) -> V
  /// - Parameter h: the value.
  func slope(_ x: V, _ h: V) -> V
}

/// L = log Σ_k h(z_k) − log h(z_y),   dL/dz_j = h'(z_j) (1/Σ_k h(z_k) − [j = y]/h(z_y))
struct SubstituteLoss<F: ExponentialSubstitute>: RowLoss {
  typealias V = F.V
  private let formula: F
  static var derivesTargetApart: Bool { true }

  init(_ formula: F) { self.formula = formula }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let others = tile.sum(k, keep: keep) { e, k in V.select(e.classes .== k.target, V.zero, formula.value(e.x)) }
    let x = tile.inputs(at: k.target)
    let own = formula.value(x)
    let sum = V.definedSum(others + own)
    k.a = scale / sum
    let slope = formula.slope(x, own)
    k.atTarget = -V.select(slope .== V.zero, V.zero, slope / own) * (others * k.a)
    let ratio = others / own
    let value = V.select(ratio .< V.infinity, V.log1p(ratio), V.log(sum) - V.log(own))
    return V.select(sum .== sum, value, V.nan)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { formula.slope(e.x, e.kept) * k.a }
}
