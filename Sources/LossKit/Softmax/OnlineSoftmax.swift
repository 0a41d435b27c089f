/// Maximum and shifted sum of exponentials of each row: what a softmax needs to know of a part of its row.
///
///     m = max z,   s = Σ_j e^{z_j − m}
///
/// Parts are joined by `onlineSoftmaxMerge`; softmax is e^{z − m} / s.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. A row of −inf gives (−inf, 0); one with NaN gives NaN, one with +inf (inf, NaN).
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - m: output, one per row.
///   - s: output, one per row.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Milakov & Gimelshein 2018, Online normalizer calculation for softmax.
func onlineSoftmaxStats<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ m: UnsafeMutablePointer<S>?,
  _ s: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let m, let s else { return .nullPointer }
  forEachRowTile(shape, RowArrays(first: z, second: z, perClass: nil, output: nil), Statistics<S.Vector>(m: m, s: s))
  return .ok
}

/// Joins the statistics of two parts of rows.
///
///     m = max(m_a, m_b),   s = s_a e^{m_a − m} + s_b e^{m_b − m}
///
/// (−inf, 0) is the statistic of nothing.
///
/// - Parameters:
///   - mA: `[count]`, maxima of the first parts.
///   - sA: `[count]`, their sums.
///   - mB: `[count]`, maxima of the second parts.
///   - sB: `[count]`, their sums.
///   - count: number of rows, ≥ 0.
///   - m: output, `[count]`; may be one of the inputs.
///   - s: output, `[count]`; may be one of the inputs.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Milakov & Gimelshein 2018, Online normalizer calculation for softmax.
func onlineSoftmaxMerge<S: Scalar>(
  _ mA: UnsafePointer<S>?, _ sA: UnsafePointer<S>?, _ mB: UnsafePointer<S>?, _ sB: UnsafePointer<S>?, _ count: Int,
  _ m: UnsafeMutablePointer<S>?, _ s: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let mA, let sA, let mB, let sB, let m, let s else { return .nullPointer }
  let split = Split(count, smallest: smallestElementwisePart, multiple: S.Vector.count)
  parallel(split.parts, MergeJob<S.Vector>(mA: mA, sA: sA, mB: mB, sB: sB, m: m, s: s, split: split))
  return .ok
}

private struct Statistics<V: Lanes>: RowVisitor {
  let m, s: UnsafeMutablePointer<V.Element>

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let exponential = ScaledExponential<V>(temperature: 1)
    let maximum = tile.maximum()
    let sum = tile.sum(RowConstants(a: V.shift(maximum)), keep: false) { e, k in exponential(e.x - k.a) }
    tile.rows.store(V.select(sum.isNaN, sum, maximum), m)  // the maximum ignores NaN, the sum does not
    tile.rows.store(V.definedSum(sum), s)
  }
}

private struct MergeJob<V: Lanes>: ParallelJob {
  let mA, sA, mB, sB: UnsafePointer<V.Element>
  let m, s: UnsafeMutablePointer<V.Element>
  let split: Split

  @inline(__always) func run(part: Int) {
    forEachVector(V.self, split.range(part)) { i, n in
      let a = V.load(mA + i, lanes: n), b = V.load(mB + i, lanes: n)
      let maximum = V.select(a.isNaN, a, V.max(a, b))
      let sum = V.load(sA + i, lanes: n) * V.exp(a - maximum) + V.load(sB + i, lanes: n) * V.exp(b - maximum)
      V.select(maximum .== -V.infinity, V.zero, sum).store(s + i, lanes: n)
      maximum.store(m + i, lanes: n)
    }
  }
}
