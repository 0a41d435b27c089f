/// Soft non-maximum suppression: boxes that overlap better ones have their scores lowered instead of being removed.
///
///     repeat: select the box with the highest score (equal ones: the lowest index); if below scoreThreshold, stop
///             for every other box with o = IoU(selected, box):
///               linear    s ← s (1 − o) if o > iouThreshold
///               gaussian  s ← s e^{−o²/sigma}
///               hard      dropped if o > iouThreshold
///
/// The outputs are in the order of selection, which is that of non-increasing final scores. Boxes are not validated;
/// NaN coordinates neither decay others nor are decayed. The given scores are not changed.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - method: how scores decay.
///   - iouThreshold: for linear and hard, any number but NaN (0.3 in the paper's code).
///   - sigma: for gaussian, ≥ 0 (0.5 in the paper's code).
///   - scoreThreshold: boxes below it are not returned; any number but NaN (0.001 in the paper's code).
///   - maxOutput: the most boxes to return, ≥ 0; `count` or more for all.
///   - offset: 0, or 1 for the old convention in which x2 and y2 are the last pixels inside.
///   - indices: optional output, `[capacity]`: the selected boxes.
///   - newScores: optional output, `[capacity]`: their decayed scores.
///   - capacity: entries that the outputs have room for; `count` always suffices. If more boxes are selected:
///     BUFFER_TOO_SMALL, and `selectedCount` is the number needed.
///   - selectedCount: output, the number of boxes selected.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `softNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Bodla et al. 2017, Soft-NMS: Improving Object Detection with One Line of Code; its code uses
///   `offset` 1.
func softNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ method: SoftNmsMethod,
  _ iouThreshold: Double, _ sigma: Double, _ scoreThreshold: Double, _ maxOutput: Int, _ offset: Double,
  _ indices: UnsafeMutablePointer<Int64>?, _ newScores: UnsafeMutablePointer<S>?, _ capacity: Int,
  _ selectedCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  select(
    boxes, scores, nil, count, isBatched: false,
    SoftNmsRule(
      method: method, iouThreshold: iouThreshold, sigma: sigma, scoreThreshold: scoreThreshold, maxOutput: maxOutput,
      offset: offset),
    indices, newScores, capacity, selectedCount, workspace, workspaceSize)
}

/// Soft non-maximum suppression within groups: only boxes with equal `idxs` decay each other.
///
/// As `softNms` of each group, but selected together in descending order of score.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - idxs: `[count]`, the group (class, image, …) of each box: any numbers.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - method: how scores decay.
///   - iouThreshold: for linear and hard, any number but NaN.
///   - sigma: for gaussian, ≥ 0.
///   - scoreThreshold: boxes below it are not returned; any number but NaN.
///   - maxOutput: the most boxes to return, ≥ 0; `count` or more for all.
///   - offset: 0, or 1 for the old convention in which x2 and y2 are the last pixels inside.
///   - indices: optional output, `[capacity]`: the selected boxes.
///   - newScores: optional output, `[capacity]`: their decayed scores.
///   - capacity: entries that the outputs have room for; `count` always suffices. If more boxes are selected:
///     BUFFER_TOO_SMALL, and `selectedCount` is the number needed.
///   - selectedCount: output, the number of boxes selected.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `softNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
func batchedSoftNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ idxs: UnsafePointer<Int64>?, _ count: Int,
  _ method: SoftNmsMethod, _ iouThreshold: Double, _ sigma: Double, _ scoreThreshold: Double, _ maxOutput: Int,
  _ offset: Double, _ indices: UnsafeMutablePointer<Int64>?, _ newScores: UnsafeMutablePointer<S>?, _ capacity: Int,
  _ selectedCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  select(
    boxes, scores, idxs, count, isBatched: true,
    SoftNmsRule(
      method: method, iouThreshold: iouThreshold, sigma: sigma, scoreThreshold: scoreThreshold, maxOutput: maxOutput,
      offset: offset),
    indices, newScores, capacity, selectedCount, workspace, workspaceSize)
}

/// The workspace that `softNms` and `batchedSoftNms` want, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func softNmsWorkspaceSize(_ count: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { SoftSuppressor<Double>(&$0, capacity: count, isBatched: true) }
  return .ok
}

private func select<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ idxs: UnsafePointer<Int64>?, _ count: Int,
  isBatched: Bool, _ rule: SoftNmsRule, _ indices: UnsafeMutablePointer<Int64>?,
  _ newScores: UnsafeMutablePointer<S>?, _ capacity: Int, _ selectedCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, selectedCount, workspace, workspaceSize)(
    rule, indices, newScores, hasInput: !isBatched || idxs != nil,
    layout: { SoftSuppressor<S>(&$0, capacity: count, isBatched: isBatched) },
    suppressor: { $0 },
    run: { suppressor, boxes, scores in rule.run(&suppressor, boxes, scores, idxs, count) })
}
