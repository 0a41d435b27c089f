/// Where the centres of the boxes are that a box can suppress: IoU > t needs an intersection wider than t times the
/// wider box, so centres that are less than w (1 − t) / (2 min(t, ½)) apart, and likewise in height.
///
/// Centres are doubled, x1 + x2.
struct CenterReach<S: Scalar> {
  typealias V = S.Vector
  private let ratio, widest, highest: V

  /// - Parameters:
  ///   - threshold: t ≥ 0.
  ///   - areasFollowSides: whether areas are the products of the sides, as computed from the corners. If not, boxes
  ///     reach whatever they touch.
  init(_ boxes: BoxColumns<S>, _ group: Range<Int>, threshold: Double, areasFollowSides: Bool) {
    // The computed IoU exceeds the true one by a relative 20 ulp at most: a slightly lower threshold allows for that.
    let low = threshold * (1 - 0x1p-17)
    let isBounded = areasFollowSides && low >= 0x1p-20
    ratio = V(S(isBounded ? Swift.max(0, 1 - low) / Swift.min(low, 0.5) : .infinity))
    var widest = V.zero
    var highest = V.zero
    forEachVector(V.self, group) { i, n in
      let lanes = boxes.load(i)
      let isActive = lanes.isActive & V.Integers.first(n)
      widest = V.max(V.select(isActive, lanes.x2 - lanes.x1, V.zero), widest)
      highest = V.max(V.select(isActive, lanes.y2 - lanes.y1, V.zero), highest)
    }
    self.widest = V(widest.maximum)
    self.highest = V(highest.maximum)
  }

  /// The ranges of centres that active boxes reach; NaN where there is no bound.
  @inline(__always)
  func centers(_ box: BoxLanes<V>) -> (x: (low: V, high: V), y: (low: V, high: V)) {
    // Areas that are almost subnormal have no such bound.
    let ratio = V.select(box.area .< V(S.leastNormalMagnitude * 0x1p26), V.infinity, self.ratio)
    return (range(box.x1, box.x2, ratio, widest), range(box.y1, box.y2, ratio, highest))
  }

  @inline(__always)
  private func range(_ low: V, _ high: V, _ ratio: V, _ largest: V) -> (low: V, high: V) {
    let side = high - low
    let center = low + high
    let wide = V.min(side * ratio, side + largest)
    // The margin covers the rounding of this arithmetic and of the other box's centre.
    let distance = V.fma(wide + center.magnitude, V(S.ulpOfOne * 16), wide)
    return (center - distance, center + distance)
  }
}

extension BoxLanes {
  /// Can the box have a positive intersection with any, and a finite union?
  @inline(__always)
  var isActive: V.Integers { (x1 .< x2) & (y1 .< y2) & (V.zero .< area) & (area .< V.infinity) }
}
