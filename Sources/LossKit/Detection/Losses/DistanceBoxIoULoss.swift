/// Distance-IoU loss of pairs of boxes.
///
///     L = 1 − IoU + ρ² / c²,  IoU = I / (U + ε),  c² = cw² + ch² + ε
///
/// with the distance ρ of the centres and the sides cw, ch of the enclosing box.
///
/// - Parameters:
///   - boxes1: `[count, 4]`, x1, y1, x2, y2; not validated. NaN propagates to its own row.
///   - boxes2: `[count, 4]`: row i of `boxes1` belongs with row i of these.
///   - count: ≥ 0.
///   - eps: ε ≥ 0, default 1e-7.
///   - reduction: default none; the mean divides by Σ s_i.
///   - sampleWeight: optional, one per pair, ≥ 0, default 1.
///   - loss: optional output, one value, or one per pair without reduction.
///   - gradBoxes1: optional output, `[count, 4]`. Where a side is shared by both boxes, each gets half of what moving
///     it does.
///   - gradBoxes2: optional output, `[count, 4]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Zheng et al. 2020, Distance-IoU Loss; torchvision.ops.distance_box_iou_loss.
func distanceBoxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ eps: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  boxLoss(
    OverlapLoss<CentreDistance<S.Vector>>(), boxes1, boxes2, count, eps, reduction, sampleWeight, loss, gradBoxes1,
    gradBoxes2)
}
