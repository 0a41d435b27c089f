/// An order of boxes in which neighbours in the plane are neighbours in memory.
///
/// The boxes are cut by the height of their centres into strips of equal population, each strip is sorted by the
/// centres' x, and cut into tiles of equal population. Equal population, not equal size, makes it indifferent to how
/// the boxes are distributed. Centres are doubled (x1 + x2) and rounded to floats whatever the precision of the boxes:
/// rounding keeps their order, so a range of centres that was rounded in the same way loses none.
struct SpatialOrder {
  /// Position → box.
  let box: UnsafeMutablePointer<UInt32>
  /// Boxes in a tile.
  private let tile: Int
  /// The lowest and highest doubled y of each strip's centres, and the lowest and highest doubled x of each tile's.
  private let bottom, top, left, right: UnsafeMutablePointer<Float>
  private let strip: UnsafeMutablePointer<UInt32>
  private let next: UnsafeMutablePointer<Int>
  private let sorter: Sorter<UInt32>
  private var count = 0
  private var strips = 0
  private var tilesInStrip = 1

  init(_ arena: inout Arena, capacity: Int, tile: Int) {
    self.tile = tile
    box = arena.take(UInt32.self, capacity)
    strip = arena.take(UInt32.self, capacity)
    let strips = Self.stripCount(capacity)
    bottom = arena.take(Float.self, strips)
    top = arena.take(Float.self, strips &+ FloatLanes.count)
    next = arena.take(Int.self, strips)
    // A tile may be cut short at the end of each strip; and whole vectors are read.
    let tiles = capacity / tile &+ strips &+ FloatLanes.count
    left = arena.take(Float.self, tiles)
    right = arena.take(Float.self, tiles)
    sorter = Sorter(&arena, capacity: capacity)
  }

  /// With this many strips, 16 boxes take a piece of a strip that is about as wide as high.
  private static func stripCount(_ count: Int) -> Int { Swift.max(1, Int((Double(count) / 16).squareRoot())) }

  /// Orders the boxes 0 ..< count by the doubled centres that `center` gives (not NaN).
  @inline(__always)
  mutating func build(_ count: Int, _ center: (Int) -> (x: Float, y: Float)) {
    self.count = count
    let most = Self.stripCount(count)
    tilesInStrip = Swift.max(1, (count &+ most &* tile &- 1) / (most &* tile))
    let length = tilesInStrip &* tile
    strips = (count &+ length &- 1) / length
    let byY = sorter.sorted(count) { center($0).y.ascendingKey }
    for s in 0..<strips {
      let end = Swift.min((s &+ 1) &* length, count)
      next[s] = s &* length
      bottom[s] = center(Int(byY[s &* length].index)).y
      top[s] = center(Int(byY[end &- 1].index)).y
      for i in (s &* length)..<end { strip[Int(byY[i].index)] = UInt32(truncatingIfNeeded: s) }
    }
    let byX = sorter.sorted(count) { center($0).x.ascendingKey }
    for i in 0..<count {
      let index = byX[i].index
      let s = Int(strip[Int(index)])
      box[next[s]] = index
      next[s] &+= 1
    }
    var first = 0
    while first < count {
      left[first / tile] = center(Int(box[first])).x
      right[first / tile] = center(Int(box[Swift.min(first &+ tile, count) &- 1])).x
      first &+= tile
    }
  }

  /// Calls `body(position)` for the first positions of tiles that together contain every box whose doubled centre is
  /// within the ranges (a NaN bound is none).
  @inline(__always)
  func forEachTile(x low: Float, _ high: Float, y bottomLimit: Float, _ topLimit: Float, _ body: (Int) -> Void) {
    // The first strip that reaches up to the range. Negated comparisons, for NaN bounds to be true.
    var s = 0
    while s < strips {
      let isBelow = FloatLanes.load(top + s) .< FloatLanes(bottomLimit)
      let bits = (~isBelow & Int32Lanes.first(Swift.min(strips &- s, FloatLanes.count))).maskBits
      if bits != 0 {
        s &+= bits.trailingZeroBitCount
        break
      }
      s &+= FloatLanes.count
    }
    let tiles = (count &+ tile &- 1) / tile
    while s < strips, !(bottom[s] > topLimit) {
      var first = s &* tilesInStrip
      let end = Swift.min(first &+ tilesInStrip, tiles)
      while first < end {
        let isOutside = (FloatLanes.load(right + first) .< FloatLanes(low))
          | (FloatLanes.load(left + first) .> FloatLanes(high))
        var bits = (~isOutside & Int32Lanes.first(Swift.min(end &- first, FloatLanes.count))).maskBits
        while bits != 0 {
          body((first &+ bits.trailingZeroBitCount) &* tile)
          bits &= bits &- 1
        }
        first &+= FloatLanes.count
      }
      s &+= 1
    }
  }
}
