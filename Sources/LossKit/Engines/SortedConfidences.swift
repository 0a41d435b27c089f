// Confidences in ascending order, with their hits: for bins of equal mass and for measures that need no bins.

/// Confidences in ascending order, equal ones in the order of their rows.
struct SortedConfidences<C: Scalar> {
  fileprivate let items: UnsafePointer<SortItem<C.Bits>>
  let count: Int

  @inline(__always) func confidence(_ k: Int) -> Double { C(ascendingKey: items[k].key).double }
  @inline(__always) func isHit(_ k: Int) -> Bool { items[k].index >> 31 == 1 }
  @inline(__always) func hit(_ k: Int) -> Double { isHit(k) ? 1 : 0 }
  /// How many are below x.
  func rank(_ x: Double) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low &+ (high &- low) / 2
      if confidence(middle) < x { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
  @inline(__always) func row(_ k: Int) -> Int { Int(items[k].index & ~(1 << 31)) }
}

/// Sorts up to `capacity` confidences of type C; the memory is the arena's, four keys and indices' worth each.
struct ConfidenceSorter<C: Scalar> {
  private let sorter: Sorter<C.Bits>

  init(_ arena: inout Arena, capacity: Int) { sorter = Sorter(&arena, capacity: capacity) }

  @inline(__always) func set(_ k: Int, _ confidence: C, row: Int, isHit: Bool) {
    sorter.items[k] = SortItem(
      key: confidence.ascendingKey, index: UInt32(truncatingIfNeeded: row) | (isHit ? 1 << 31 : 0))
  }

  /// Sorts the first `count` that were set.
  func sorted(_ count: Int) -> SortedConfidences<C> { SortedConfidences(items: UnsafePointer(sorter.sort(count)), count: count) }

  /// Looks through all rows; has to come before their views are sorted.
  func take(_ rows: ConfidenceRows<C>) -> Status {
    rows.forEachTile(0..<rows.count) { _, tile in
      if rows.views == 1 { set(tile) }
    }.status
  }

  /// A view of the rows that were taken, without confidences below the threshold.
  func sorted(_ rows: ConfidenceRows<C>, view: Int, from threshold: Double = 0) -> SortedConfidences<C> {
    if rows.views == 1, threshold <= 0 { return sorted(rows.count) }
    var kept = 0
    for row in 0..<rows.count {
      let confidence = rows.probs[row &* rows.columns &+ view]
      if confidence.double < threshold { continue }
      set(kept, confidence, row: row, isHit: rows.isHit(row, view))
      kept &+= 1
    }
    return sorted(kept)
  }

  @inline(__always) private func set(_ tile: ConfidenceTile<C.Vector>) {
    withUnsafeTemporaryAllocation(of: C.self, capacity: C.Vector.count) { lanes in
      let confidences = lanes.baseAddress!
      tile.confidence.store(confidences)
      for lane in 0..<tile.count {
        let row = tile.row &+ lane
        set(row, confidences[lane], row: row, isHit: tile.hits >> UInt32(lane) & 1 == 1)
      }
    }
  }
}

/// Runs `body` on the sorted confidences of the top-label or the binary view (`classes` = 0); the rest is as in
/// `withConfidenceRows`.
@inline(__always)
func withSortedConfidences<S: Scalar, Layout>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  layout: (inout Arena) -> Layout, whenEmpty: () -> Void, _ body: (SortedConfidences<S>, Layout) -> Void
) -> Status {
  withConfidenceRows(
    probs, y, count, classes,
    layout: { (sorter: ConfidenceSorter<S>(&$0, capacity: count), rest: layout(&$0)) }, whenEmpty: whenEmpty
  ) { rows, memory in
    let status = memory.sorter.take(rows)
    if status == .ok { body(memory.sorter.sorted(rows, view: 0), memory.rest) }
    return status
  }
}

/// Runs `body` on the rows of the top-label or the binary view (`classes` = 0), after the checks that every exported
/// function makes; their numbers are not looked at yet.
///
/// - Parameters:
///   - layout: the memory that the body needs.
///   - whenEmpty: runs instead of the body where there are no rows.
@inline(__always)
func withConfidenceRows<S: Scalar, Layout>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  layout: (inout Arena) -> Layout, whenEmpty: () -> Void, _ body: (ConfidenceRows<S>, inout Layout) -> Status
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard count <= largestSortCount else { return .invalidShape }
  guard count > 0, let probs, let y else {
    whenEmpty()
    return .ok
  }
  return withWorkspace(layout: layout) {
    body(ConfidenceRows(probs, y, count, classes: classes, isTopLabel: true), &$0)
  }
}
