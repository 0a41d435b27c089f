/// Boxes from the distances of a point to the four sides (FCOS and other anchor-free heads).
///
///     (x − l, y − t, x + r, y + b), clipped to [0, width] × [0, height] if an image size is given
///
/// Distances in units of a stride are multiplied by it beforehand.
///
/// - Parameters:
///   - points: `[count, 2]`, x, y.
///   - distances: `[count, 4]`, left, top, right, bottom.
///   - count: ≥ 0.
///   - hasImageSize: whether to clip; if false, `height` and `width` are not read.
///   - height: of the image, ≥ 0.
///   - width: of the image, ≥ 0.
///   - boxes: output, `[count, 4]`, x1, y1, x2, y2; may be `distances` itself. NaN propagates.
func distanceToBox<S: Scalar>(
  _ points: UnsafePointer<S>?, _ distances: UnsafePointer<S>?, _ count: Int, _ hasImageSize: Bool, _ height: Double,
  _ width: Double, _ boxes: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard !hasImageSize || (height >= 0 && width >= 0) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let points, let distances, let boxes else { return .nullPointer }
  let limits = ImageLimits<S.Vector>(hasImageSize, height, width)
  forEachRowVector(S.Vector.self, count) { row, n in
    let sides = sidesFromDistances(points, distances, row, n)
    Quads(
      limits.clipX(sides.columns[0]), limits.clipY(sides.columns[1]), limits.clipX(sides.columns[2]),
      limits.clipY(sides.columns[3])
    ).store(boxes + 4 &* row, rows: n)
  }
  return .ok
}

/// Vector-Jacobian product of `distanceToBox` with respect to the distances.
///
///     (−g_x1, −g_y1, g_x2, g_y2), 0 where a side was clipped from strictly outside the image
///
/// - Parameters:
///   - points: `[count, 2]`, x, y.
///   - distances: `[count, 4]`, left, top, right, bottom.
///   - gradOutput: `[count, 4]`, the incoming gradient of the boxes.
///   - count: ≥ 0.
///   - hasImageSize: whether `distanceToBox` clipped; if false, `height` and `width` are not read.
///   - height: of the image, ≥ 0.
///   - width: of the image, ≥ 0.
///   - gradDistances: output, `[count, 4]`; may be `distances` or `gradOutput` itself.
func distanceToBoxVjp<S: Scalar>(
  _ points: UnsafePointer<S>?, _ distances: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int,
  _ hasImageSize: Bool, _ height: Double, _ width: Double, _ gradDistances: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard !hasImageSize || (height >= 0 && width >= 0) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let points, let distances, let gradOutput, let gradDistances else { return .nullPointer }
  let limits = ImageLimits<S.Vector>(hasImageSize, height, width)
  forEachRowVector(S.Vector.self, count) { row, n in
    typealias V = S.Vector
    let sides = sidesFromDistances(points, distances, row, n).columns
    let grad = Quads<V>(gradOutput + 4 &* row, rows: n).columns
    Quads(
      V.select(limits.isOutsideX(sides[0]), V.zero, -grad[0]), V.select(limits.isOutsideY(sides[1]), V.zero, -grad[1]),
      V.select(limits.isOutsideX(sides[2]), V.zero, grad[2]), V.select(limits.isOutsideY(sides[3]), V.zero, grad[3])
    ).store(gradDistances + 4 &* row, rows: n)
  }
  return .ok
}

@inline(__always)
private func sidesFromDistances<S: Scalar>(
  _ points: UnsafePointer<S>, _ distances: UnsafePointer<S>, _ row: Int, _ n: Int
) -> Quads<S.Vector> {
  let (x, y): (S.Vector, S.Vector) = loadPairs(points + 2 &* row, rows: n)
  let d = Quads<S.Vector>(distances + 4 &* row, rows: n).columns
  return Quads(x - d[0], y - d[1], x + d[2], y + d[3])
}

/// The rectangle of an image; without a size, the plane.
struct ImageLimits<V: Lanes> {
  private let left: V
  private let right: V
  private let bottom: V

  init(_ hasSize: Bool, _ height: Double, _ width: Double) {
    left = hasSize ? V.zero : -V.infinity
    right = hasSize ? V(width) : V.infinity
    bottom = hasSize ? V(height) : V.infinity
  }

  // The bound stands first: where x is NaN, max and min give x.
  @inline(__always) func clipX(_ x: V) -> V { V.min(right, V.max(left, x)) }
  @inline(__always) func clipY(_ y: V) -> V { V.min(bottom, V.max(left, y)) }
  @inline(__always) func isOutsideX(_ x: V) -> V.Integers { (x .< left) | (right .< x) }
  @inline(__always) func isOutsideY(_ y: V) -> V.Integers { (y .< left) | (bottom .< y) }
}
