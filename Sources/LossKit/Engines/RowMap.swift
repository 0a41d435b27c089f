/// A map of rows: what `softmax` and its relatives state. The engine makes the passes it asks for.
///
///     maximum:  m = max x          (0 where the row has no finite maximum, so that x − m never is inf − inf)
///     sum:      s = Σ term(x, y, m)
///     output:   output(x, y, term, k),  k = constants(m, s)
protocol RowMap {
  associatedtype V: Lanes
  static var usesMaximum: Bool { get }
  static var usesSum: Bool { get }
  /// Keep the terms in the output array between the passes, for `output` to use.
  static var keepsTerms: Bool { get }
  /// Does the map have two inputs?
  static var usesSecond: Bool { get }
  func term(_ x: V, _ y: V, _ maximum: V) -> V
  func constants(_ maximum: V, _ sum: V) -> (V, V)
  func output(_ x: V, _ y: V, _ term: V, _ k: (V, V)) -> V
}

extension RowMap {
  static var usesMaximum: Bool { true }
  static var usesSum: Bool { true }
  static var keepsTerms: Bool { false }
  static var usesSecond: Bool { false }
}

/// Applies a row map; `output` may be one of the inputs.
@inline(__always)
func mapRows<M: RowMap>(
  _ map: M, _ shape: RowShape, _ first: UnsafePointer<M.V.Element>, _ second: UnsafePointer<M.V.Element>,
  _ output: UnsafeMutablePointer<M.V.Element>
) {
  forEachRowTile(shape, RowArrays(first: first, second: second, output: output), RowMapKernel(map: map))
}

extension Lanes {
  /// A row's maximum as a shift of its exponents: 0 where it is not finite.
  @inline(__always) static func shift(_ maximum: Self) -> Self {
    select(maximum.magnitude .< infinity, maximum, zero)
  }

  /// `1/sum` of a row's exponentials; NaN where the row had +inf, which makes its probabilities undefined.
  @inline(__always) static func reciprocalOfSum(_ sum: Self) -> Self { select(sum .== infinity, nan, one / sum) }
}

private struct RowMapKernel<M: RowMap>: RowKernel {
  typealias V = M.V
  let map: M
  static var usesSecond: Bool { M.usesSecond }
  var empty: Void { () }

  @inline(__always) func run<Tile: RowTile>(_ tile: Tile, _ partial: inout Void) where Tile.V == M.V {
    var k = RowConstants<V>()
    if M.usesMaximum { k.a = V.shift(tile.maximum()) }
    var sum = V.zero
    if M.usesSum { sum = tile.sum(k, keep: M.keepsTerms) { x, y, _, k in map.term(x, y, k.a) } }
    (k.a, k.b) = map.constants(k.a, sum)
    tile.map(k) { x, y, term, _, k in map.output(x, y, term, (k.a, k.b)) }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
