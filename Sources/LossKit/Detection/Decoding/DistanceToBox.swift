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
  let limits = ImageLimits<S>(hasImageSize, height, width)
  forEachRowVector(S.Vector.self, count) { row, n in
    let sides = sidesFromDistances(points, distances, row, n)
    Quads(limits.clipX(sides.a), limits.clipY(sides.b), limits.clipX(sides.c), limits.clipY(sides.d))
      .store(boxes + 4 &* row, rows: n)
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
  let limits = ImageLimits<S>(hasImageSize, height, width)
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

@inline(__always)
private func sidesFromDistances<S: Scalar>(
  _ points: UnsafePointer<S>, _ distances: UnsafePointer<S>, _ row: Int, _ n: Int
) -> Quads<S.Vector> {
  let (x, y): (S.Vector, S.Vector) = loadPairs(points + 2 &* row, rows: n)
  let d = Quads<S.Vector>(distances + 4 &* row, rows: n)
  return Quads(x - d.a, y - d.b, x + d.c, y + d.d)
}

/// The rectangle of an image; without a size, the plane.
private struct ImageLimits<S: Scalar> {
  typealias V = S.Vector
  private let lowest, right, bottom: S

  init(_ hasSize: Bool, _ height: Double, _ width: Double) {
    lowest = hasSize ? 0 : -S.infinity
    right = hasSize ? S(width) : S.infinity
    bottom = hasSize ? S(height) : S.infinity
  }

  // The bound stands first: where x is NaN, max and min give x.
  @inline(__always) func clipX(_ x: V) -> V { V.min(V(right), V.max(V(lowest), x)) }
  @inline(__always) func clipY(_ y: V) -> V { V.min(V(bottom), V.max(V(lowest), y)) }
  @inline(__always) func isOutsideX(_ x: V) -> V.Integers { (x .< V(lowest)) | (V(right) .< x) }
  @inline(__always) func isOutsideY(_ y: V) -> V.Integers { (y .< V(lowest)) | (V(bottom) .< y) }
}
