/// Router z-loss: keeps the logits of a router, or of a language model, from growing.
///
///     L = (log Σ_c e^{z_c})²,   dL/dz_c = 2 lse p_c
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Zoph et al. 2022, ST-MoE: Designing Stable and Transferable Sparse Expert Models.
func routerZLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  // There are no targets: the formula does not look at them.
  rowLoss(RouterZ<S.Vector>(), z, dense: z, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct RouterZ<V: Lanes>: RowLoss {
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let sum = tile.sum(k, keep: keep) { e, k in V.exp(e.x - k.a) }
    let lse = k.a + V.log(sum)
    k.b = (lse + lse) * scale / V.definedSum(sum)
    return lse * lse
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { e.kept * k.b }
}
