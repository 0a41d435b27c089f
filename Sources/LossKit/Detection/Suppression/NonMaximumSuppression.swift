/// Greedy non-maximum suppression: in descending order of score, a box is kept unless its IoU with a box kept before
/// exceeds the threshold.
///
///     IoU = I / U,  U = A + A′ − I,  0 where U = 0
///
/// Equal scores are taken in ascending order of index. Boxes are not validated: a reversed box has the area
/// (x2 − x1)(y2 − y1) as computed, and NaN coordinates neither suppress nor are suppressed. In single precision IoU is
/// computed in single precision, with a true division, and compared with `iouThreshold` itself: the result is
/// that of `torchvision.ops.nms`, ties included.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: any number but NaN; from 1 on every box is kept, below 0 the best one alone.
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `nmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
func nms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ iouThreshold: Double,
  _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ keptCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  suppress(
    boxes, scores, nil, count, isBatched: false, iouThreshold, keep, capacity, keptCount, workspace, workspaceSize)
}

/// Non-maximum suppression within groups: only boxes with equal `idxs` suppress each other.
///
/// What `nms` of each group keeps, together in descending order of score. Groups are told apart by their number, not by
/// shifting coordinates, so no bit of a coordinate is lost.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - idxs: `[count]`, the group (class, image, …) of each box: any numbers.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: any number but NaN; from 1 on every box is kept, below 0 the best one of each group.
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `nmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
func batchedNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ idxs: UnsafePointer<Int64>?, _ count: Int,
  _ iouThreshold: Double, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ keptCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  suppress(
    boxes, scores, idxs, count, isBatched: true, iouThreshold, keep, capacity, keptCount, workspace, workspaceSize)
}

/// The workspace that `nms`, `batchedNms`, `diouNms` and `cvNmsBoxes` want, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func nmsWorkspaceSize(_ count: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { GroupedSuppression<Double>(&$0, capacity: count, isBatched: true, threshold: 0) }
  return .ok
}

private func suppress<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ idxs: UnsafePointer<Int64>?, _ count: Int,
  isBatched: Bool, _ iouThreshold: Double, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ keptCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, keptCount, workspace, workspaceSize)(
    keep, isValid: iouThreshold == iouThreshold, hasInput: !isBatched || idxs != nil,
    layout: { GroupedSuppression<S>(&$0, capacity: count, isBatched: isBatched, threshold: iouThreshold) },
    ranked: { $0 },
    run: { suppression, boxes, scores in suppression.run(boxes, scores, idxs, count) })
}
