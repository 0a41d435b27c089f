// Passes over a tile's rows in double precision, whatever the precision of the arrays: for sums that are subtracted from
// one another, and for powers that make much of an error in their base.

/// Numbers of eight rows, a lane each, or of one row in all lanes.
struct WideRow {
  var a = DoubleLanes.zero
  var b = DoubleLanes.zero
  var c = DoubleLanes.zero
  var d = DoubleLanes.zero
  var e = DoubleLanes.zero
  var f = DoubleLanes.zero
}

/// What a wide pass may know of each row: rows 0 ..< 8 of a tile in `low`, the others in `high`.
struct WideConstants<V: Lanes> {
  var low = WideRow()
  var high = WideRow()

  /// Is there a higher half?
  @inline(__always) static var hasHigh: Bool { V.count > DoubleLanes.count }

  /// Calls `body` with each half and the number of its first row.
  @inline(__always) mutating func forEachHalf(_ body: (inout WideRow, Int) -> Void) {
    body(&low, 0)
    if Self.hasHigh { body(&high, DoubleLanes.count) }
  }

  /// The same with what belongs to the rows: an array with one entry for each, widened.
  @inline(__always) mutating func forEachHalf(_ perRow: V, _ body: (inout WideRow, DoubleLanes) -> Void) {
    let (first, second) = perRow.doubles
    body(&low, first)
    if Self.hasHigh { body(&high, second) }
  }

  /// A number for each row, rounded.
  @inline(__always) func narrowed(_ number: (WideRow) -> DoubleLanes) -> V {
    V(number(low), Self.hasHigh ? number(high) : DoubleLanes.zero)
  }

  /// Stores the constants in `memory`: room for twelve vectors of doubles.
  @inline(__always) fileprivate func store(_ memory: UnsafeMutablePointer<Double>) {
    for half in 0..<(Self.hasHigh ? 2 : 1) {
      let row = half == 0 ? low : high
      let start = memory + 48 &* half
      row.a.store(start)
      row.b.store(start + 8)
      row.c.store(start + 16)
      row.d.store(start + 24)
      row.e.store(start + 32)
      row.f.store(start + 40)
    }
  }

  /// The constants of one row, in all lanes, from where they have been stored.
  @inline(__always) fileprivate static func ofRow(_ row: Int, _ memory: UnsafeMutablePointer<Double>) -> WideRow {
    let start = memory + (48 &* (row / DoubleLanes.count) &+ row % DoubleLanes.count)
    return WideRow(
      a: DoubleLanes(start[0]), b: DoubleLanes(start[8]), c: DoubleLanes(start[16]), d: DoubleLanes(start[24]),
      e: DoubleLanes(start[32]), f: DoubleLanes(start[40]))
  }
}

/// Two sums for each row.
struct WideSums {
  var first = DoubleLanes.zero
  var second = DoubleLanes.zero
}

/// What a wide pass computes of elements x of the first and y of the second input. Where a vector is not full, x is −inf
/// and y is 0: the terms of a sum have to be 0 then.
typealias WideTerms = (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> (DoubleLanes, DoubleLanes)

extension RowTile {
  /// Sums of two terms over each row.
  @inline(__always)
  func wideSums(_ constants: WideConstants<V>, _ terms: WideTerms) -> (low: WideSums, high: WideSums) {
    var result = (low: WideSums(), high: WideSums())
    forEachWideVector(constants) { x, y, _, _, k in
      result.low.add(terms(x.0, y.0, k.low))
      if WideConstants<V>.hasHigh { result.high.add(terms(x.1, y.1, k.high)) }
    } endLine: { row in
      if isAcross { return }
      put((result.low.first + result.high.first).sum, (result.low.second + result.high.second).sum, row)
      result = (low: WideSums(), high: WideSums())
    }
    return isAcross ? result : wideSumsOfRows
  }

  /// `output = value`.
  @inline(__always)
  func wideMap(
    _ constants: WideConstants<V>, _ value: (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> DoubleLanes
  ) {
    guard let output = arrays.output else { return }
    forEachWideVector(constants) { x, y, at, n, k in
      let low = value(x.0, y.0, k.low)
      V(low, WideConstants<V>.hasHigh ? value(x.1, y.1, k.high) : low).store(output + at, lanes: n)
    } endLine: { _ in
    }
  }

  /// The vectors of the tile as doubles, lower and upper half, with their place, their number of lanes and what is known
  /// of the rows of the halves.
  @inline(__always)
  private func forEachWideVector(
    _ constants: WideConstants<V>,
    _ body: (
      _ x: (DoubleLanes, DoubleLanes), _ y: (DoubleLanes, DoubleLanes), _ at: Int, _ lanes: Int, WideConstants<V>
    ) -> Void,
    endLine: (Int) -> Void
  ) {
    if !isAcross { constants.store(wideMemory) }
    for line in 0..<lines {
      var k = constants
      if !isAcross {
        k.low = WideConstants<V>.ofRow(line, wideMemory)
        k.high = k.low
      }
      Self.walk(self.line, from: line &* classes) { _, at, n in
        let x = V.load(arrays.first + at, lanes: n, fill: -.infinity).doubles
        let y = V.load(arrays.second + at, lanes: n).doubles
        body(x, y, at, n, k)
      } endRun: {
      }
      endLine(line)
    }
  }

  /// Room for twelve vectors of doubles, then for two sums of each row.
  private var wideMemory: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(constantsMemory).assumingMemoryBound(to: Double.self)
  }

  @inline(__always) private func put(_ first: Double, _ second: Double, _ row: Int) {
    wideMemory[96 &+ row] = first
    wideMemory[112 &+ row] = second
  }

  private var wideSumsOfRows: (low: WideSums, high: WideSums) {
    let sums = UnsafePointer(wideMemory + 96)
    return (
      low: WideSums(first: DoubleLanes.load(sums), second: DoubleLanes.load(sums + 16)),
      high: WideSums(first: DoubleLanes.load(sums + 8), second: DoubleLanes.load(sums + 24)))
  }
}

extension WideSums {
  @inline(__always) fileprivate mutating func add(_ terms: (DoubleLanes, DoubleLanes)) {
    first = first + terms.0
    second = second + terms.1
  }
}

extension RowTile {
  /// Sums of two terms over each row, handed over with the constants of the rows.
  @inline(__always)
  func withSums(_ k: inout WideConstants<V>, _ terms: WideTerms, _ body: (inout WideRow, WideSums, Int) -> Void) {
    let sums = wideSums(k, terms)
    k.forEachHalf { half, first in body(&half, first == 0 ? sums.low : sums.high, first) }
  }
}
