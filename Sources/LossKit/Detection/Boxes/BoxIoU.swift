/// Intersection over union of every box of one list with every box of another.
///
///     iw = max(0, min(x2, x2′) − max(x1, x1′) + offset),  ih likewise,  I = iw · ih
///     U = A + A′ − I,  A = (x2 − x1 + offset)(y2 − y1 + offset),  IoU = I / U,  0 where U = 0
///
/// Boxes are not validated: a reversed box has the area as computed. NaN coordinates give NaN. In single precision every
/// operation is rounded to single precision, in the order above, with a true division.
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
  guard offset == 0 || offset == 1 else { return .invalidParameter }
  return boxPairs(IntersectionOverUnion<S.Vector>(offset: S.Vector(offset)), boxes1, boxes2, count1, count2, iou)
}

private struct IntersectionOverUnion<V: Lanes>: BoxPairFormula {
  let offset: V

  @inline(__always) func box(_ corners: Quads<V>) -> BoxLanes<V> { corners.boxes(offset: offset) }

  @inline(__always) func value(_ first: PairedBox<V>, _ second: PairedBox<V>) -> V {
    first.box.intersectionOverUnion(with: second.box, offset: offset)
  }
}
