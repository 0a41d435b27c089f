/// What Cluster-NMS measures of two boxes.
enum ClusterMetric: Int32 {
  /// IoU
  case iou = 0
  /// IoU − (ρ²/(c² + eps))^beta
  case diou = 1
}

/// Fast NMS: of the best `topK` boxes those are kept whose IoU with every better one, kept or not, does not exceed the
/// threshold.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2; not validated. NaN coordinates neither suppress nor are suppressed.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: any number but NaN (0.5).
///   - topK: ≥ 0 (200).
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. The lesser of `count` and `topK`
///     always suffices.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `clusterNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Bolya et al. 2019, YOLACT: Real-time Instance Segmentation.
func fastNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ iouThreshold: Double, _ topK: Int,
  _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ keptCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, keptCount, workspace, workspaceSize)(
    keep, isValid: iouThreshold == iouThreshold && topK >= 0,
    layout: {
      ClusterSuppression<S, OverlapRatio<S.Vector>>(&$0, count, topK, threshold: iouThreshold, OverlapRatio())
    },
    ranked: { $0.ranked },
    run: { clusters, boxes, scores in clusters.run(boxes, scores, count, maxIter: 1) })
}

/// Cluster-NMS: Fast NMS, repeated with the boxes that it kept as the ones that suppress.
///
///     X = the measure of box i and box j where i is better than j;  e_j = 1
///     repeat at most `maxIter` times, until e does not change: e_j = [X_ij ≤ iouThreshold for all i with e_i]
///
/// The box j is kept if e_j. Without the limit of `maxIter` this is greedy suppression.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2; not validated. NaN coordinates neither suppress nor are suppressed.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: for the measure, any number but NaN (0.5).
///   - topK: ≥ 0 (200): of the others nothing is kept.
///   - metric: what is measured (iou).
///   - beta: for diou, ≥ 0 (0.9).
///   - maxIter: ≥ 0 (200).
///   - eps: for diou, ≥ 0 (1e-7).
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. The lesser of `count` and `topK`
///     always suffices.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `clusterNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Zheng et al. 2021, Enhancing Geometric Factors in Model Learning and Inference for Object Detection and
///   Instance Segmentation.
func clusterNms<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ iouThreshold: Double, _ topK: Int,
  _ metric: ClusterMetric, _ beta: Double, _ maxIter: Int, _ eps: Double, _ keep: UnsafeMutablePointer<Int64>?,
  _ capacity: Int, _ keptCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?,
  _ workspaceSize: Int
) -> Status {
  let call = SuppressionCall(boxes, scores, count, capacity, keptCount, workspace, workspaceSize)
  let isValid = iouThreshold == iouThreshold && topK >= 0 && beta >= 0 && maxIter >= 0 && eps >= 0
  switch metric {
  case .iou:
    return call(
      keep, isValid: isValid,
      layout: {
        ClusterSuppression<S, OverlapRatio<S.Vector>>(&$0, count, topK, threshold: iouThreshold, OverlapRatio())
      },
      ranked: { $0.ranked },
      run: { clusters, boxes, scores in clusters.run(boxes, scores, count, maxIter: maxIter) })
  case .diou:
    return call(
      keep, isValid: isValid,
      layout: {
        ClusterSuppression<S, DistanceOverlap<S.Vector>>(
          &$0, count, topK, threshold: iouThreshold, DistanceOverlap(beta: S(beta), eps: S(eps)))
      },
      ranked: { $0.ranked },
      run: { clusters, boxes, scores in clusters.run(boxes, scores, count, maxIter: maxIter) })
  }
}

/// The workspace that `fastNms`, `clusterNms` and `clusterNmsSpm` want, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - topK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func clusterNmsWorkspaceSize(_ count: Int, _ topK: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard topK >= 0 else { return .invalidParameter }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { PenalizedClusters<Double>(&$0, count, topK, threshold: 0) }
  return .ok
}

struct ClusterSuppression<S: Scalar, Measure: OverlapMeasure> where Measure.V == S.Vector {
  private(set) var ranked: RankedSuppression<S, Measure>
  /// By place in the order of scores: does the box suppress?
  private let isActing: UnsafeMutablePointer<Bool>

  init(_ arena: inout Arena, _ count: Int, _ topK: Int, threshold: Double, _ measure: Measure) {
    ranked = RankedSuppression(
      &arena, capacity: count, most: topK, isBatched: false, threshold: threshold, measure: measure)
    isActing = arena.take(Bool.self, Swift.min(count, topK))
  }

  /// Returns how many boxes are kept.
  mutating func run(
    _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ count: Int, maxIter: Int
  ) -> Int {
    ranked.rank(scores, count, most: ranked.capacity)
    ranked.fill { columns, place, box in columns.set(place, boxes + 4 &* box) }
    let count = ranked.count
    // So many rounds always suffice, and then the boxes that suppress are those that are kept.
    if maxIter >= count { return ranked.suppress() }
    let isKept = ranked.suppressor.isKept
    for place in 0..<count {
      isActing[place] = true
      isKept[place] = true
    }
    var kept = count
    var round = 0
    var isSettled = false
    while round < maxIter, !isSettled {
      kept = ranked.suppress(SuppressionRule(suppressing: isActing))
      isSettled = true
      for place in 0..<count where isActing[place] != isKept[place] {
        isActing[place] = isKept[place]
        isSettled = false
      }
      round &+= 1
    }
    return kept
  }
}
