/// Distance IoU of every box of one list with every box of another: IoU less how far the centres are apart.
///
///     DIoU = IoU − ρ² / (cw² + ch² + eps)
///
/// with the squared distance ρ² of the centres and the sides cw, ch of the smallest box around both. IoU is that of
/// `boxIoU`.
///
/// - Parameters:
///   - boxes1: `[count1, 4]`, x1, y1, x2, y2, not validated. NaN gives NaN.
///   - boxes2: `[count2, 4]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0.
///   - eps: ≥ 0 (default 1e-7).
///   - diou: output, `[count1, count2]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Zheng et al. 2020, Distance-IoU Loss; torchvision.ops.distance_box_iou.
func distanceBoxIoU<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count1: Int, _ count2: Int, _ eps: Double,
  _ diou: UnsafeMutablePointer<S>?
) -> Status {
  guard eps >= 0 else { return .invalidParameter }
  return boxPairs(DistanceIoU<S.Vector>(eps: S.Vector(eps)), boxes1, boxes2, count1, count2, diou)
}

/// Complete IoU of every box of one list with every box of another: DIoU less how much the aspect ratios differ.
///
///     CIoU = DIoU − α v,  v = (4/π²)(atan2(w, h) − atan2(w′, h′))²,  α = v / (1 − IoU + v + eps)
///
/// DIoU is that of `distanceBoxIoU`. The angle of a point is 0.
///
/// - Parameters:
///   - boxes1: `[count1, 4]`, x1, y1, x2, y2, not validated. NaN gives NaN.
///   - boxes2: `[count2, 4]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0.
///   - eps: ≥ 0 (default 1e-7).
///   - ciou: output, `[count1, count2]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Zheng et al. 2020, Distance-IoU Loss; torchvision.ops.complete_box_iou.
func completeBoxIoU<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count1: Int, _ count2: Int, _ eps: Double,
  _ ciou: UnsafeMutablePointer<S>?
) -> Status {
  guard eps >= 0 else { return .invalidParameter }
  return boxPairs(CompleteIoU<S.Vector>(eps: S.Vector(eps)), boxes1, boxes2, count1, count2, ciou)
}

private struct DistanceIoU<V: Lanes>: BoxPairFormula {
  let eps: V

  @inline(__always) func value(_ first: PairedBox<V>, _ second: PairedBox<V>) -> V {
    values(first.box, second.box).diou
  }

  @inline(__always) func values(_ first: BoxLanes<V>, _ second: BoxLanes<V>) -> (iou: V, diou: V) {
    let iou = first.intersectionOverUnion(with: second)
    let (width, height) = first.enclosure(with: second)
    return (iou, iou - first.squaredDistance(to: second) / (width * width + height * height + eps))
  }
}

private struct CompleteIoU<V: Lanes>: BoxPairFormula {
  let eps: V

  /// The angle of the diagonal.
  @inline(__always) func property(_ box: BoxLanes<V>) -> V { V.atan2(box.x2 - box.x1, box.y2 - box.y1) }

  @inline(__always) func value(_ first: PairedBox<V>, _ second: PairedBox<V>) -> V {
    let (iou, diou) = DistanceIoU(eps: eps).values(first.box, second.box)
    let difference = first.property - second.property
    let v = V(0.40528473456935109) * (difference * difference)  // 4/π²
    return diou - v * v / (V.one - iou + v + eps)
  }
}
