/// Load-balance loss of a mixture of experts: small where tokens are spread evenly. 1 where they are.
///
///     L = C Σ_c f_c P_c,   P_c = mean over n of p_nc,   p = softmax(z)
///     f_c = share of expert c among the N·k choices of each token's k largest logits (of equal ones the lower), constant
///     dL/dz_n = (C/N) p_n ⊙ (f − ⟨f, p_n⟩)
///
/// - Parameters:
///   - z: router logits, `[outer, classes, inner]`: tokens are rows, experts are classes. −inf is a masked expert.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: C ≥ 1.
///   - inner: ≥ 0.
///   - k: experts per token, in 1 … classes, default 1.
///   - loss: optional output, one value.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Fedus et al. 2022, Switch Transformers: Scaling to Trillion Parameter Models with Simple and Efficient
///   Sparsity. (Hugging Face's Mixtral has k times this.)
func moeLoadBalanceLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Int, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard k >= 1, k <= classes else { return .invalidParameter }
  let call = LossCall<S>(reduction: .mean, sampleWeight: nil, loss: loss, grad: grad)
  if shape.rows == 0 { return call.empty }
  guard let z else { return .nullPointer }
  if hasNaN(z, shape.rows &* classes) { return .invalidValue }
  let count = shape.rows &* classes
  return withWorkspace { arena in
    (
      // The gradient's memory is there before it is.
      isChosen: grad ?? arena.take(S.self, count), counts: arena.take(Double.self, classes &* inner),
      shares: arena.take(S.self, classes)
    )
  } _: { arrays in
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: nil, output: arrays.isChosen), TopKMask<S.Vector>(k: k))
    sumColumns(UnsafePointer(arrays.isChosen), outer, classes &* inner, arrays.counts)
    for c in 0..<classes {
      var sum = 0.0
      for i in 0..<inner { sum += arrays.counts[c &* inner &+ i] }
      arrays.shares[c] = S(sum * Double(classes) / (Double(shape.rows) * Double(k)) - 1)
    }
    // L is also the mean over the rows of C ⟨f, p_n⟩, and C f about 1 where the load is balanced.
    return rowLoss(
      MeanShare<S.Vector>(), z, dense: z, (outer, classes, inner), perClass: UnsafePointer(arrays.shares), .mean, nil,
      loss, grad)
  }
}

/// 1 for the k largest of each row, 0 for the others.
private struct TopKMask<V: Lanes>: RowVisitor {
  let k: Int
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let top = tile.top(k)
    tile.map(RowConstants(a: top.threshold, target: top.lastTie)) { e, k in
      V.select(TopSelection.contains(e, k.a, k.target), V.one, V.zero)
    }
  }
}

/// 1 and the mean of a per-class number under softmax.
private struct MeanShare<V: Lanes>: RowLoss {
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    // Measured from the share of the likeliest class: where its p is nearly 1, share and mean would cancel.
    k.a = tile.maximum()
    k.d = tile.maximum(k) { e, k in V.select(e.x .== k.a, e.perClass, -V.infinity) }
    k.a = V.shift(k.a)
    let sum = V.definedSum(tile.sum(k, keep: keep) { e, k in exponential(e.x - k.a) })
    let shares = tile.sum(k, keep: false) { e, k in (keep ? e.kept : exponential(e.x - k.a)) * (e.perClass - k.d) }
    k.b = scale / sum
    k.c = shares / sum
    return V.one + (k.d + k.c)
  }

  @inline(__always)
  func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { e.kept * k.b * ((e.perClass - k.d) - k.c) }
}
