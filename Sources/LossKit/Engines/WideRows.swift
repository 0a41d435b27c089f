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

  /// Calls `body` with a function that gives the constants of one row, in all lanes.
  @inline(__always) fileprivate func withRows<R>(_ body: ((Int) -> WideRow) -> R) -> R {
    var storage = InlineArray<104, UInt64>(repeating: 0)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      let lanes = aligned(bytes.baseAddress!).assumingMemoryBound(to: Double.self)
      for half in 0..<(Self.hasHigh ? 2 : 1) {
        let row = half == 0 ? low : high
        let start = lanes + 48 &* half
        row.a.store(start)
        row.b.store(start + 8)
        row.c.store(start + 16)
        row.d.store(start + 24)
        row.e.store(start + 32)
        row.f.store(start + 40)
      }
      return body { row in
        let start = lanes + (48 &* (row / DoubleLanes.count) &+ row % DoubleLanes.count)
        return WideRow(
          a: DoubleLanes(start[0]), b: DoubleLanes(start[8]), c: DoubleLanes(start[16]), d: DoubleLanes(start[24]),
          e: DoubleLanes(start[32]), f: DoubleLanes(start[40]))
      }
    }
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

extension LongRows {
  @inline(__always)
  func wideSums(_ constants: WideConstants<V>, _ terms: WideTerms) -> (low: WideSums, high: WideSums) {
    var result = (low: WideSums(), high: WideSums())
    constants.withRows { constantsOf in
      for row in 0..<count {
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        var low = WideSums(), high = WideSums()
        forEachVector(V.self, 0..<classes) { c, n in
          let x = V.load(arrays.first + (start &+ c), lanes: n, fill: -.infinity).doubles
          let y = V.load(arrays.second + (start &+ c), lanes: n).doubles
          low.add(terms(x.0, y.0, k))
          if WideConstants<V>.hasHigh { high.add(terms(x.1, y.1, k)) }
        }
        let lane = row % DoubleLanes.count
        if row < DoubleLanes.count {
          result.low.first[lane] = (low.first + high.first).sum
          result.low.second[lane] = (low.second + high.second).sum
        } else {
          result.high.first[lane] = (low.first + high.first).sum
          result.high.second[lane] = (low.second + high.second).sum
        }
      }
    }
    return result
  }

  @inline(__always)
  func wideMap(
    _ constants: WideConstants<V>, _ value: (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> DoubleLanes
  ) {
    guard let output = arrays.output else { return }
    constants.withRows { constantsOf in
      for row in 0..<count {
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        forEachVector(V.self, 0..<classes) { c, n in
          let x = V.load(arrays.first + (start &+ c), lanes: n).doubles
          let y = V.load(arrays.second + (start &+ c), lanes: n).doubles
          let low = value(x.0, y.0, k)
          V(low, WideConstants<V>.hasHigh ? value(x.1, y.1, k) : low).store(output + (start &+ c), lanes: n)
        }
      }
    }
  }
}

extension ColumnRows {
  @inline(__always)
  func wideSums(_ constants: WideConstants<V>, _ terms: WideTerms) -> (low: WideSums, high: WideSums) {
    var result = (low: WideSums(), high: WideSums())
    for c in 0..<classes {
      let x = V.load(arrays.first + c &* stride, lanes: count, fill: -.infinity).doubles
      let y = V.load(arrays.second + c &* stride, lanes: count).doubles
      result.low.add(terms(x.0, y.0, constants.low))
      if WideConstants<V>.hasHigh { result.high.add(terms(x.1, y.1, constants.high)) }
    }
    return result
  }

  @inline(__always)
  func wideMap(
    _ constants: WideConstants<V>, _ value: (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> DoubleLanes
  ) {
    guard let output = arrays.output else { return }
    for c in 0..<classes {
      let x = V.load(arrays.first + c &* stride, lanes: count).doubles
      let y = V.load(arrays.second + c &* stride, lanes: count).doubles
      let low = value(x.0, y.0, constants.low)
      V(low, WideConstants<V>.hasHigh ? value(x.1, y.1, constants.high) : low)
        .store(output + c &* stride, lanes: count)
    }
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
