/// Softmax with a sink: a score of its own for each row that takes probability away, but gets no output.
///
///     p_i = e^{z_i − m} / (e^{s − m} + Σ_j e^{z_j − m}),   m = max(s, max z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf gives a row of
///     NaN.
///   - sink: s, one per row: 0 is "softmax-one", −inf is `softmax`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks.
func softmaxWithSink<S: Scalar>(
  _ z: UnsafePointer<S>?, _ sink: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let sink, let p else { return .nullPointer }
  mapRows(SinkSoftmax<S.Vector>(sink: sink), shape, z, output: p)
  return .ok
}

/// Vector-Jacobian product of softmax_with_sink.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩),   grad_sink = −p_s ⟨p, g⟩,   p_s = e^s / (e^s + Σ_j e^{z_j})
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`.
///   - sink: s, one per row.
///   - p: shaped as `z`, what `softmaxWithSink` returned.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself.
///   - gradSink: output, one per row.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func softmaxWithSinkVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ sink: UnsafePointer<S>?, _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?,
  _ outer: Int, _ classes: Int, _ inner: Int, _ gradZ: UnsafeMutablePointer<S>?, _ gradSink: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let sink, let p, let gradOutput, let gradZ, let gradSink else { return .nullPointer }
  mapRows(SinkSoftmaxVjp<S.Vector>(product: gradSink), shape, p, gradOutput, output: gradZ)
  forEachRowTile(
    shape, RowArrays(first: z, second: z, perClass: nil, output: nil),
    SinkProbability<S.Vector>(softmax: SinkSoftmax(sink: sink), gradSink: gradSink))
  return .ok
}

private struct SinkSoftmax<V: Lanes>: RowMap {
  let sink: UnsafePointer<V.Element>
  let exponential = ScaledExponential<V>(temperature: 1)
  static var keepsTerms: Bool { true }

  @inline(__always) func shift(_ maximum: V, _ rows: RowSlice) -> V { V.shift(V.max(maximum, rows.load(sink))) }
  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { exponential(e.x - m) }
  @inline(__always) func constants(_ m: V, _ sum: V, _ rows: RowSlice) -> (V, V) {
    (V.one / V.definedSum(sum + ofSink(m, rows)), V.zero)
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.kept * k.0 }

  /// e^{s − m}, with the rounding of s − m made good: unlike a class's it may stand alone, far below the largest.
  @inline(__always) func ofSink(_ m: V, _ rows: RowSlice) -> V {
    let difference = V.exactSum(rows.load(sink), -m)
    let e = V.exp(difference.sum)
    return V.fma(e, difference.error, e)
  }
}

/// Leaves ⟨p, g⟩ of each row in `product`.
private struct SinkSoftmaxVjp<V: Lanes>: RowMap {
  let product: UnsafeMutablePointer<V.Element>
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.x * e.y }
  @inline(__always) func constants(_: V, _ sum: V, _ rows: RowSlice) -> (V, V) {
    rows.store(sum, product)
    return (sum, V.zero)
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.x * (e.y - k.0) }
}

/// Turns ⟨p, g⟩ into −p_s ⟨p, g⟩.
private struct SinkProbability<V: Lanes>: RowVisitor {
  let softmax: SinkSoftmax<V>
  let gradSink: UnsafeMutablePointer<V.Element>

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let k = RowConstants<V>(a: softmax.shift(tile.maximum(), tile.rows))
    let sum = tile.sum(k, keep: false) { e, k in softmax.term(e, k.a) }
    let ofSink = softmax.ofSink(k.a, tile.rows)
    let product = tile.rows.load(UnsafePointer(gradSink))
    tile.rows.store(-(ofSink / V.definedSum(sum + ofSink)) * product, gradSink)
  }
}
