/// A map of rows: what `softmax` and its relatives state. The engine makes the passes it asks for.
///
///     maximum:  m = shift(max score(e))   (0 where it is not finite, so that x − m never is inf − inf)
///     sum:      s = Σ term(e, m)   over the elements e of the row
///     output:   output(e, k),  k = constants(m, s, rows)
protocol RowMap {
  associatedtype V: Lanes
  static var usesMaximum: Bool { get }
  static var usesSum: Bool { get }
  /// Keep the terms in the output array between the passes, for `output` to use.
  static var keepsTerms: Bool { get }
  /// Does the map have a second input?
  static var usesSecond: Bool { get }
  /// Is it so common that it is worth being compiled for each kind of tile?
  static var isCommon: Bool { get }
  /// Is the maximum that of a score? Else it is that of x.
  static var hasScore: Bool { get }
  func score(_ e: RowElements<V>) -> V
  /// What the maximum becomes: itself where it is finite, unless stated.
  func shift(_ maximum: V, _ rows: RowSlice) -> V
  func term(_ e: RowElements<V>, _ maximum: V) -> V
  /// Two numbers per row for `output`; `rows` says which rows they are, for maps with per-row inputs.
  func constants(_ maximum: V, _ sum: V, _ rows: RowSlice) -> (V, V)
  func output(_ e: RowElements<V>, _ k: (V, V)) -> V
}

extension RowMap {
  static var usesMaximum: Bool { true }
  static var usesSum: Bool { true }
  static var keepsTerms: Bool { false }
  static var usesSecond: Bool { false }
  static var isCommon: Bool { false }
  static var hasScore: Bool { false }
  @inline(__always) func score(_ e: RowElements<V>) -> V { e.x }
  @inline(__always) func shift(_ maximum: V, _: RowSlice) -> V { V.shift(maximum) }
  @inline(__always) func term(_ e: RowElements<V>, _ maximum: V) -> V { V.zero }
}

/// Applies a row map; `output` may be one of the inputs.
@inline(__always)
func mapRows<M: RowMap>(
  _ map: M, _ shape: RowShape, _ first: UnsafePointer<M.V.Element>, _ second: UnsafePointer<M.V.Element>? = nil,
  perClass: UnsafePointer<M.V.Element>? = nil, mask: UnsafePointer<UInt8>? = nil,
  output: UnsafeMutablePointer<M.V.Element>
) {
  forEachRowTile(
    shape, RowArrays(first: first, second: second ?? first, perClass: perClass, output: output, mask: mask),
    RowMapKernel(map: map))
}

/// The same with the arguments of a public function, which are checked first: `second` is required where the map reads it.
@inline(__always)
func mapRows<M: RowMap>(
  _ map: M, _ shape: (outer: Int, classes: Int, inner: Int), _ first: UnsafePointer<M.V.Element>?,
  _ second: UnsafePointer<M.V.Element>? = nil, output: UnsafeMutablePointer<M.V.Element>?
) -> Status {
  guard let shape = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let first, let output, !M.usesSecond || second != nil else { return .nullPointer }
  mapRows(map, shape, first, second, output: output)
  return .ok
}

struct RowMapKernel<M: RowMap>: RowVisitor {
  typealias V = M.V
  let map: M
  static var usesSecond: Bool { M.usesSecond }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    if M.isCommon { tile.specialized { apply($0) } } else { apply(tile) }
  }

  @inline(__always) private func apply(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    if M.usesMaximum { k.a = map.shift(M.hasScore ? tile.maximum { map.score($0) } : tile.maximum(), tile.rows) }
    var sum = V.zero
    if M.usesSum { sum = tile.sum(k, keep: M.keepsTerms, isCommon: M.isCommon) { e, k in map.term(e, k.a) } }
    (k.a, k.b) = map.constants(k.a, sum, tile.rows)
    tile.map(k, isCommon: M.isCommon) { e, k in map.output(e, (k.a, k.b)) }
  }
}

extension Lanes {
  /// A row's maximum as a shift of its exponents: 0 where it is not finite.
  @inline(__always) static func shift(_ maximum: Self) -> Self {
    select(maximum.magnitude .< infinity, maximum, zero)
  }

  /// A row's sum of shifted exponentials; NaN where the row had +inf, which makes its probabilities undefined.
  @inline(__always) static func definedSum(_ sum: Self) -> Self { select(sum .== infinity, nan, sum) }
}
