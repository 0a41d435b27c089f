/// Non-maximum suppression of boxes that are given best first: a box is kept unless its measure with a box that
/// suppresses exceeds the threshold.
///
/// Which boxes are tested is narrowed by their centres (`CenterReach`), for which there is an index in bits for few
/// boxes and an order in the plane for many. Every test is exact, so the result is that of all pairs.
struct Suppressor<S: Scalar, Measure: OverlapMeasure> where Measure.V == S.Vector {
  typealias V = S.Vector
  /// The boxes, best first within a group; to be filled by the caller, areas and padding included.
  let boxes: BoxColumns<S>
  /// By box: was it kept?
  let isKept: UnsafeMutablePointer<Bool>

  private let isRemoved: UnsafeMutablePointer<Bool>
  private var grid: CenterGrid<S>
  private var order: SpatialOrder
  /// The boxes that can suppress, in spatial order.
  private let ordered: BoxColumns<S>
  /// The places of those boxes in `boxes`.
  private let active: UnsafeMutablePointer<UInt32>

  private let measure: Measure
  private(set) var threshold: Double
  /// The greatest number of the precision that is ≤ threshold: x > threshold exactly if x > limit.
  private var limit: S

  /// Below this many boxes a plain sweep is faster than building an index.
  private static var smallestIndexed: Int { 4 &* V.count }

  init(_ arena: inout Arena, capacity: Int, threshold: Double, measure: Measure) {
    boxes = BoxColumns(&arena, capacity: capacity)
    isKept = arena.take(Bool.self, capacity)
    isRemoved = arena.take(Bool.self, capacity)
    grid = CenterGrid(&arena, capacity: capacity)
    let isLarge = capacity > CenterGrid<S>.capacity
    order = SpatialOrder(&arena, capacity: isLarge ? capacity : 0, tile: V.count)
    ordered = BoxColumns(&arena, capacity: isLarge ? capacity : 0)
    active = arena.take(UInt32.self, isLarge ? capacity : 0)
    self.measure = measure
    self.threshold = threshold
    limit = S.roundedDown(threshold)
  }

  mutating func setThreshold(_ threshold: Double) {
    self.threshold = threshold
    limit = S.roundedDown(threshold)
  }

  /// Does one of the first `count` boxes suppress the box?
  func isSuppressed(_ box: Int, by count: Int, _ rule: SuppressionRule) -> Bool {
    let lanes = boxes.broadcast(box)
    var found: UInt32 = 0
    forEachVector(V.self, 0..<count) { i, n in
      let others = boxes.load(i)
      var bits = exceeding(lanes, others)
      if let areaOfNone = rule.areaOfNone, threshold < 1 {
        bits |= (lanes.area + others.area .<= V(S.roundedDown(areaOfNone))).maskBits
      }
      found |= bits & ((1 &<< UInt32(truncatingIfNeeded: n)) &- 1)
    }
    return found != 0
  }

  /// Decides the boxes of one group.
  mutating func run(_ group: Range<Int>, _ rule: SuppressionRule = SuppressionRule()) {
    for box in group { isRemoved[box] = false }
    if threshold < 0 {
      decide(group, rule, { boxes.area[$0] == boxes.area[$0] }, remove: { sweep($0, group) })
    } else if group.count < Self.smallestIndexed {
      decide(group, rule, { isActive($0) }, remove: { sweep($0, group) })
    } else {
      let reach = CenterReach(boxes, group, threshold: threshold, areasFollowSides: rule.areasFollowSides)
      if group.count <= CenterGrid<S>.capacity {
        runInGrid(group, rule, reach)
      } else {
        runOrdered(group, rule, reach)
      }
    }
  }

  /// With a threshold ≥ 0: can the box exceed it with any?
  @inline(__always)
  private func isActive(_ box: Int) -> Bool {
    boxes.x2[box] > boxes.x1[box] && boxes.y2[box] > boxes.y1[box] && boxes.area[box] > 0
      && boxes.area[box] < .infinity
  }

  /// The boxes of the group in order: each is kept if it was not removed, and removes others if it suppresses.
  @inline(__always)
  private func decide(
    _ group: Range<Int>, _ rule: SuppressionRule, _ canSuppress: (Int) -> Bool, remove: (Int) -> Void
  ) {
    var left = rule.most
    var smallestArea = S.infinity
    for box in group {
      var isKept = !isRemoved[box] || box &- group.lowerBound < rule.alreadyKept
      if let areaOfNone = rule.areaOfNone, isKept {
        isKept = threshold >= 1 || !((smallestArea + boxes.area[box]).double <= areaOfNone)
          || box &- group.lowerBound < rule.alreadyKept
        if isKept { smallestArea = Swift.min(smallestArea, boxes.area[box]) }
      }
      isKept = isKept && left > 0
      self.isKept[box] = isKept
      if isKept { left &-= 1 }
      if rule.suppressing?[box] ?? isKept, canSuppress(box) { remove(box) }
    }
  }

  /// The lanes of `other` whose measure with `box` exceeds the threshold, as bits.
  @inline(__always)
  private func exceeding(_ box: BoxLanes<V>, _ other: BoxLanes<V>) -> UInt32 {
    measure.exceeding(box, other, limit: V(limit), isPositive: threshold >= 0)
  }

  /// A box against all behind it.
  @inline(__always)
  private func sweep(_ box: Int, _ group: Range<Int>) {
    let lanes = boxes.broadcast(box)
    forEachVector(V.self, (box &+ 1)..<group.upperBound) { i, n in
      var bits = exceeding(lanes, boxes.load(i)) & ((1 &<< UInt32(truncatingIfNeeded: n)) &- 1)
      while bits != 0 {
        isRemoved[i &+ bits.trailingZeroBitCount] = true
        bits &= bits &- 1
      }
    }
  }

  private mutating func runInGrid(_ group: Range<Int>, _ rule: SuppressionRule, _ reach: CenterReach<S>) {
    grid.build(boxes, group, reach)
    let (grid, first) = (grid, group.lowerBound)
    if rule.isPlain {
      for box in group {
        isKept[box] = !isRemoved[box]
        if isRemoved[box] || threshold >= 1 { continue }
        grid.forEachBlock(behind: box &- first) { block in
          exceeding(boxes.broadcast(box), boxes.load(first &+ block))
        } removed: { other in
          isRemoved[first &+ other] = true
        }
      }
      return
    }
    decide(group, rule, { _ in threshold < 1 }) { box in
      grid.forEachBlock(behind: box &- first) { block in
        exceeding(boxes.broadcast(box), boxes.load(first &+ block))
      } removed: { other in
        isRemoved[first &+ other] = true
      }
    }
  }

  private mutating func runOrdered(_ group: Range<Int>, _ rule: SuppressionRule, _ reach: CenterReach<S>) {
    var count = 0
    for box in group where isActive(box) {
      active[count] = UInt32(truncatingIfNeeded: box)
      count &+= 1
    }
    let (boxes, active) = (boxes, active)
    order.build(count) { i in
      let box = Int(active[i])
      return (Float(boxes.x1[box] + boxes.x2[box]), Float(boxes.y1[box] + boxes.y2[box]))
    }
    for position in 0..<count {
      let box = active[Int(order.box[position])]
      order.box[position] = box
      ordered.set(position, boxes, Int(box))
    }
    ordered.pad(count)
    let whole = self
    decide(group, rule, { threshold < 1 && isActive($0) }) { box in whole.removeNeighbours(box, reach) }
  }

  /// Not inlined, so that the loop over tiles is.
  @inline(never)
  private func removeNeighbours(_ box: Int, _ reach: CenterReach<S>) {
    let lanes = boxes.broadcast(box)
    let (x, y) = reach.centers(lanes)
    order.forEachTile(
      x: Float(x.low[0]), Float(x.high[0]), y: Float(y.low[0]), Float(y.high[0])
    ) { position in
      var bits = exceeding(lanes, ordered.load(position))
      while bits != 0 {
        // Boxes before `box` are decided, and it itself: marking them as well changes nothing.
        isRemoved[Int(order.box[position &+ bits.trailingZeroBitCount])] = true
        bits &= bits &- 1
      }
    }
  }
}

/// What there is to suppression beside the measure and its threshold.
struct SuppressionRule {
  /// Boxes are kept until there are this many.
  var most = Int.max
  /// So many of the first boxes of a group are kept whatever overlaps them.
  var alreadyKept = 0
  /// By box: does it suppress? If nil, the boxes that are kept do.
  var suppressing: UnsafePointer<Bool>?
  /// Boxes whose areas add up to this or less overlap by 1, wherever they are.
  var areaOfNone: Double?
  /// Whether areas are the products of the sides.
  var areasFollowSides = true

  /// Is a box kept exactly if no box that was kept removes it?
  var isPlain: Bool { most == .max && alreadyKept == 0 && suppressing == nil && areaOfNone == nil }
}

extension Scalar {
  /// The greatest number of this precision that is ≤ x.
  @inline(__always)
  static func roundedDown(_ x: Double) -> Self {
    let nearest = Self(x)
    return nearest.double > x ? nearest.nextDown : nearest
  }
}
