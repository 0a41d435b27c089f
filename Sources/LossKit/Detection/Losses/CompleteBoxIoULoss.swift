/// Complete-IoU loss of pairs of boxes: overlap, distance of the centres and aspect ratio.
///
///     L = L_DIoU + α v,  v = (4/π²) Δ²,  Δ = atan(w2/h2) − atan(w1/h1),  α = v / (1 − IoU + v + ε)
///
/// α is constant for the gradient. A box without extent has the angle 0, and no gradient of it.
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
/// - Reference: Zheng et al. 2020, Distance-IoU Loss; torchvision.ops.complete_box_iou_loss, whose ε in the part of
///   DIoU is fixed.
func completeBoxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ eps: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  boxLoss(
    CompleteBoxIoULoss<S.Vector>(), boxes1, boxes2, count, eps, reduction, sampleWeight, loss, gradBoxes1, gradBoxes2)
}

private struct CompleteBoxIoULoss<V: Lanes>: BoxLoss {
  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    var partials = BoxPartials<V>()
    partials.subtractOverlap(pair)
    let distance = CentreDistance(pair), aspect = AspectDifference(pair)
    let alpha = aspect.weight(pair)
    distance.add(to: &partials, scale: V.one)
    aspect.add(to: &partials, scale: alpha)
    return (pair.complement + distance.value + alpha * aspect.value, partials)
  }
}
