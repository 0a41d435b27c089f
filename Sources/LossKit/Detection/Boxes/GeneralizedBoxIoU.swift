/// Generalized IoU of every box of one list with every box of another: boxes that do not meet are told apart by how
/// far they are from meeting.
///
///     GIoU = IoU − (C − U) / C,  in −1 … 1
///
/// with the area C of the smallest box around both; the second term is 0 where C = 0. IoU and U are those of `boxIoU`.
///
/// - Parameters:
///   - boxes1: `[count1, 4]`, x1, y1, x2, y2, not validated. NaN gives NaN.
///   - boxes2: `[count2, 4]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0.
///   - giou: output, `[count1, count2]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Rezatofighi et al. 2019, Generalized Intersection over Union; torchvision.ops.generalized_box_iou.
func generalizedBoxIoU<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count1: Int, _ count2: Int,
  _ giou: UnsafeMutablePointer<S>?
) -> Status {
  boxPairs(GeneralizedIoU<S.Vector>(), boxes1, boxes2, count1, count2, giou)
}

private struct GeneralizedIoU<V: Lanes>: BoxPairFormula {
  @inline(__always) func value(_ first: PairedBox<V>, _ second: PairedBox<V>) -> V {
    let (intersection, union) = first.box.overlap(with: second.box)
    let (width, height) = first.box.enclosure(with: second.box)
    let enclosing = width * height
    let empty = V.select(enclosing .== V.zero, V.zero, (enclosing - union) / enclosing)
    return BoxLanes.ratio(intersection, union) - empty
  }
}
