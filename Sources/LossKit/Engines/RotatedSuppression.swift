/// Greedy non-maximum suppression of rotated boxes that are given best first.
///
/// Which boxes are tested is narrowed by a spatial order, as it is for upright ones. What a box shares with another lies
/// within its own extent 2e in any direction; of the other, which is e′ there, that is a share of at most 2e/e′, since
/// nowhere is a rectangle more than twice as long as on average. So IoU > t needs e′ < 2e/t, and centres that are less
/// than e + e′ apart. Every test is exact, so the result is that of all pairs.
struct RotatedSuppressor {
  typealias V = DoubleLanes
  /// The boxes, best first within a group; to be filled by the caller.
  let boxes: RotatedBoxColumns
  /// By box: was it kept?
  let isKept: UnsafeMutablePointer<Bool>

  private let isRemoved: UnsafeMutablePointer<Bool>
  /// The boxes that can suppress, in spatial order.
  private let active: UnsafeMutablePointer<UInt32>
  private let ordered: RotatedBoxColumns
  private var order: SpatialOrder
  private let threshold: Double

  /// Below this many boxes a plain sweep is faster than building the order.
  private static var smallestOrdered: Int { 64 }

  init(_ arena: inout Arena, capacity: Int, threshold: Double) {
    boxes = RotatedBoxColumns(&arena, capacity: capacity)
    ordered = RotatedBoxColumns(&arena, capacity: capacity)
    isKept = arena.take(Bool.self, capacity)
    isRemoved = arena.take(Bool.self, capacity)
    active = arena.take(UInt32.self, capacity)
    order = SpatialOrder(&arena, capacity: capacity, tile: V.count)
    self.threshold = threshold
  }

  /// Decides the boxes of one group.
  mutating func run(_ group: Range<Int>) {
    for box in group { isRemoved[box] = false }
    if threshold < 0 || group.count < Self.smallestOrdered {
      sweep(group)
    } else {
      runOrdered(group)
    }
  }

  /// Every kept box against all behind it.
  private func sweep(_ group: Range<Int>) {
    for box in group {
      isKept[box] = !isRemoved[box]
      guard isKept[box], threshold < 1 else { continue }
      let lanes = boxes.broadcast(box)
      forEachVector(V.self, (box &+ 1)..<group.upperBound) { i, n in
        let behind = (1 &<< UInt32(truncatingIfNeeded: n)) &- 1 as UInt32
        var bits = lanes.exceeding(boxes.load(i), threshold: V(threshold)) & behind
        while bits != 0 {
          isRemoved[i &+ bits.trailingZeroBitCount] = true
          bits &= bits &- 1
        }
      }
    }
  }

  /// With a threshold ≥ 0: can the box exceed it with any?
  private func isActive(_ box: Int) -> Bool {
    boxes.area[box] >= 1e-14 && boxes.area[box] < .infinity && boxes.centerX[box].magnitude < .infinity
      && boxes.centerY[box].magnitude < .infinity && boxes.cosine[box] == boxes.cosine[box]
  }

  private mutating func runOrdered(_ group: Range<Int>) {
    var count = 0
    var (widest, highest) = (0.0, 0.0)
    for box in group where isActive(box) {
      active[count] = UInt32(truncatingIfNeeded: box)
      count &+= 1
      let (x, y) = extents(box)
      widest = Swift.max(widest, x)
      highest = Swift.max(highest, y)
    }
    let (boxes, active) = (boxes, active)
    order.build(count) { i in (Float(boxes.centerX[Int(active[i])]), Float(boxes.centerY[Int(active[i])])) }
    for position in 0..<count {
      let box = active[Int(order.box[position])]
      order.box[position] = box
      ordered.set(position, boxes, Int(box))
    }
    ordered.pad(count)
    for box in group {
      isKept[box] = !isRemoved[box]
      if isKept[box], threshold < 1, isActive(box) { removeNeighbours(box, widest, highest) }
    }
  }

  /// Not inlined, so that the loop over tiles is; mutating, so that `self` is not copied for each call.
  @inline(never)
  private mutating func removeNeighbours(_ box: Int, _ widest: Double, _ highest: Double) {
    let (width, height) = extents(box)
    let x = reach(boxes.centerX[box], width, widest)
    let y = reach(boxes.centerY[box], height, highest)
    let lanes = boxes.broadcast(box)
    order.forEachTile(x: x.low, x.high, y: y.low, y.high) { position in
      var bits = lanes.exceeding(ordered.load(position), threshold: V(threshold))
      while bits != 0 {
        // Boxes before `box` are decided, and it itself: marking them as well changes nothing.
        isRemoved[Int(order.box[position &+ bits.trailingZeroBitCount])] = true
        bits &= bits &- 1
      }
    }
  }

  @inline(__always)
  private func extents(_ box: Int) -> (Double, Double) {
    let (c, s) = (boxes.cosine[box].magnitude, boxes.sine[box].magnitude)
    let (width, height) = (boxes.halfWidth[box], boxes.halfHeight[box])
    return (c * width + s * height, s * width + c * height)
  }

  /// The range of centres of boxes that one with this centre and extent can suppress.
  @inline(__always)
  private func reach(_ center: Double, _ extent: Double, _ largest: Double) -> (low: Float, high: Float) {
    let other = Swift.min(largest, threshold < 0x1p-20 ? .infinity : 2 * extent / threshold)
    // The margin covers the rounding of this arithmetic and of overlaps.
    let distance = (extent + other) * (1 + 0x1p-20) + center.magnitude * 0x1p-50
    return (Float(center - distance), Float(center + distance))
  }
}
