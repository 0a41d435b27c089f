/// Relative signal strength: how much of the advantage that the true class has in clean posteriors is left in those of
/// noisy labels.
///
///     M = min_j (max_k q_k − q_j) / (max_k p_k − p_j)     (+inf where the denominator is 0)
///
/// - Parameters:
///   - pClean: p, posteriors of clean labels, `[outer, classes, inner]`.
///   - pNoisy: q, posteriors of noisy labels, shaped as `pClean`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - strength: output, one per row, ≥ 0: 0 where no best class of q is one of p, +inf where all of p are equal, NaN
///     where p or q hold NaN or +inf.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Zhu et al. 2024, Label Noise: Ignorance Is Bliss.
func relativeSignalStrength<S: Scalar>(
  _ pClean: UnsafePointer<S>?, _ pNoisy: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ strength: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let pClean, let pNoisy, let strength else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: pClean, second: pNoisy, perClass: nil, output: nil),
    SignalStrength<S.Vector>(strength: strength))
  return .ok
}

private struct SignalStrength<V: Lanes>: RowKernel {
  let strength: UnsafeMutablePointer<V.Element>
  static var usesSecond: Bool { true }
  var empty: Void { () }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    // Maxima ignore NaN: as +inf it shows.
    @inline(__always) func shown(_ x: V) -> V { V.select(x .< V.infinity, x, V.infinity) }
    var k = RowConstants<V>()
    k.a = tile.maximum { shown($0.x) }
    k.b = tile.maximum { shown($0.y) }
    let negative = tile.maximum(k) { e, k in
      let clean = k.a - e.x
      return V.select(clean .== V.zero, -V.infinity, (e.y - k.b) / clean)
    }
    let isDefined = V.max(k.a, k.b) .< V.infinity
    V.select(isDefined, V.zero - negative, V.nan).store(strength + tile.firstRow, first: tile.count)
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
