/// Cross-entropy of the softmax of the k largest logits.
///
///     Ω = the classes of the k largest z (of equal ones the lower),   L = log Σ_{j ∈ Ω} e^{z_j} − z_y
///     dL/dz_j = [j ∈ Ω] e^{z_j} / Σ_{i ∈ Ω} e^{z_i} − [j = y]
///
/// The target need not be in Ω; its logit is below all of Ω then. The selection is constant for the gradient.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - y: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: ≥ 1, default 10; more than `classes` means all, and cross-entropy.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Sun et al. 2021, Sparse-softmax: A Simpler and Faster Alternative Softmax Transformation.
func sparseSoftmaxLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard k >= 1 else { return .invalidParameter }
  if k >= classes {
    return targetRowLoss(
      ShannonTargetLoss<S.Vector>(), z, y, (outer, classes, inner), reduction, sampleWeight, loss, grad)
  }
  return rowLoss(SparseSoftmaxLoss<S.Vector>(k: k), z, y, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct SparseSoftmaxLoss<V: Lanes>: SparseRowLoss {
  let k: Int
  let exponential = ScaledExponential<V>(temperature: 1)
  static var memory: KernelMemory { .candidates }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let logit = tile.inputs(at: k.target)
    let target = k.target
    let top = tile.top(self.k)
    k.a = top.maximum
    k.b = top.threshold
    k.target = top.lastTie
    let excess = shares(top, top.candidates?.tile ?? tile, &k, scale, keep: keep)
    if keep, let few = top.candidates { tile.put(few, background: k.c * V.zero) }
    let x = logit - k.a
    if keep {
      let sum = excess + V.one
      let isMaximum = x .== V.zero
      let isTop = ~((logit .< k.b) | ((logit .== k.b) & (k.target .< target)))
      let share = V.select(isTop, exponential(x) / sum, V.zero)
      let complement = V.select(isMaximum & isTop, excess / sum, V.one - share)
      let atTarget = V.select(excess .== excess, -complement * scale, V.nan)
      tile.setOutputs(at: target, atTarget)
    }
    return V.log1p(excess) - x
  }

  /// Σ_{j ∈ Ω} e^{z_j − max z} − 1; writes the shares of all classes as if none were the target.
  @inline(__always)
  private func shares(
    _ top: TopSelection<V>, _ few: RowTile<V>, _ k: inout RowConstants<V>, _ scale: V, keep: Bool
  ) -> V {
    let hasTies = top.hasTies
    let below = few.specialized { tile in
      tile.sum(
        k, keep: keep, isCommon: true,
        terms: { e, k in
          let isTop = hasTies ? TopSelection.contains(e, k.b, k.target) : ~(e.x .< k.b)
          let term = V.select(isTop, exponential(e.x - k.a), V.zero)
          return (V.select(e.x .== k.a, V.zero, term), term)
        })
    }
    // A row of +inf, or of −inf alone, has no sum.
    let excess = V.select(k.a.magnitude .< V.infinity, below + (top.maxima - V.one), V.nan)
    k.c = scale / (excess + V.one)
    if keep { few.specialized { $0.map(k, isCommon: true) { e, k in e.kept * k.c } } }
    return excess
  }
}
