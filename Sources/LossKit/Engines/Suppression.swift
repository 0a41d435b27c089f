/// Greedy non-maximum suppression of boxes that are given best first.
///
/// A box that is kept removes every box whose IoU with it exceeds the threshold. Which boxes are tested is narrowed by
/// a spatial order: IoU > t needs an intersection wider than t times the wider box, so centres that are less than
/// w (1 − t) / (2 min(t, ½)) apart, and likewise in height. Every test is exact, so the result is that of all pairs.
struct Suppressor<S: Scalar> {
  typealias V = S.Vector
  /// The boxes, best first within a group; to be filled by the caller, `computeAreas` included.
  let boxes: BoxColumns<S>
  /// By box: was it kept?
  let isKept: UnsafeMutablePointer<Bool>

  private let isRemoved: UnsafeMutablePointer<Bool>
  /// The boxes that can suppress, in spatial order.
  private let active: UnsafeMutablePointer<UInt32>
  private let ordered: BoxColumns<S>
  private var order: SpatialOrder

  private let threshold: Double
  /// The greatest number of the precision that is ≤ threshold: x > threshold exactly if x > limit.
  private let limit: S

  /// Below this many boxes a plain sweep is faster than building the order.
  private static var smallestOrdered: Int { 96 }

  init(_ arena: inout Arena, capacity: Int, threshold: Double) {
    boxes = BoxColumns(&arena, capacity: capacity)
    ordered = BoxColumns(&arena, capacity: capacity)
    isKept = arena.take(Bool.self, capacity)
    isRemoved = arena.take(Bool.self, capacity)
    active = arena.take(UInt32.self, capacity)
    order = SpatialOrder(&arena, capacity: capacity, tile: V.count)
    self.threshold = threshold
    limit = S.roundedDown(threshold)
  }

  /// Decides the boxes of one group.
  mutating func run(_ group: Range<Int>) {
    for box in group {
      isKept[box] = false
      isRemoved[box] = false
    }
    if threshold < 0 {
      sweep(group) { boxes.area[$0] == boxes.area[$0] }
    } else if group.count < Self.smallestOrdered {
      sweep(group) { isActive($0) }
    } else {
      runOrdered(group)
    }
  }

  /// With a threshold ≥ 0: can the box have a positive intersection with any, and a finite union?
  @inline(__always)
  private func isActive(_ box: Int) -> Bool {
    boxes.x2[box] > boxes.x1[box] && boxes.y2[box] > boxes.y1[box] && boxes.area[box] > 0
      && boxes.area[box] < .infinity
  }

  /// The lanes of `other` whose IoU with `box` exceeds the threshold, as bits.
  @inline(__always)
  private func exceeding(_ box: BoxLanes<V>, _ other: BoxLanes<V>) -> UInt32 {
    let (intersection, union) = box.overlap(with: other)
    // A quotient that rounds to more than t ≥ 0 is itself more than t, and rounding is monotonic: so where
    // t · union, rounded, exceeds the intersection there is nothing to divide.
    if threshold >= 0, !(V(limit) * union .<= intersection).any { return 0 }
    return (BoxLanes.ratio(intersection, union) .> V(limit)).maskBits
  }

  /// Every kept box against all behind it.
  @inline(__always)
  private func sweep(_ group: Range<Int>, _ suppresses: (Int) -> Bool) {
    for box in group where !isRemoved[box] {
      isKept[box] = true
      guard suppresses(box) else { continue }
      let lanes = boxes.broadcast(box)
      forEachVector(V.self, (box &+ 1)..<group.upperBound) { i, n in
        var bits = exceeding(lanes, boxes.load(i)) & ((1 &<< UInt32(truncatingIfNeeded: n)) &- 1)
        while bits != 0 {
          isRemoved[i &+ bits.trailingZeroBitCount] = true
          bits &= bits &- 1
        }
      }
    }
  }

  private mutating func runOrdered(_ group: Range<Int>) {
    var count = 0
    var widest = 0.0
    var highest = 0.0
    for box in group where isActive(box) {
      active[count] = UInt32(truncatingIfNeeded: box)
      count &+= 1
      widest = Swift.max(widest, boxes.x2[box].double - boxes.x1[box].double)
      highest = Swift.max(highest, boxes.y2[box].double - boxes.y1[box].double)
    }
    let (boxes, active) = (boxes, active)
    order.build(count) { i in
      let box = Int(active[i])
      return (
        Float(boxes.x1[box].double + boxes.x2[box].double), Float(boxes.y1[box].double + boxes.y2[box].double)
      )
    }
    for position in 0..<count {
      let box = active[Int(order.box[position])]
      order.box[position] = box
      ordered.set(position, boxes, Int(box))
    }
    ordered.pad(count)

    // The computed IoU exceeds the true one by a relative 20 ulp at most: a slightly lower threshold allows for that.
    let low = threshold * (1 - 0x1p-17)
    let ratio = low < 0x1p-20 ? Double.infinity : (1 - low) / Swift.min(low, 0.5)
    for box in group where !isRemoved[box] {
      isKept[box] = true
      guard threshold < 1, isActive(box) else { continue }
      // Areas that are almost subnormal have no such bound.
      let isTiny = boxes.area[box] < S.leastNormalMagnitude * 0x1p26
      removeNeighbours(box, isTiny ? .infinity : ratio, widest, highest)
    }
  }

  /// Not inlined, so that the loop over tiles is; mutating, so that `self` is not copied for each call.
  @inline(never)
  private mutating func removeNeighbours(_ box: Int, _ ratio: Double, _ widest: Double, _ highest: Double) {
    let x = reach(boxes.x1[box], boxes.x2[box], ratio, widest)
    let y = reach(boxes.y1[box], boxes.y2[box], ratio, highest)
    let lanes = boxes.broadcast(box)
    order.forEachTile(x: x.low, x.high, y: y.low, y.high) { position in
      var bits = exceeding(lanes, ordered.load(position))
      while bits != 0 {
        // Boxes before `box` are decided, and it itself: marking them as well changes nothing.
        isRemoved[Int(order.box[position &+ bits.trailingZeroBitCount])] = true
        bits &= bits &- 1
      }
    }
  }

  /// The range of doubled centres of boxes that [low, high] can suppress.
  @inline(__always)
  private func reach(_ low: S, _ high: S, _ ratio: Double, _ largest: Double) -> (low: Float, high: Float) {
    let extent = high.double - low.double
    let center = low.double + high.double
    let wide = Swift.min(extent * ratio, extent + largest)
    // The margin covers the rounding of this arithmetic and of the other box's centre.
    let distance = wide + (wide + center.magnitude + low.double.magnitude) * 0x1p-40
    return (Float(center - distance), Float(center + distance))
  }
}

extension Scalar {
  /// The greatest number of this precision that is ≤ x.
  @inline(__always)
  static func roundedDown(_ x: Double) -> Self {
    let nearest = Self(x)
    return nearest.double > x ? nearest.nextDown : nearest
  }
}
