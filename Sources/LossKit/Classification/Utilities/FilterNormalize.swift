/// Which norms `filterNormalize` makes equal.
enum FilterNormalization: Int32 {
  /// That of each row.
  case filter = 0
  /// That of the whole array.
  case layer = 1
}

/// Scales a random direction in weight space as the weights are scaled, filter by filter: for plots of loss landscapes.
///
///     out_f = d_f |w_f| / (|d_f| + eps)     (0 where the denominator is 0)
///
/// - Parameters:
///   - direction: d, `[filters, width]`. (Those of biases and batch norms are 0 by convention.)
///   - weight: w, shaped as `direction`.
///   - filters: ≥ 0.
///   - width: entries of a filter, ≥ 0.
///   - mode: norms of rows, the default, or of the whole layer.
///   - eps: ≥ 0, default 1e-10.
///   - out: output, shaped as `direction`; may be `direction` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Li et al. 2018, Visualizing the Loss Landscape of Neural Nets.
func filterNormalize<S: Scalar>(
  _ direction: UnsafePointer<S>?, _ weight: UnsafePointer<S>?, _ filters: Int, _ width: Int,
  _ mode: FilterNormalization, _ eps: Double, _ out: UnsafeMutablePointer<S>?
) -> Status {
  guard let count = elementCount(filters, width) else { return .invalidShape }
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let shape = mode == .filter ? RowShape(filters, width, 1) : RowShape(1, count, 1) else { return .invalidShape }
  guard let direction, let weight, let out else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: direction, second: weight, perClass: nil, output: out),
    EqualNorms<S.Vector>(eps: S.Vector(eps)))
  return .ok
}

private struct EqualNorms<V: Lanes>: RowKernel {
  let eps: V
  static var usesSecond: Bool { true }
  var empty: Void { () }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    var k = RowConstants<V>()
    let wanted = tile.sum(k, keep: false) { e, _ in e.y * e.y }.squareRoot
    let denominator = tile.sum(k, keep: false) { e, _ in e.x * e.x }.squareRoot + eps
    k.a = V.select(denominator .== V.zero, V.zero, wanted / denominator)
    tile.map(k) { e, k in e.x * k.a }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
