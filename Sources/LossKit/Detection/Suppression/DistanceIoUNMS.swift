/// Greedy non-maximum suppression by the distance-IoU: as `nms`, with the measure
///
///     IoU − (ρ²/(c² + eps))^beta
///
/// where ρ is the distance of the boxes' centres and c the diagonal of the smallest box around both. So a box is spared
/// if it overlaps a better one but lies elsewhere.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2; not validated. NaN coordinates neither suppress nor are suppressed.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: for the measure, any number but NaN (0.5).
///   - beta: ≥ 0 (1).
///   - eps: ≥ 0 (1e-7).
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `nmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Zheng et al. 2020, Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression.
func diouNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ iouThreshold: Double, _ beta: Double,
  _ eps: Double, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ keptCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, keptCount, workspace, workspaceSize)(
    keep, isValid: iouThreshold == iouThreshold && beta >= 0 && eps >= 0,
    layout: {
      RankedSuppression<S, DistanceOverlap<S.Vector>>(
        &$0, capacity: count, isBatched: false, threshold: iouThreshold,
        measure: DistanceOverlap(beta: S(beta), eps: S(eps)))
    },
    ranked: { $0 },
    run: { suppression, boxes, scores in suppression.run(boxes, scores, nil, count) })
}
