/// Intersection over union of every box of one list with every box of another.
///
///     iw = max(0, min(x2, x2′) − max(x1, x1′) + offset),  ih likewise,  I = iw · ih
///     U = A + A′ − I,  A = (x2 − x1 + offset)(y2 − y1 + offset),  IoU = I / U,  0 where U = 0
///
/// Boxes are not validated: a reversed box has the area as computed. NaN coordinates give NaN.
///
/// - Parameters:
///   - boxes1: `[count1, 4]`, x1, y1, x2, y2.
///   - boxes2: `[count2, 4]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0.
///   - offset: 0, or 1 for the old convention in which x2 and y2 are the last pixels inside.
///   - iou: output, `[count1, count2]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torchvision.ops.box_iou.
func boxIoU<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count1: Int, _ count2: Int, _ offset: Double,
  _ iou: UnsafeMutablePointer<S>?
) -> Status {
  guard let pairs = elementCount(count1, count2), elementCount(count1, 4) != nil, elementCount(count2, 4) != nil else {
    return .invalidShape
  }
  guard offset == 0 || offset == 1 else { return .invalidParameter }
  if pairs == 0 { return .ok }
  guard let boxes1, let boxes2, let iou else { return .nullPointer }
  // A block of rows passes while a vector of columns stays in registers.
  let split = Split(count1, smallest: 64)
  parallel(split.parts) { part in
    if offset == 0 {
      pairwiseIoU(boxes1, split.range(part), boxes2, count2, nil, iou)
    } else {
      pairwiseIoU(boxes1, split.range(part), boxes2, count2, S.Vector(offset), iou)
    }
  }
  return .ok
}

@inline(__always)
private func pairwiseIoU<S: Scalar>(
  _ boxes1: UnsafePointer<S>, _ rows: Range<Int>, _ boxes2: UnsafePointer<S>, _ count2: Int, _ offset: S.Vector?,
  _ iou: UnsafeMutablePointer<S>
) {
  typealias V = S.Vector
  forEachVector(V.self, 0..<count2) { column, n in
    let others = Quads<V>(boxes2 + 4 &* column, rows: n).boxes(offset: offset)
    for row in rows {
      let box = boxes1 + 4 &* row
      let lanes = BoxLanes(x1: V(box[0]), y1: V(box[1]), x2: V(box[2]), y2: V(box[3]), offset: offset)
      lanes.intersectionOverUnion(with: others, offset: offset).store(iou + (row &* count2 &+ column), lanes: n)
    }
  }
}
