/// The boxes that may overlap a box by more than a threshold: a range for each of their coordinates.
///
/// IoU > t makes the intersection wider than t times the wider of the two boxes. So a side of the other box lies at
/// most w (1 − t) inside of the same side of this one, and at most w (1 − t) / t outside.
struct BoxRange {
  typealias V = DoubleLanes
  /// The box, and its area, in every lane.
  let box: BoxLanes<V>
  fileprivate let low: (x1: V, y1: V, x2: V, y2: V)
  fileprivate let high: (x1: V, y1: V, x2: V, y2: V)

  init(_ box: BoxLanes<V>, exceeding threshold: Double) {
    self.box = box
    let x = Self.sides(box.x1[0], box.x2[0], box.area[0], threshold)
    let y = Self.sides(box.y1[0], box.y2[0], box.area[0], threshold)
    low = (V(x.first.low), V(y.first.low), V(x.second.low), V(y.second.low))
    high = (V(x.first.high), V(y.first.high), V(x.second.high), V(y.second.high))
  }

  private typealias Interval = (low: Double, high: Double)

  private static func sides(
    _ low: Double, _ high: Double, _ area: Double, _ threshold: Double
  ) -> (first: Interval, second: Interval) {
    // Below 0 boxes need not meet; areas that are almost subnormal or not finite have no such bound.
    guard threshold >= 0, area > 0x1p-960, area < .infinity else {
      return ((-.infinity, .infinity), (-.infinity, .infinity))
    }
    // The computed IoU exceeds the true one by a few ulp at most: a slightly lower threshold allows for that.
    let bound = threshold < 0x1p-20 ? 0 : Swift.min(threshold, 1) * (1 - 0x1p-40)
    let extent = high - low
    let margin = (low.magnitude + high.magnitude + extent) * 0x1p-40
    let inward = extent * (1 - bound) + margin
    let outward = bound > 0 ? inward / bound : .infinity
    return ((low - outward, low + inward), (high - inward, high + outward))
  }
}

/// Boxes at places that may be empty, found by ranges of their coordinates.
///
/// A tree with as many children to a node as a vector has lanes, so that all children are tested in one step. A node
/// knows the least and the greatest of each coordinate that was ever below it. The tree is only a filter: boxes at
/// neighbouring places should be neighbours in the plane, but wherever they are, none within the range is missed.
struct BoxRangeTree {
  typealias V = DoubleLanes
  /// The box at each place; NaN where there is none.
  let boxes: BoxColumns<Double>
  /// Of each node, level by level; NaN where nothing is below.
  private let least, greatest: BoxColumns<Double>
  /// Where each level begins. Level 0 has a node for each vector of places, the top level one vector of nodes.
  private var start = InlineArray<12, Int>(repeating: 0)
  private var top = 0

  init(_ arena: inout Arena, capacity: Int) {
    boxes = BoxColumns(&arena, capacity: capacity)
    let nodes = Self.layOut(capacity) { _, _ in }
    least = BoxColumns(&arena, capacity: nodes)
    greatest = BoxColumns(&arena, capacity: nodes)
  }

  /// Tells `body` each level and where it begins; returns the number of nodes, in whole vectors.
  @inline(__always)
  private static func layOut(_ places: Int, _ body: (Int, Int) -> Void) -> Int {
    var (level, end, size) = (0, 0, places)
    repeat {
      size = (size &+ V.count &- 1) / V.count
      body(level, end)
      end &+= (size &+ V.count &- 1) / V.count &* V.count
      level &+= 1
    } while size > V.count
    return end
  }

  /// Makes 0 ..< count the places, all empty.
  mutating func clear(_ count: Int) {
    let nodes = Self.layOut(count) { level, begin in
      start[level] = begin
      top = level
    }
    boxes.fill(.nan, count)
    least.fill(.nan, nodes)
    greatest.fill(.nan, nodes)
  }

  /// Puts a box at a place; one without an area (NaN) is never found.
  mutating func set(_ place: Int, _ box: SIMD4<Double>) {
    boxes.set(place, box)
    let area = (box.z - box.x) * (box.w - box.y)
    boxes.area[place] = area
    guard area == area else { return }
    var node = place
    for level in 0...top {
      node /= V.count
      let i = start[level] &+ node
      var grows = Self.widen(least.x1 + i, greatest.x1 + i, box.x)
      grows = Self.widen(least.y1 + i, greatest.y1 + i, box.y) || grows
      grows = Self.widen(least.x2 + i, greatest.x2 + i, box.z) || grows
      grows = Self.widen(least.y2 + i, greatest.y2 + i, box.w) || grows
      if !grows { return }
    }
  }

  @inline(__always)
  private static func widen(
    _ least: UnsafeMutablePointer<Double>, _ greatest: UnsafeMutablePointer<Double>, _ x: Double
  ) -> Bool {
    if least.pointee <= x, x <= greatest.pointee { return false }
    least.pointee = least.pointee <= x ? least.pointee : x  // x where nothing was there
    greatest.pointee = greatest.pointee >= x ? greatest.pointee : x
    return true
  }

  /// Calls `body(place)` for the first places of vectors that together hold all boxes within the range.
  @inline(__always)
  func forEachVector(in range: BoxRange, _ body: (Int) -> Void) {
    // Of each level above the present one: the vector of nodes, and which of them are still to be visited.
    var vector = InlineArray<12, Int>(repeating: 0)
    var pending = InlineArray<12, UInt32>(repeating: 0)
    var level = top
    pending[level] = within(range, start[level])
    while true {
      let bits = pending[level]
      if bits == 0 {
        if level == top { return }
        level &+= 1
        continue
      }
      pending[level] = bits & (bits &- 1)
      let node = vector[level] &* V.count &+ bits.trailingZeroBitCount
      if level == 0 {
        body(node &* V.count)
      } else {
        level &-= 1
        vector[level] = node
        pending[level] = within(range, start[level] &+ node &* V.count)
      }
    }
  }

  /// Which of the nodes i ..< i + V.count may have boxes within the range below them, as bits.
  @inline(__always)
  private func within(_ range: BoxRange, _ i: Int) -> UInt32 {
    let reaches = (V.load(least.x1 + i) .<= range.high.x1) & (V.load(greatest.x1 + i) .>= range.low.x1)
      & (V.load(least.y1 + i) .<= range.high.y1) & (V.load(greatest.y1 + i) .>= range.low.y1)
      & (V.load(least.x2 + i) .<= range.high.x2) & (V.load(greatest.x2 + i) .>= range.low.x2)
      & (V.load(least.y2 + i) .<= range.high.y2) & (V.load(greatest.y2 + i) .>= range.low.y2)
    return reaches.maskBits
  }
}

extension BoxColumns where S == Double {
  @inline(__always)
  func set(_ index: Int, _ box: SIMD4<Double>) {
    x1[index] = box.x
    y1[index] = box.y
    x2[index] = box.z
    y2[index] = box.w
  }

  /// Every number of the boxes 0 ..< count := x, and of as many behind them as complete a vector.
  fileprivate func fill(_ x: Double, _ count: Int) {
    forEachVector(V.self, 0..<count) { i, _ in
      V(x).store(x1 + i)
      V(x).store(y1 + i)
      V(x).store(x2 + i)
      V(x).store(y2 + i)
      V(x).store(area + i)
    }
  }
}
