/// Brier loss: the squared distance of softmax probabilities to the target, a proper scoring rule in [0, 2].
///
///     L = Σ_k (p_k − [k = y])²,   p = softmax(z)
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
/// - Reference: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.
func brierLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(Brier<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct Brier<V: Lanes>: RowLoss {
  let exponential = ScaledExponential<V>(temperature: 1)

  /// dL/dz_j = 2 p_j [(p_j − e_j) − Σ_k p_k (p_k − e_k)]
  @inline(__always)
  func evaluate<Tile: RowTile>(_ tile: Tile, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V where Tile.V == V {
    let softmax = tile.softmax(&k, keep: false)
    k.b = softmax.reciprocal
    let squares = tile.sum(k, keep: false) { e, k in
      let p = V.select(e.classes .== k.target, V.zero, exponential(e.x - k.a) * k.b)
      return p * p
    }
    k.c = V.fma(softmax.probability, -softmax.complement, squares)
    k.d = scale + scale
    return V.fma(softmax.complement, softmax.complement, squares)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let p = exponential(e.x - k.a) * k.b
    return k.d * p * (p - V.select(e.classes .== k.target, V.one, V.zero) - k.c)
  }
}
