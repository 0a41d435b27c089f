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
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Tian et al. 2019, FCOS: Fully Convolutional One-Stage Object Detection.
func distanceToBox<S: Scalar>(
  _ points: UnsafePointer<S>?, _ distances: UnsafePointer<S>?, _ count: Int, _ hasImageSize: Bool, _ height: Double,
  _ width: Double, _ boxes: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard !hasImageSize || (height >= 0 && width >= 0) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let points, let distances, let boxes else { return .nullPointer }
  let limits = ImageLimits<S>(hasImageSize, height: height, width: width)
  forEachRowVector(S.Vector.self, count) { row, n in
    limits.clip(sidesFromDistances(points, distances, row, n)).store(boxes + 4 &* row, rows: n)
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
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func distanceToBoxVjp<S: Scalar>(
  _ points: UnsafePointer<S>?, _ distances: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int,
  _ hasImageSize: Bool, _ height: Double, _ width: Double, _ gradDistances: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard !hasImageSize || (height >= 0 && width >= 0) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let points, let distances, let gradOutput, let gradDistances else { return .nullPointer }
  let limits = ImageLimits<S>(hasImageSize, height: height, width: width)
  forEachRowVector(S.Vector.self, count) { row, n in
    typealias V = S.Vector
    let sides = sidesFromDistances(points, distances, row, n)
    let grad = Quads<V>(gradOutput + 4 &* row, rows: n)
    Quads(
      V.select(limits.isOutsideX(sides.a), V.zero, -grad.a), V.select(limits.isOutsideY(sides.b), V.zero, -grad.b),
      V.select(limits.isOutsideX(sides.c), V.zero, grad.c), V.select(limits.isOutsideY(sides.d), V.zero, grad.d)
    ).store(gradDistances + 4 &* row, rows: n)
  }
  return .ok
}

/// Distances of a point to the four sides of a box: the inverse of `distanceToBox`.
///
///     (x − x1, y − y1, x2 − x, y2 − y), clamped to [0, maxDistance − eps] if a largest distance is given
///
/// - Parameters:
///   - points: `[count, 2]`, x, y.
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - count: ≥ 0.
///   - hasMaxDistance: whether to clamp; if false, `maxDistance` and `eps` are not read.
///   - maxDistance: the last bin of a distribution over distances, for instance.
///   - eps: ≤ `maxDistance` (default 0.1).
///   - distances: output, `[count, 4]`, left, top, right, bottom; may be `boxes` itself. NaN propagates.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Tian et al. 2019, FCOS: Fully Convolutional One-Stage Object Detection.
func boxToDistance<S: Scalar>(
  _ points: UnsafePointer<S>?, _ boxes: UnsafePointer<S>?, _ count: Int, _ hasMaxDistance: Bool, _ maxDistance: Double,
  _ eps: Double, _ distances: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard !hasMaxDistance || maxDistance - eps >= 0 else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let points, let boxes, let distances else { return .nullPointer }
  // The limits of an image that is as high as wide.
  let largest = maxDistance - eps
  let limits = ImageLimits<S>(hasMaxDistance, height: largest, width: largest)
  forEachRowVector(S.Vector.self, count) { row, n in
    let (x, y): (S.Vector, S.Vector) = loadPairs(points + 2 &* row, rows: n)
    let box = Quads<S.Vector>(boxes + 4 &* row, rows: n)
    limits.clip(Quads(x - box.a, y - box.b, box.c - x, box.d - y)).store(distances + 4 &* row, rows: n)
  }
  return .ok
}

@inline(__always)
private func sidesFromDistances<S: Scalar>(
  _ points: UnsafePointer<S>, _ distances: UnsafePointer<S>, _ row: Int, _ n: Int
) -> Quads<S.Vector> {
  let (x, y): (S.Vector, S.Vector) = loadPairs(points + 2 &* row, rows: n)
  let d = Quads<S.Vector>(distances + 4 &* row, rows: n)
  return Quads(x - d.a, y - d.b, x + d.c, y + d.d)
}
