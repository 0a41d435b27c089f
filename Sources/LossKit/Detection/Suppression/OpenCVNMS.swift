/// Greedy non-maximum suppression as OpenCV has it: boxes are corner and size, bad scores are left out, and the
/// threshold t may fall.
///
///     overlap = I/(A + A′ − I),  1 where A + A′ ≤ 2.2e-16
///
/// Of the boxes with scores above `scoreThreshold`, in descending order (equal ones: lower indices first), the first
/// `topK` are candidates. One is kept unless its overlap with a box kept before exceeds t. After each kept box, with
/// `eta` < 1 and t > ½, t ← t · eta.
///
/// - Parameters:
///   - bboxes: `[count, 4]`, x, y, width, height; not validated. NaN coordinates neither suppress nor are suppressed.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - scoreThreshold: any number but NaN.
///   - nmsThreshold: t at first, any number but NaN.
///   - eta: > 0 (1).
///   - topK: ≥ 0; 0 for all (0).
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `nmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: OpenCV, cv::dnn::NMSBoxes.
func cvNmsBoxes<S: Scalar>(
  _ bboxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ scoreThreshold: Double,
  _ nmsThreshold: Double, _ eta: Double, _ topK: Int, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ keptCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(bboxes, scores, count, capacity, keptCount, workspace, workspaceSize)(
    keep, isValid: scoreThreshold == scoreThreshold && nmsThreshold == nmsThreshold && eta > 0 && topK >= 0,
    layout: { GroupedSuppression<S>(&$0, capacity: count, isBatched: false, threshold: nmsThreshold) },
    ranked: { $0 },
    run: { suppression, bboxes, scores in
      suppression.rank(scores, count, above: scoreThreshold, most: topK == 0 ? .max : topK)
      suppression.fill(hasAreas: true) { columns, place, box in
        let (x1, y1, x2, y2, area) = sized(bboxes + 4 &* box)
        columns.set(place, x1, y1, x2, y2, area: area)
      }
      let rule = SuppressionRule(areaOfNone: .ulpOfOne, areasFollowSides: false)
      return eta < 1 ? suppression.suppress(eta: eta, rule) : suppression.suppress(rule)
    })
}

/// Soft non-maximum suppression as OpenCV has it: as `softNms`, of boxes that are corner and size, with the overlap of
/// `cvNmsBoxes`.
///
/// - Parameters:
///   - bboxes: `[count, 4]`, x, y, width, height; not validated. NaN coordinates neither decay others nor are decayed.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - scoreThreshold: boxes below it are not returned; any number but NaN.
///   - nmsThreshold: the overlap above which scores decay, for linear and hard; any number but NaN.
///   - topK: the most boxes to return, ≥ 0; 0 for all (0).
///   - sigma: for gaussian, ≥ 0 (0.5).
///   - method: how scores decay (gaussian).
///   - updatedScores: optional output, `[capacity]`: the decayed scores, in the order of selection.
///   - indices: optional output, `[capacity]`: the selected boxes.
///   - capacity: entries that the outputs have room for; `count` always suffices. If more boxes are selected:
///     BUFFER_TOO_SMALL, and `selectedCount` is the number needed.
///   - selectedCount: output, the number of boxes selected.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `cvSoftNmsBoxesWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: OpenCV, cv::dnn::softNMSBoxes.
func cvSoftNmsBoxes<S: Scalar>(
  _ bboxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ scoreThreshold: Double,
  _ nmsThreshold: Double, _ topK: Int, _ sigma: Double, _ method: SoftNmsMethod,
  _ updatedScores: UnsafeMutablePointer<S>?, _ indices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ selectedCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  let rule = SoftNmsRule(
    method: method, iouThreshold: nmsThreshold, sigma: sigma, scoreThreshold: scoreThreshold,
    maxOutput: topK == 0 ? .max : topK, offset: 0, areaOfNone: .ulpOfOne)
  return SuppressionCall(bboxes, scores, count, capacity, selectedCount, workspace, workspaceSize)(
    rule, indices, updatedScores, layout: { SizedBoxes<S>(&$0, capacity: count) }, suppressor: { $0.suppressor }
  ) { state, bboxes, scores in
    for box in 0..<count {
      let (x1, y1, x2, y2, area) = sized(bboxes + 4 &* box)
      let corners = state.corners + 4 &* box
      (corners[0], corners[1], corners[2], corners[3], state.areas[box]) = (x1, y1, x2, y2, area)
    }
    return rule.run(&state.suppressor, state.corners, scores, nil, count, areas: state.areas)
  }
}

/// The workspace that `cvSoftNmsBoxes` wants, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func cvSoftNmsBoxesWorkspaceSize(_ count: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { SizedBoxes<Double>(&$0, capacity: count) }
  return .ok
}

/// Boxes that came as corner and size.
private struct SizedBoxes<S: Scalar> {
  var suppressor: SoftSuppressor<S>
  let corners, areas: UnsafeMutablePointer<S>

  init(_ arena: inout Arena, capacity: Int) {
    suppressor = SoftSuppressor(&arena, capacity: capacity, isBatched: false)
    corners = arena.take(S.self, 4 &* capacity)
    areas = arena.take(S.self, capacity)
  }
}

/// The corners and the area of a box that is x, y, width, height; the area is NaN if a corner is.
@inline(__always)
private func sized<S: Scalar>(_ box: UnsafePointer<S>) -> (x1: S, y1: S, x2: S, y2: S, area: S) {
  let (right, bottom) = (box[0] + box[2], box[1] + box[3])
  let isBox = right == right && bottom == bottom
  return (box[0], box[1], right, bottom, isBox ? box[2] * box[3] : .nan)
}
