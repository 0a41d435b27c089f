/// Softmax of the k largest logits of each row; the others have probability 0.
///
///     Ω = the classes of the k largest z (of equal ones the lower),   p_i = [i ∈ Ω] e^{z_i} / Σ_{j ∈ Ω} e^{z_j}
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf has probability 0; a row with +inf, or of −inf alone, gives a row of
///     NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: ≥ 1, default 10; more than `classes` means all.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Sun et al. 2021, Sparse-softmax: A Simpler and Faster Alternative Softmax Transformation.
func sparseSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard k >= 1 else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  if hasNaN(z, shape.rows &* classes) { return .invalidValue }
  forEachRowTile(
    shape, RowArrays(first: z, second: z, perClass: nil, output: p),
    SparseSoftmax<S.Vector>(k: Swift.min(k, classes)))
  return .ok
}

/// Vector-Jacobian product of sparse_softmax: the selection is constant.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `sparse_softmax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient. Not read where p is 0.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func sparseSoftmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  supportVjp(Probabilities<S.Vector>(), p, gradOutput, (outer, classes, inner), gradZ)
}

private struct SparseSoftmax<V: Lanes>: RowVisitor {
  let k: Int
  let exponential = ScaledExponential<V>(temperature: 1)
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let top = tile.top(k)
    let background = normalize(
      top.candidates?.tile ?? tile, RowConstants(a: top.maximum, b: top.threshold, target: top.lastTie))
    if let few = top.candidates { tile.put(few, background: background) }
  }

  /// Returns the probability of all other classes: 0, but NaN where the row has no probabilities.
  @inline(__always) private func normalize(_ tile: RowTile<V>, _ k: RowConstants<V>) -> V {
    var k = k
    k.c = V.one / tile.sum(k, keep: true) { e, k in term(e, k) }
    tile.map(k) { e, k in e.kept * k.c }
    return k.c * V.zero
  }

  @inline(__always) private func term(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(TopSelection.contains(e, k.b, k.target), exponential(e.x - k.a), V.zero)
  }
}

private struct Probabilities<V: Lanes>: SupportWeights {
  @inline(__always) func weight(_ p: V) -> V { p }
  /// Σ p is 1.
  @inline(__always) func divisor(_: V) -> V { V.one }
}
