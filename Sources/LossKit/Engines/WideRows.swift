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
  @inline(__always) fileprivate static func ofRow(_ row: Int, _ memory: UnsafeMutablePointer<Double>) -> WideConstants {
    let start = memory + (48 &* (row / DoubleLanes.count) &+ row % DoubleLanes.count)
    let row = WideRow(
      a: DoubleLanes(start[0]), b: DoubleLanes(start[8]), c: DoubleLanes(start[16]), d: DoubleLanes(start[24]),
      e: DoubleLanes(start[32]), f: DoubleLanes(start[40]))
    return WideConstants(low: row, high: row)
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
  // Both passes call their formula themselves: in a walk that they shared it would be a closure's closure, which is not
  // inlined.

  /// Sums of two terms over each row.
  @inline(__always)
  func wideSums(_ constants: WideConstants<V>, _ terms: WideTerms) -> (low: WideSums, high: WideSums) {
    var low = WideSums(), high = WideSums()
    let line = self.line
    if !isAcross { constants.store(wideMemory) }
    for number in 0..<lines {
      let k = isAcross ? constants : WideConstants.ofRow(number, wideMemory)
      low = WideSums()
      high = WideSums()
      var c = 0, at = number &* classes
      while c < classes {
        let n = c < line.whole ? line.lanes : line.rest
        let x = V.load(arrays.first + at, lanes: n, fill: -.infinity).doubles
        let y = V.load(arrays.second + at, lanes: n).doubles
        low.add(terms(x.0, y.0, k.low))
        if WideConstants<V>.hasHigh { high.add(terms(x.1, y.1, k.high)) }
        c &+= line.step
        at &+= line.stride
      }
      if !isAcross { put((low.first + high.first).sum, (low.second + high.second).sum, number) }
    }
    return isAcross ? (low, high) : wideSumsOfRows
  }

  /// `output = value`.
  @inline(__always)
  func wideMap(
    _ constants: WideConstants<V>, _ value: (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> DoubleLanes
  ) {
    guard let output = arrays.output else { return }
    let line = self.line
    if !isAcross { constants.store(wideMemory) }
    for number in 0..<lines {
      let k = isAcross ? constants : WideConstants.ofRow(number, wideMemory)
      var c = 0, at = number &* classes
      while c < classes {
        let n = c < line.whole ? line.lanes : line.rest
        let x = V.load(arrays.first + at, lanes: n).doubles
        let y = V.load(arrays.second + at, lanes: n).doubles
        let low = value(x.0, y.0, k.low)
        V(low, WideConstants<V>.hasHigh ? value(x.1, y.1, k.high) : low).store(output + at, lanes: n)
        c &+= line.step
        at &+= line.stride
      }
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
