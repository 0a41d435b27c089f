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

  /// Is the area of a box too small to be one?
  @inline(__always) private var isEmpty: V.Integers { area .< V(1e-14) }

  /// Intersection over union, or over this box's area; 0 where one of the areas is less than 1e-14.
  @inline(__always)
  func overlap(with other: Self, overFirst: Bool) -> V {
    // Circles that do not meet: nearly all pairs, nearly always.
    let (x, y) = (centerX - other.centerX, centerY - other.centerY)
    let reach = radius + other.radius
    let isApart = (reach * reach .< x * x + y * y) | isEmpty | other.isEmpty
    if !(~isApart).any { return V.zero }
    let both = intersection(with: other, x, y)
    // NaN stays: the difference is 0 or NaN.
    let whole = overFirst ? area + (other.area - other.area) : area + other.area - both
    return V.select(isApart, V.zero, both / whole)
  }

  /// - Parameters:
  ///   - x: from the other's centre to this one.
  ///   - y: likewise.
  @inline(__always)
  private func intersection(with other: Self, _ x: V, _ y: V) -> V {
    // The rotation from the other's frame to this one's.
    let c = cosine * other.cosine + sine * other.sine
    let s = sine * other.cosine - cosine * other.sine
    let seen = Self.rotated(x, y, other.cosine, other.sine)
    let seeing = Self.rotated(x, y, cosine, sine)
    let extent = Self.extent(halfWidth, halfHeight, c, s)
    let otherExtent = Self.extent(other.halfWidth, other.halfHeight, c, s)
    let isApart = (other.halfWidth + extent.x .<= seen.x.magnitude) | (other.halfHeight + extent.y .<= seen.y.magnitude)
      | (halfWidth + otherExtent.x .<= seeing.x.magnitude) | (halfHeight + otherExtent.y .<= seeing.y.magnitude)

    let along = (x: halfWidth * c, y: halfWidth * s)
    let across = (x: -(halfHeight * s), y: halfHeight * c)
    let far = (x: seen.x + across.x, y: seen.y + across.y)
    let near = (x: seen.x - across.x, y: seen.y - across.y)
    let outline = Outline(halfWidth: other.halfWidth, halfHeight: other.halfHeight)
    let a = outline.corner(far.x + along.x, far.y + along.y)
    let b = outline.corner(far.x - along.x, far.y - along.y)
    let d = outline.corner(near.x - along.x, near.y - along.y)
    let e = outline.corner(near.x + along.x, near.y + along.y)
    let (slope, steep) = (s / c, -(c / s))
    let area = (outline.area(from: b, to: a, slope) - outline.area(from: d, to: e, slope))
      + (outline.area(from: d, to: b, steep) - outline.area(from: e, to: a, steep))
    let limited = V.min(V.min(self.area, other.area), V.max(V.zero, area))
    return V.select(isApart, V.zero, limited)
  }

  @inline(__always)
  private static func rotated(_ x: V, _ y: V, _ cosine: V, _ sine: V) -> (x: V, y: V) {
    (x * cosine + y * sine, y * cosine - x * sine)
  }

  /// Half the sides of the upright box around a box that is rotated.
  @inline(__always)
  private static func extent(_ halfWidth: V, _ halfHeight: V, _ cosine: V, _ sine: V) -> (x: V, y: V) {
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
    V.zero.store(area + ((count &+ 7) & ~7))
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
