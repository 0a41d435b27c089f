/// An index of few boxes by their centres, as bits: for a range of x and one of y, the boxes whose centres are in both
/// are four conjunctions of words, for 64 boxes at once.
///
/// The plane is cut into columns of equal width, and into rows. Row c of `left` has bit b set if the centre of box b
/// lies in a column before c; so the columns from c to d have the boxes `left[d + 1] & ~left[c]`.
struct CenterGrid<S: Scalar> {
  typealias V = S.Vector
  /// The most boxes that it takes: beyond, words without a bit would be most of the work.
  static var capacity: Int { 1024 }
  private static var largestColumns: Int { 64 }

  private let left, below: UnsafeMutablePointer<UInt64>
  /// By box: where the row of `left` for the column of its centre begins, with that of `below` in the upper half; and
  /// where those for the ends of its ranges begin, −1 for boxes that are not active.
  private let cell, columnRange, rowRange: UnsafeMutablePointer<Int64>
  /// Boxes that are candidates, as bits.
  private let candidates: UnsafeMutablePointer<UInt64>
  private var words = 0
  /// Words from one row of `left` to the next, as a power of two.
  private var strideShift = 0

  init(_ arena: inout Arena, capacity: Int) {
    let count = Swift.min(capacity, Self.capacity)
    let words = (count &+ 63) / 64
    let size = (Self.largestColumns &+ 1) &<< Self.strideShift(words)
    left = arena.take(UInt64.self, size)
    below = arena.take(UInt64.self, size)
    // The same in both precisions, so that what doubles need suffices for floats.
    cell = arena.take(Int64.self, count &+ FloatLanes.count)
    columnRange = arena.take(Int64.self, count &+ FloatLanes.count)
    rowRange = arena.take(Int64.self, count &+ FloatLanes.count)
    candidates = arena.take(UInt64.self, words)
  }

  private static func strideShift(_ words: Int) -> Int {
    words <= 1 ? 0 : Int.bitWidth &- (words &- 1).leadingZeroBitCount
  }

  /// Indexes boxes of `reach`.
  mutating func build(_ boxes: BoxColumns<S>, _ group: Range<Int>, _ reach: CenterReach<S>) {
    words = (group.count &+ 63) / 64
    strideShift = Self.strideShift(words)
    let columns = group.count > 64 ? Self.largestColumns : Self.largestColumns / 2
    left.update(repeating: 0, count: (columns &+ 1) &<< strideShift)
    below.update(repeating: 0, count: (columns &+ 1) &<< strideShift)
    candidates.update(repeating: 0, count: words)

    var low = (x: V.infinity, y: V.infinity)
    var high = (x: -V.infinity, y: -V.infinity)
    forEachVector(V.self, group) { i, n in
      let lanes = boxes.load(i)
      let isActive = lanes.isActive & V.Integers.first(n)
      let (x, y) = (lanes.x1 + lanes.x2, lanes.y1 + lanes.y2)
      low = (V.min(V.select(isActive, x, V.infinity), low.x), V.min(V.select(isActive, y, V.infinity), low.y))
      high = (V.max(V.select(isActive, x, -V.infinity), high.x), V.max(V.select(isActive, y, -V.infinity), high.y))
    }
    let xs = GridAxis<V>(low.x.minimum, high.x.maximum, columns)
    let ys = GridAxis<V>(low.y.minimum, high.y.maximum, columns)
    forEachVector(V.self, group) { i, n in
      let lanes = boxes.load(i)
      let box = i &- group.lowerBound
      let isActive = lanes.isActive & V.Integers.first(n)
      let (x, y) = reach.centers(lanes)
      xs.range(x, strideShift, isActive).store(columnRange + box)
      ys.range(y, strideShift, isActive).store(rowRange + box)
      let (column, row) = (xs.first(lanes.x1 + lanes.x2), ys.first(lanes.y1 + lanes.y2))
      (column | row.shiftedLeft(half)).shiftedLeft(strideShift).store(cell + box)
      candidates[box / 64] |= UInt64(isActive.maskBits) &<< UInt64(truncatingIfNeeded: box & 63)
    }
    for word in 0..<words {
      var bits = candidates[word]
      while bits != 0 {
        let place = Int(cell[64 &* word &+ bits.trailingZeroBitCount])
        let bit = bits & (0 &- bits)
        let next = (1 &<< strideShift) &+ word
        left[(place & lowerHalf) &+ next] |= bit
        below[(place &>> half) &+ next] |= bit
        bits &= bits &- 1
      }
    }
    for word in 0..<words {
      var (before, under) = (0 as UInt64, 0 as UInt64)
      for column in 1...columns {
        let place = column &<< strideShift &+ word
        before |= left[place]
        under |= below[place]
        left[place] = before
        below[place] = under
      }
    }
  }

  /// Calls `body(first)` for vectors of boxes that together hold all candidates behind `box` in its ranges; candidates
  /// whose bits it returns are none from then on, and `removed` is told of them. Nothing if the box is not active.
  @inline(__always)
  func forEachBlock(behind box: Int, _ body: (Int) -> UInt32, removed: (Int) -> Void) {
    if columnRange[box] < 0 { return }
    let reach = Reach(self, box)
    var behind = ~1 &<< UInt64(truncatingIfNeeded: box & 63)
    for word in (box / 64)..<words {
      visit(word, reach.bits(word) & behind, body, removed: removed)
      behind = ~0
    }
  }

  @inline(__always)
  private func visit(_ word: Int, _ reached: UInt64, _ body: (Int) -> UInt32, removed: (Int) -> Void) {
    let block = (1 &<< UInt64(truncatingIfNeeded: V.count)) &- 1 as UInt64
    var bits = reached & candidates[word]
    while bits != 0 {
      let shift = bits.trailingZeroBitCount & ~(V.count &- 1)
      var hits = UInt64(body(64 &* word &+ shift)) &<< UInt64(truncatingIfNeeded: shift) & bits
      candidates[word] &= ~hits
      while hits != 0 {
        removed(64 &* word &+ hits.trailingZeroBitCount)
        hits &= hits &- 1
      }
      bits &= ~(block &<< UInt64(truncatingIfNeeded: shift))
    }
  }

  /// The columns and rows of the ranges of a box.
  private struct Reach {
    private let x, y: (UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<UInt64>)

    @inline(__always)
    init(_ grid: CenterGrid, _ box: Int) {
      let (columns, rows) = (Int(grid.columnRange[box]), Int(grid.rowRange[box]))
      x = (grid.left + (columns & lowerHalf), grid.left + columns &>> half)
      y = (grid.below + (rows & lowerHalf), grid.below + rows &>> half)
    }

    /// The boxes of a word whose centres are in both ranges.
    @inline(__always) func bits(_ word: Int) -> UInt64 { x.1[word] & ~x.0[word] & y.1[word] & ~y.0[word] }
  }
}

/// Where the upper one of two numbers in one begins, and the bits of the lower.
private var half: Int { 16 }
private var lowerHalf: Int { 1 &<< half &- 1 }

/// One axis of a grid: numbers to columns, monotonically.
private struct GridAxis<V: Lanes> {
  private let low, scale, highest: V

  init(_ low: V.Element, _ high: V.Element, _ columns: Int) {
    let width = high - low
    self.low = V(low)
    scale = V(width > 0 && width < .infinity ? V.Element(columns) / width : 0)
    highest = V(V.Element(columns &- 1))
  }

  /// The column of a number; the first for NaN, and of what is outside the first or the last.
  @inline(__always) func first(_ x: V) -> V.Integers { V.min(V.max((x - low) * scale, V.zero), highest).truncated }
  /// The one behind it, but behind the last for NaN.
  @inline(__always)
  func end(_ x: V) -> V.Integers { (V.max(V.min((x - low) * scale, highest), V.zero) + V.one).truncated }

  /// Where the rows for the first column of a range and for the one behind its last begin, in the halves of a number;
  /// −1 where it is not wanted.
  @inline(__always)
  func range(_ x: (low: V, high: V), _ strideShift: Int, _ isWanted: V.Integers) -> V.Integers {
    let ends = first(x.low) | end(x.high).shiftedLeft(half)
    return V.Integers.select(isWanted, ends.shiftedLeft(strideShift), V.Integers(-1))
  }
}
