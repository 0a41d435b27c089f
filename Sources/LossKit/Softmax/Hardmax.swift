/// One-hot of the largest score of each row; of several the one of the lowest class.
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. A row with NaN gives a row of NaN; infinities are scores like others.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - y: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: the operator Hardmax of ONNX.
func hardmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ y: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let y else { return .nullPointer }
  forEachRowTile(shape, RowArrays(first: z, second: z, perClass: nil, output: y), OneHotOfMaximum<S.Vector>())
  return .ok
}

private struct OneHotOfMaximum<V: Lanes>: RowVisitor {

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>(a: tile.maximum { V.select($0.x.isNaN, V.infinity, $0.x) })
    k.target = tile.lowestClass(k, where: { e, k in e.x .== k.a })
    if (k.a .== V.infinity).any {  // +inf or NaN
      let ofNaN = tile.lowestClass(k, where: { e, _ in e.x.isNaN })
      k.b = V.select(ofNaN .< V.Integers(tile.classes), V.nan, V.zero)
    }
    tile.map(k) { e, k in V.select(e.classes .== k.target, V.one, V.zero) + k.b }
  }
}
