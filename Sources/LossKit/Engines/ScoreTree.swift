/// A tree over blocks of boxes: each node knows the bounds of its boxes, and the best of them.
///
/// A node has as many children as a vector has lanes; the children of a node are one vector. Level 0 are the blocks,
/// level l has the nodes from `start[l]` on, filled up to whole vectors with nodes that are empty. The last level is one
/// vector.
struct ScoreTree<S: Scalar> {
  typealias V = S.Vector
  /// By node: the bounds of the boxes (the area: the smallest), the highest score (NaN: none is left), and the slot of the
  /// box that has it, of several the lowest box.
  private let bounds: BoxColumns<S>
  private let highest: UnsafeMutablePointer<S>
  private let slotOfBest: UnsafeMutablePointer<UInt32>
  private let start: UnsafeMutablePointer<Int>
  /// Vectors of nodes that are to be summarized.
  private let changed: UnsafeMutablePointer<UInt32>
  private var blocks = 0
  private var top = 0

  /// More levels than 2³¹ slots need.
  private static var mostLevels: Int { 12 }
  private static var shift: Int { V.count.trailingZeroBitCount }

  init(_ arena: inout Arena, capacity: Int) {
    var nodes = 0
    var level = Self.parents(capacity)
    while level > V.count {
      nodes &+= Self.parents(level) &* V.count
      level = Self.parents(level)
    }
    nodes &+= V.count
    bounds = BoxColumns(&arena, capacity: nodes)
    highest = arena.take(S.self, nodes)
    slotOfBest = arena.take(UInt32.self, nodes)
    start = arena.take(Int.self, Self.mostLevels)
    changed = arena.take(UInt32.self, nodes / V.count &+ 1)
  }

  private static func parents(_ count: Int) -> Int { (count &+ V.count &- 1) / V.count }

  /// Makes the tree one of empty blocks for `count` slots.
  mutating func reset(_ count: Int) {
    blocks = Self.parents(count)
    var nodes = blocks
    top = 0
    start[0] = 0
    while nodes > V.count {
      start[top &+ 1] = start[top] &+ Self.parents(nodes) &* V.count
      nodes = Self.parents(nodes)
      top &+= 1
    }
    var node = 0
    while node < start[top] &+ V.count {
      V.infinity.store(bounds.x1 + node)
      V.infinity.store(bounds.y1 + node)
      (-V.infinity).store(bounds.x2 + node)
      (-V.infinity).store(bounds.y2 + node)
      V.infinity.store(bounds.area + node)
      V.nan.store(highest + node)
      node &+= V.count
    }
  }

  /// Returns whether that is news.
  @inline(__always)
  func setBest(_ block: Int, _ score: S, _ slot: Int) -> Bool {
    let slot = UInt32(truncatingIfNeeded: slot)
    let isKnown = highest[block] == score && slotOfBest[block] == slot
    highest[block] = score
    slotOfBest[block] = slot
    return !isKnown
  }

  /// The bounds of some boxes; a NaN coordinate is none.
  @inline(__always)
  func setBounds(_ node: Int, _ boxes: BoxLanes<V>, _ isBox: V.Integers) {
    bounds.x1[node] = V.min(V.select(isBox, boxes.x1, V.infinity), V.infinity).minimum
    bounds.y1[node] = V.min(V.select(isBox, boxes.y1, V.infinity), V.infinity).minimum
    bounds.x2[node] = V.max(V.select(isBox, boxes.x2, -V.infinity), -V.infinity).maximum
    bounds.y2[node] = V.max(V.select(isBox, boxes.y2, -V.infinity), -V.infinity).maximum
    bounds.area[node] = V.min(V.select(isBox, boxes.area, V.infinity), V.infinity).minimum
  }

  /// Builds the levels above the blocks.
  func build(_ boxOfSlot: UnsafeMutablePointer<UInt32>) {
    for level in 0..<top {
      var first = start[level]
      while first < start[level &+ 1] {
        setBounds(parent(level, first), bounds.load(first), V.Integers(-1))
        summarize(level, first, boxOfSlot)
        first &+= V.count
      }
    }
  }

  @inline(__always)
  private func parent(_ level: Int, _ node: Int) -> Int {
    start[level &+ 1] &+ (node &- start[level]) &>> Self.shift
  }

  /// Of the nodes from `first` on, a vector, the one with the best box; nil if no score is left.
  @inline(__always)
  private func bestNode(_ first: Int, _ boxOfSlot: UnsafeMutablePointer<UInt32>) -> Int? {
    let lanes = V.load(highest + first)
    var equal = (lanes .== V(V.max(lanes, -V.infinity).maximum)).maskBits
    if equal == 0 { return nil }
    var best = first &+ equal.trailingZeroBitCount
    while equal & (equal &- 1) != 0 {
      equal &= equal &- 1
      let other = first &+ equal.trailingZeroBitCount
      if boxOfSlot[Int(slotOfBest[other])] < boxOfSlot[Int(slotOfBest[best])] { best = other }
    }
    return best
  }

  /// Notes the best of the children from `first` on with their parent.
  @inline(__always)
  private func summarize(_ level: Int, _ first: Int, _ boxOfSlot: UnsafeMutablePointer<UInt32>) {
    let node = parent(level, first)
    if let best = bestNode(first, boxOfSlot) {
      highest[node] = highest[best]
      slotOfBest[node] = slotOfBest[best]
    } else {
      highest[node] = .nan
    }
  }

  /// The slot of the box with the highest score, of several the lowest box; nil if none is left.
  @inline(__always)
  func best(_ boxOfSlot: UnsafeMutablePointer<UInt32>) -> Int? {
    bestNode(start[top], boxOfSlot).map { Int(slotOfBest[$0]) }
  }

  /// Brings the ancestors of a block up to date.
  @inline(__always)
  func update(above block: Int, _ boxOfSlot: UnsafeMutablePointer<UInt32>) {
    changed[0] = UInt32(truncatingIfNeeded: block &>> Self.shift)
    update(1, boxOfSlot)
  }

  /// Brings the ancestors of `count` vectors of blocks up to date, whose numbers are in `changed` and ascend.
  ///
  /// After the round, not while it goes down the tree: a vector cannot be read soon after its lanes were written.
  @inline(__always)
  private func update(_ count: Int, _ boxOfSlot: UnsafeMutablePointer<UInt32>) {
    var count = count
    for level in 0..<top {
      var parents = 0
      for i in 0..<count {
        let vector = changed[i]
        summarize(level, start[level] &+ Int(vector) &<< Self.shift, boxOfSlot)
        let parent = vector &>> UInt32(truncatingIfNeeded: Self.shift)
        if parents == 0 || changed[parents &- 1] != parent {
          changed[parents] = parent
          parents &+= 1
        }
      }
      count = parents
    }
  }

  /// Calls `body(block)` for the blocks of the range of slots of which `isTouched(bounds)` holds and that have scores left;
  /// it returns whether the best of the block may be another. Then brings their ancestors and those of the block `own`,
  /// which is one of the range, up to date.
  @inline(__always)
  func forEachBlock(
    _ range: Range<Int>, isGrouped: Bool, own: Int, _ boxOfSlot: UnsafeMutablePointer<UInt32>,
    isTouched: (BoxLanes<V>) -> V.Integers, body: (Int) -> Bool
  ) {
    // The lowest level at which few vectors have the whole range.
    var ends = (first: range.lowerBound &>> (2 &* Self.shift), last: (range.upperBound &- 1) &>> (2 &* Self.shift))
    var base = 0
    while ends.last &- ends.first >= 8 {
      ends = (ends.first &>> Self.shift, ends.last &>> Self.shift)
      base &+= 1
    }
    let ownVector = own &>> Self.shift
    var count = 0
    var sawOwn = false
    var path = InlineArray<12, (vector: Int, touched: UInt32)>(repeating: (0, 0))
    for vector in ends.first...ends.last {
      var level = base
      path[level] = (vector, touched(level, vector, range, isGrouped, isTouched))
      while true {
        if level == 0 {
          var bits = path[0].touched
          let vector = path[0].vector
          var isChanged = vector == ownVector
          sawOwn = sawOwn || isChanged
          while bits != 0 {
            isChanged = body(vector &<< Self.shift &+ bits.trailingZeroBitCount) || isChanged
            bits &= bits &- 1
          }
          changed[count] = UInt32(truncatingIfNeeded: vector)
          count &+= isChanged ? 1 : 0
          if base == 0 { break }
          level = 1
        }
        let bits = path[level].touched
        if bits == 0 {
          if level == base { break }
          level &+= 1
        } else {
          path[level].touched = bits & (bits &- 1)
          let node = path[level].vector &<< Self.shift &+ bits.trailingZeroBitCount
          level &-= 1
          path[level] = (node, touched(level, node, range, isGrouped, isTouched))
        }
      }
    }
    update(count, boxOfSlot)
    if !sawOwn { update(above: own, boxOfSlot) }
  }

  /// The nodes of a vector that are touched, as bits.
  @inline(__always)
  private func touched(
    _ level: Int, _ vector: Int, _ range: Range<Int>, _ isGrouped: Bool, _ isTouched: (BoxLanes<V>) -> V.Integers
  ) -> UInt32 {
    let node = start[level] &+ vector &<< Self.shift
    var touched = isTouched(bounds.load(node)) & ~V.load(highest + node).isNaN
    if isGrouped {
      let shift = Self.shift &* (level &+ 1)
      let first = range.lowerBound &>> shift &- vector &<< Self.shift
      let last = (range.upperBound &- 1) &>> shift &- vector &<< Self.shift
      touched = touched & V.Integers.first(Swift.min(V.count, last &+ 1))
        & ~V.Integers.first(Swift.max(0, Swift.min(V.count, first)))
    }
    return touched.maskBits
  }
}
