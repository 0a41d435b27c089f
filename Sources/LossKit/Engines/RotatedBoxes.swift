// Rotated boxes (cx, cy, w, h, θ) and the area that two of them share, in double precision whatever the boxes are in.
//
// Seen from one box, its frame at the origin, the other is a parallelogram, and what they share is an integral along
// its outline: over the part of each edge that lies within the box's width, of the edge's height clamped to the box's.
// A sum of four terms without a branch, each continuous in the corners: no case of touching sides or equal boxes needs
// care, as it would in a list of clipped corners.

/// A rotated box in each lane.
struct RotatedBoxLanes {
  typealias V = DoubleLanes
  var centerX, centerY: V
  /// Not negative.
  var halfWidth, halfHeight: V
  var cosine, sine: V
  /// Width times height as given, and the radius of the circle around the box.
  var area, radius: V

  /// Intersection over union, or over this box's area; 0 where one of the areas is less than 1e-14.
  @inline(__always)
  func overlap(with other: Self, overFirst: Bool) -> V {
    let isApart = isApart(from: other)
    if !(~isApart).any { return V.zero }
    let both = intersection(with: other, RotatedBoxPair(self, other))
    // NaN stays: the difference is 0 or NaN.
    let whole = overFirst ? area + (other.area - other.area) : area + other.area - both
    return V.select(isApart, V.zero, both / whole)
  }

  /// The lanes where intersection over union exceeds the threshold, as bits; NaN does not.
  @inline(__always)
  func exceeding(_ other: Self, threshold: V) -> UInt32 {
    let isApart = isApart(from: other)
    if (V.zero .<= threshold).any {
      if !(~isApart).any { return 0 }
      // What boxes share is at most what one shares with the upright box around the other.
      let pair = RotatedBoxPair(self, other)
      let most = pair.sharedExtents(other)
      let isBelow = most * V(1 + 0x1p-30) .<= threshold * (area + other.area - most)
      if !(~(isApart | isBelow)).any { return 0 }
    }
    return (overlap(with: other, overFirst: false) .> threshold).maskBits
  }

  /// Is one of the boxes too small to be one, or do the circles around them not meet? So it is for nearly all pairs.
  @inline(__always)
  private func isApart(from other: Self) -> V.Integers {
    let (x, y) = (centerX - other.centerX, centerY - other.centerY)
    let reach = radius + other.radius
    let smallest = V(1e-14)
    return (reach * reach .< x * x + y * y) | (area .< smallest) | (other.area .< smallest)
  }

  @inline(__always)
  private func intersection(with other: Self, _ pair: RotatedBoxPair) -> V {
    let (c, s) = (pair.cosine, pair.sine)
    let along = (x: halfWidth * c, y: halfWidth * s)
    let across = (x: -(halfHeight * s), y: halfHeight * c)
    let far = (x: pair.x + across.x, y: pair.y + across.y)
    let near = (x: pair.x - across.x, y: pair.y - across.y)
    let outline = Outline(halfWidth: other.halfWidth, halfHeight: other.halfHeight)
    let a = outline.corner(far.x + along.x, far.y + along.y)
    let b = outline.corner(far.x - along.x, far.y - along.y)
    let d = outline.corner(near.x - along.x, near.y - along.y)
    let e = outline.corner(near.x + along.x, near.y + along.y)
    let (slope, steep) = (s / c, -(c / s))
    let shared = (outline.area(from: b, to: a, slope) - outline.area(from: d, to: e, slope))
      + (outline.area(from: d, to: b, steep) - outline.area(from: e, to: a, steep))
    let limited = V.min(V.min(area, other.area), V.max(V.zero, shared))
    return V.select(pair.isSeparated(self, other), V.zero, limited)
  }

  /// Half the sides of the upright box around this one, in a frame that it is turned in.
  @inline(__always)
  func extents(_ cosine: V, _ sine: V) -> (V, V) {
    let (c, s) = (cosine.magnitude, sine.magnitude)
    return (c * halfWidth + s * halfHeight, s * halfWidth + c * halfHeight)
  }

  /// The area between an edge and the x-axis, within an upright box about the origin.
  private struct Outline {
    let halfWidth, halfHeight: V

    /// A corner, and its x within the box.
    struct Corner {
      let x, y, within: V
    }

    // Bounds stand first in max and min, for NaN to stay.
    @inline(__always)
    func corner(_ x: V, _ y: V) -> Corner { Corner(x: x, y: y, within: V.min(halfWidth, V.max(-halfWidth, x))) }

    @inline(__always)
    func area(from p: Corner, to q: Corner, _ slope: V) -> V {
      let width = q.within - p.within
      let first = p.y + (p.within - p.x) * slope
      let last = q.y + (q.within - q.x) * slope
      let low = clamped(first), high = clamped(last)
      let rise = high - low
      // Where the edge leaves the box's height at an end, the mean of its clamped height moves towards that end's.
      let outside = (low - first) + (high - first)
      let shift = V(0.5) * (outside / (last - first))
      let mean = low + V.select(rise .== V.zero, V.zero, rise - rise * shift)
      // An upright edge has no width, and a slope that is infinite.
      return V.select(width .== V.zero, V.zero, width * mean)
    }

    @inline(__always) private func clamped(_ y: V) -> V { V.min(halfHeight, V.max(-halfHeight, y)) }
  }
}

/// How one box stands to another: its centre in the other's frame, and the rotation from that frame to its own.
private struct RotatedBoxPair {
  typealias V = DoubleLanes
  let cosine, sine: V
  let x, y: V
  /// The other's centre in the frame of the one, but for the sign.
  private let backX, backY: V
  /// Half the sides of the upright box around the one, in the other's frame; and the reverse.
  private let extentX, extentY, backExtentX, backExtentY: V

  @inline(__always)
  init(_ one: RotatedBoxLanes, _ other: RotatedBoxLanes) {
    let (dx, dy) = (one.centerX - other.centerX, one.centerY - other.centerY)
    cosine = one.cosine * other.cosine + one.sine * other.sine
    sine = one.sine * other.cosine - one.cosine * other.sine
    x = dx * other.cosine + dy * other.sine
    y = dy * other.cosine - dx * other.sine
    backX = dx * one.cosine + dy * one.sine
    backY = dy * one.cosine - dx * one.sine
    (extentX, extentY) = one.extents(cosine, sine)
    (backExtentX, backExtentY) = other.extents(cosine, sine)
  }

  /// Does the direction of a side separate them, or do they touch at most?
  @inline(__always)
  func isSeparated(_ one: RotatedBoxLanes, _ other: RotatedBoxLanes) -> V.Integers {
    (other.halfWidth + extentX .<= x.magnitude) | (other.halfHeight + extentY .<= y.magnitude)
      | (one.halfWidth + backExtentX .<= backX.magnitude) | (one.halfHeight + backExtentY .<= backY.magnitude)
  }

  /// The area that the other shares with the upright box around the one.
  @inline(__always)
  func sharedExtents(_ other: RotatedBoxLanes) -> V {
    Self.shared(other.halfWidth, extentX, x.magnitude) * Self.shared(other.halfHeight, extentY, y.magnitude)
  }

  /// What two intervals about centres at that distance share. NaN stays.
  @inline(__always)
  private static func shared(_ half: V, _ otherHalf: V, _ distance: V) -> V {
    V.max(V.zero, V.min(V(2) * V.min(half, otherHalf), half + otherHalf - distance))
  }
}

/// Rotated boxes as arrays, each longer than `capacity` so that 16 boxes may be read anywhere.
struct RotatedBoxColumns {
  typealias V = DoubleLanes
  let centerX, centerY, halfWidth, halfHeight, cosine, sine, area, radius: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, capacity: Int) {
    let length = capacity &+ FloatLanes.count
    centerX = arena.take(Double.self, length)
    centerY = arena.take(Double.self, length)
    halfWidth = arena.take(Double.self, length)
    halfHeight = arena.take(Double.self, length)
    cosine = arena.take(Double.self, length)
    sine = arena.take(Double.self, length)
    area = arena.take(Double.self, length)
    radius = arena.take(Double.self, length)
  }

  /// Box `index` := the box at `box`: centre, width, height, angle. What follows from them is left to `prepare`.
  @inline(__always)
  func set<S: Scalar>(_ index: Int, _ box: UnsafePointer<S>) {
    centerX[index] = box[0].double
    centerY[index] = box[1].double
    halfWidth[index] = box[2].double
    halfHeight[index] = box[3].double
    cosine[index] = box[4].double
  }

  func set<S: Scalar>(_ boxes: UnsafePointer<S>, _ count: Int, clockwise: Bool) {
    for i in 0..<count { set(i, boxes + 5 &* i) }
    prepare(count, clockwise: clockwise)
  }

  /// Computes what overlaps are made of, for boxes that were set. Behind them stand empty ones.
  func prepare(_ count: Int, clockwise: Bool) {
    forEachVector(V.self, 0..<count) { i, n in
      let width = V.load(halfWidth + i, lanes: n), height = V.load(halfHeight + i, lanes: n)
      let angle = V.load(cosine + i, lanes: n)
      let halves = (V(0.5) * width.magnitude, V(0.5) * height.magnitude)
      let (cosine, sine) = Self.cosineAndSine(clockwise ? angle : -angle)
      V.load(centerX + i, lanes: n).store(centerX + i)
      V.load(centerY + i, lanes: n).store(centerY + i)
      halves.0.store(halfWidth + i)
      halves.1.store(halfHeight + i)
      cosine.store(self.cosine + i)
      sine.store(self.sine + i)
      (width * height).store(area + i)
      // A little more, for its own rounding and that of the distance it is compared with.
      (V(1 + 0x1p-40) * (halves.0 * halves.0 + halves.1 * halves.1).squareRoot).store(radius + i)
    }
    pad((count &+ 7) & ~7)
  }

  /// In turns, whose whole part is taken off exactly: the angle times 1/2π in two parts.
  @inline(__always)
  private static func cosineAndSine(_ angle: V) -> (V, V) {
    let turns = angle * V(0x1.45f306dc9c883p-3)
    let rest = V.fma(angle, V(0x1.45f306dc9c883p-3), -turns) + angle * V(-0x1.6b01ec5417056p-57)
    let shift = V(0x1.8p52)
    let part = (turns - ((turns + shift) - shift)) + rest
    return (V.cosineOfTurns(part), V.cosineOfTurns(part - V(0.25)))
  }

  /// Box `index` := box `other` of `columns`.
  @inline(__always)
  func set(_ index: Int, _ columns: Self, _ other: Int) {
    centerX[index] = columns.centerX[other]
    centerY[index] = columns.centerY[other]
    halfWidth[index] = columns.halfWidth[other]
    halfHeight[index] = columns.halfHeight[other]
    cosine[index] = columns.cosine[other]
    sine[index] = columns.sine[other]
    area[index] = columns.area[other]
    radius[index] = columns.radius[other]
  }

  /// Empty boxes from `count` on, for the length of a vector.
  @inline(__always)
  func pad(_ count: Int) {
    V.zero.store(centerX + count)
    V.zero.store(centerY + count)
    V.zero.store(halfWidth + count)
    V.zero.store(halfHeight + count)
    V.zero.store(cosine + count)
    V.zero.store(sine + count)
    V.zero.store(area + count)
    V.zero.store(radius + count)
  }

  /// The boxes at `index ..< index + 8`.
  @inline(__always)
  func load(_ index: Int) -> RotatedBoxLanes { boxes { V.load($0 + index) } }

  /// The box at `index` in every lane.
  @inline(__always)
  func broadcast(_ index: Int) -> RotatedBoxLanes { boxes { V($0[index]) } }

  @inline(__always)
  private func boxes(_ lanes: (UnsafeMutablePointer<Double>) -> V) -> RotatedBoxLanes {
    RotatedBoxLanes(
      centerX: lanes(centerX), centerY: lanes(centerY), halfWidth: lanes(halfWidth), halfHeight: lanes(halfHeight),
      cosine: lanes(cosine), sine: lanes(sine), area: lanes(area), radius: lanes(radius))
  }
}
