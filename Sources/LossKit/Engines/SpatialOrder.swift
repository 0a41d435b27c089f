/// An order of boxes in which neighbours in the plane are neighbours in memory.
///
/// The boxes are cut by the height of their centres into strips of equal population, and each strip is sorted by the
/// centres' x. Equal population, not equal height, makes it indifferent to how the boxes are distributed. Centres are
/// doubled (x1 + x2) and rounded to floats whatever the precision of the boxes: rounding keeps their order, so a range
/// of centres that was rounded in the same way loses none.
struct SpatialOrder {
  /// Position → box, and the doubled x of its centre.
  let box: UnsafeMutablePointer<UInt32>
  let x: UnsafeMutablePointer<Float>
  /// The lowest and highest doubled y of each strip's centres.
  private let bottom, top: UnsafeMutablePointer<Float>
  private let strip: UnsafeMutablePointer<UInt32>
  private let next: UnsafeMutablePointer<Int>
  private let sorter: Sorter<UInt32>
  private(set) var count = 0
  private(set) var strips = 0
  private(set) var length = 1

  /// - Parameter perTile: a strip of n boxes' share is √(n · perTile): tiles of `perTile` boxes are about as wide as high.
  private static let perTile = 16

  init(_ arena: inout Arena, capacity: Int) {
    box = arena.take(UInt32.self, capacity)
    x = arena.take(Float.self, capacity)
    strip = arena.take(UInt32.self, capacity)
    let most = Self.stripCount(capacity) &+ 1
    bottom = arena.take(Float.self, most)
    top = arena.take(Float.self, most)
    next = arena.take(Int.self, most)
    sorter = Sorter(&arena, capacity: capacity)
  }

  private static func stripCount(_ count: Int) -> Int {
    Swift.max(1, Int((Double(count) / Double(perTile)).squareRoot()))
  }

  /// Orders the boxes 0 ..< count by the doubled centres that `center` gives (not NaN).
  @inline(__always)
  mutating func build(_ count: Int, multiple: Int = 1, _ center: (Int) -> (x: Float, y: Float)) {
    self.count = count
    let share = (count &+ Self.stripCount(count) &- 1) / Self.stripCount(count)
    length = Swift.max(1, (share &+ multiple &- 1) / multiple &* multiple)
    strips = (count &+ length &- 1) / length
    let byY = sorter.sorted(count) { center($0).y.ascendingKey }
    for s in 0..<strips {
      next[s] = s &* length
      bottom[s] = center(Int(byY[s &* length].index)).y
      top[s] = center(Int(byY[Swift.min((s &+ 1) &* length, count) &- 1].index)).y
      for i in (s &* length)..<Swift.min((s &+ 1) &* length, count) {
        strip[Int(byY[i].index)] = UInt32(truncatingIfNeeded: s)
      }
    }
    let byX = sorter.sorted(count) { center($0).x.ascendingKey }
    for i in 0..<count {
      let index = byX[i].index
      let s = Int(strip[Int(index)])
      let position = next[s]
      next[s] = position &+ 1
      box[position] = index
      x[position] = center(Int(index)).x
    }
  }

  /// Calls `body(position)` for positions, `stride` apart, such that the runs of `stride` positions from there contain
  /// every box whose doubled centre is within the ranges (a NaN bound is none).
  @inline(__always)
  func forEachRun(
    x low: Float, _ high: Float, y bottomLimit: Float, _ topLimit: Float, stride: Int, _ body: (Int) -> Void
  ) {
    // The first strip that reaches up to the range. Negated comparisons, for NaN bounds to be true.
    var s = 0
    var candidates = strips
    while candidates > 0 {
      let half = candidates / 2
      if top[s &+ half] < bottomLimit {
        s &+= half &+ 1
        candidates &-= half &+ 1
      } else {
        candidates = half
      }
    }
    while s < strips, !(bottom[s] > topLimit) {
      var position = s &* length
      let end = Swift.min(position &+ length, count)
      var remaining = end &- position
      while remaining > 0 {
        let half = remaining / 2
        let isBelow = x[position &+ half] < low
        position = isBelow ? position &+ half &+ 1 : position
        remaining = isBelow ? remaining &- half &- 1 : half
      }
      while position < end, !(x[position] > high) {
        body(position)
        position &+= stride
      }
      s &+= 1
    }
  }
}
