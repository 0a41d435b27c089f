// Confidences in ascending order, each with one bit: was it a hit? What needs no rows sorts half the bytes, and, since
// the order comes in two moves, only those cells in which it matters.

/// A confidence ≥ 0 with its hit, in one integer.
struct HitKey<C: Scalar>: KeyedItem {
  private let code: C.Bits

  @inline(__always) init(_ confidence: C, isHit: Bool) {
    code = (confidence + 0).bitPattern &<< 1 | (isHit ? 1 : 0)  // −0 + 0 is 0
  }
  @inline(__always) var key: C.Bits { code &>> 1 }
  @inline(__always) var confidence: C { C(bitPattern: key) }
  @inline(__always) var hit: Double { Double(Int32(truncatingIfNeeded: code & 1)) }
}

/// Confidences in cells of equal width, from the lowest cell to the highest; in its cell each stands where it came, until
/// the cell is sorted.
struct ConfidenceCells<C: Scalar> {
  typealias Item = HitKey<C>
  private let given: UnsafeMutablePointer<Item>
  private let placed: UnsafeMutablePointer<Item>
  private let ends: UnsafeMutablePointer<UInt32>
  private let counts: UnsafeMutablePointer<UInt32>

  /// The most cells that there can be.
  static var limit: Int { 2049 }

  init(_ arena: inout Arena, capacity: Int) {
    given = arena.take(Item.self, capacity)
    placed = arena.take(Item.self, capacity)
    ends = arena.take(UInt32.self, Self.limit)
    counts = arena.take(UInt32.self, RadixSort<Item>.countsNeeded)
  }

  /// How many cells there are.
  private(set) var count = 0

  /// All of them, cell by cell.
  var items: UnsafePointer<Item> { UnsafePointer(placed) }

  /// Where a cell's confidences are.
  @inline(__always) func range(_ cell: Int) -> Range<Int> {
    Range(uncheckedBounds: (cell == 0 ? 0 : Int(ends[cell &- 1]), Int(ends[cell])))
  }

  @inline(__always) func set(_ k: Int, _ confidence: C, isHit: Bool) { given[k] = Item(confidence, isHit: isHit) }

  /// Looks through all rows, of one view.
  mutating func take(_ rows: ConfidenceRows<C>) -> Status {
    typealias V = C.Vector
    let codes = UnsafeMutableRawPointer(given).assumingMemoryBound(to: C.self)
    let laneBits = V.one.scaled(V(V.Integers.indices)).truncated
    let status = rows.forEachTile(0..<rows.count) { _, tile in
      let isHit = V.Integers(Int(tile.hits)) & laneBits .== laneBits
      let code = (tile.confidence + V.zero).bits.shiftedLeft(1) &- isHit  // a true mask is −1
      V(bits: code).store(codes + tile.row, lanes: tile.count)
    }.status
    if status == .ok { place(rows.count) }
    return status
  }

  /// Moves the first `n` that were set to their cells.
  mutating func place(_ n: Int) {
    let width = min(max(n / 256, 1), Self.limit &- 1)
    count = width &+ 1
    ends.update(repeating: 0, count: count)
    for k in 0..<n { ends[cell(given[k])] &+= 1 }
    var sum: UInt32 = 0
    for cell in 0..<count {
      let here = ends[cell]
      ends[cell] = sum
      sum &+= here
    }
    for k in 0..<n {
      let end = ends + cell(given[k])
      placed[Int(end.pointee)] = given[k]
      end.pointee &+= 1
    }
  }

  /// ⌊confidence · width⌉, the last cell for what is above 1.
  @inline(__always) private func cell(_ item: Item) -> Int {
    // Added to a number whose lowest bit is worth 1, an integer is its lowest bits.
    let unit = C(Double(1 &<< C.significandBitCount))
    let scaled = (item.confidence < 1 ? item.confidence : 1) * C(Double(count &- 1)) + unit
    return Int(truncatingIfNeeded: scaled.bitPattern &- unit.bitPattern)
  }

  /// Calls `body(confidences, hits)` for a cell, eight at a time; behind the last both are 0.
  @inline(__always) func forEachEight(in cell: Int, _ body: (DoubleLanes, DoubleLanes) -> Void) {
    typealias V = C.Vector
    let codes = UnsafeRawPointer(placed).assumingMemoryBound(to: C.self)
    forEachVector(DoubleLanes.self, range(cell)) { k, n in
      let code = V.load(codes + k, lanes: n).bits
      let hit = V.select(code & V.Integers(1) .== V.Integers(1), V.one, V.zero)
      body(V(bits: code.shiftedRightLogical(1)).doubles.0, hit.doubles.0)
    }
  }

  /// Sorts a cell; equal confidences stay in the order that they had.
  func sort(_ cell: Int) {
    let range = range(cell)
    let own = placed + range.lowerBound
    let sorted = RadixSort(items: own, spare: given + range.lowerBound, counts: counts).sort(range.count)
    if sorted != own { for k in 0..<range.count { own[k] = sorted[k] } }
  }

  /// Sorts all, and returns them.
  func sorted() -> UnsafePointer<Item> {
    for cell in 0..<count { sort(cell) }
    return items
  }
}

/// Runs `body` on the confidences of the top-label or the binary view (`classes` = 0) in cells; the rest is as in
/// `withConfidenceRows`.
@inline(__always)
func withConfidenceCells<S: Scalar, Layout>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  layout: (inout Arena) -> Layout, whenEmpty: () -> Void, _ body: (ConfidenceCells<S>, Layout) -> Void
) -> Status {
  withConfidenceRows(
    probs, y, count, classes, layout: { (cells: ConfidenceCells<S>(&$0, capacity: count), rest: layout(&$0)) },
    whenEmpty: whenEmpty
  ) { rows, memory in
    let status = memory.cells.take(rows)
    if status == .ok { body(memory.cells, memory.rest) }
    return status
  }
}
