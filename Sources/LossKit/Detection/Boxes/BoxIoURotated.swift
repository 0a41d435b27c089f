/// What the intersection of two boxes is divided by.
enum OverlapMode: Int32 {
  /// The union: intersection over union.
  case iou = 0
  /// The first box: intersection over foreground.
  case iof = 1
}

/// Overlap of rotated boxes: of every box of one list with every box of another, or of pairs.
///
/// A box is the rectangle of width w and height h about (cx, cy), turned by θ: with y pointing down, clockwise by
///
///     (x, y) → (x cos θ − y sin θ, x sin θ + y cos θ)
///
/// The overlap is I / (A + A′ − I) or I / A with the area I of the convex polygon that both share; 0 where an area w h is
/// less than 1e-14. It is computed in double precision whatever the boxes are in.
///
/// - Parameters:
///   - boxes1: `[count1, 5]`, cx, cy, w, h, θ in radians. NaN gives NaN.
///   - boxes2: `[count2, 5]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0; if `aligned`, equal to `count1`.
///   - mode: what the intersection is divided by (default iou).
///   - aligned: whether box i of one list goes with box i of the other alone.
///   - clockwise: if false, θ is counter-clockwise.
///   - overlaps: output of `count1` × `count2` numbers, `count1` if `aligned`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY: the boxes are copied.
/// - Reference: mmcv.ops.box_iou_rotated, torchvision.ops.box_iou.
func boxIoURotated<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count1: Int, _ count2: Int, _ mode: OverlapMode,
  _ aligned: Bool, _ clockwise: Bool, _ overlaps: UnsafeMutablePointer<S>?
) -> Status {
  guard let pairs = elementCount(count1, count2), elementCount(count1, 16) != nil, elementCount(count2, 16) != nil,
    !aligned || count1 == count2
  else { return .invalidShape }
  if pairs == 0 { return .ok }
  guard let boxes1, let boxes2, let overlaps else { return .nullPointer }
  return withWorkspace(
    layout: { (RotatedBoxColumns(&$0, capacity: count1), RotatedBoxColumns(&$0, capacity: count2)) }
  ) { columns in
    columns.0.set(boxes1, count1, clockwise: clockwise)
    columns.1.set(boxes2, count2, clockwise: clockwise)
    let split = aligned ? Split(count1, smallest: 512, multiple: S.Vector.count) : Split(count1, smallest: 8)
    parallel(
      split.parts,
      RotatedOverlapJob(
        boxes1: columns.0, boxes2: columns.1, count2: count2, overFirst: mode == .iof, isAligned: aligned,
        overlaps: overlaps, split: split))
    return .ok
  }
}

private struct RotatedOverlapJob<S: Scalar>: ParallelJob {
  typealias V = S.Vector
  let boxes1, boxes2: RotatedBoxColumns
  let count2: Int
  let overFirst, isAligned: Bool
  let overlaps: UnsafeMutablePointer<S>
  let split: Split

  func run(part: Int) {
    if isAligned {
      forEachVector(V.self, split.range(part)) { i, n in
        overlap({ boxes1.load(i &+ $0) }, i).store(overlaps + i, lanes: n)
      }
    } else {
      for row in split.range(part) {
        let box = boxes1.broadcast(row)
        forEachVector(V.self, 0..<count2) { column, n in
          overlap({ _ in box }, column).store(overlaps + (row &* count2 &+ column), lanes: n)
        }
      }
    }
  }

  /// With the boxes of the second list from `column` on, eight at a time.
  @inline(__always)
  private func overlap(_ first: (Int) -> RotatedBoxLanes, _ column: Int) -> V {
    let half = DoubleLanes.count
    let low = first(0).overlap(with: boxes2.load(column), overFirst: overFirst)
    if V.count == half { return V(low, low) }
    return V(low, first(half).overlap(with: boxes2.load(column &+ half), overFirst: overFirst))
  }
}
