/// Non-maximum weighted: boxes of several models that overlap a better one become one with it, the mean of them by
/// confidence and overlap.
///
///     boxes are dropped, put in order and clipped, and ordered by c, as for `weightedBoxesFusion`, but the weights of
///     the models are divided by their maximum
///     for each label, in descending order of c: the box joins the cluster whose first box it overlaps most (of equals
///     the first), if IoU > iouThreshold, else it founds a cluster
///     F = Σ c v box / Σ c v over the boxes of the cluster, with v = IoU(box, first box);  score = c of the first box
///
/// The result is sorted by score, descending; equals are in ascending order of label, then of the clusters' beginning.
/// Everything is computed in double precision. NaN coordinates overlap nothing. A cluster whose confidences are all 0
/// has a fused box of NaN: a positive `skipBoxThreshold` drops such boxes.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2, of all models.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - labels: `[count]`, any numbers: only boxes with equal ones are fused.
///   - models: `[count]`, which model each box comes from, 0 ..< nModels.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - weights: optional, `[nModels]`, of the models, finite and ≥ 0 with a sum > 0; null for 1.
///   - nModels: number of models, ≥ 0.
///   - iouThreshold: any number but NaN (0.55 is usual).
///   - skipBoxThreshold: any number but NaN (0).
///   - normalized: whether boxes are within [0, 1] and clipped to it.
///   - fusedBoxes: optional output, `[capacity, 4]`.
///   - fusedScores: optional output, `[capacity]`.
///   - fusedLabels: optional output, `[capacity]`.
///   - capacity: entries that the outputs have room for; `count` always suffices. If there are more fused boxes:
///     BUFFER_TOO_SMALL, and `fusedCount` is the number needed.
///   - fusedCount: output, the number of fused boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `boxFusionWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not read
///     where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET for a model out of range, INVALID_VALUE for
///   a NaN score or confidence or for weights that are none, BUFFER_TOO_SMALL, OUT_OF_MEMORY.
/// - Reference: Zhou et al. 2017, CAD: Scale invariant framework for real-time object detection; ensemble-boxes.
func nonMaximumWeighted<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ labels: UnsafePointer<Int64>?,
  _ models: UnsafePointer<Int64>?, _ count: Int, _ weights: UnsafePointer<Double>?, _ nModels: Int,
  _ iouThreshold: Double, _ skipBoxThreshold: Double, _ normalized: Bool, _ fusedBoxes: UnsafeMutablePointer<S>?,
  _ fusedScores: UnsafeMutablePointer<S>?, _ fusedLabels: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ fusedCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  let input = FusionInput(
    boxes: boxes, scores: scores, labels: labels, models: models, count: count, iouThreshold: iouThreshold,
    skipBoxThreshold: skipBoxThreshold, normalized: normalized)
  let output = FusionOutput(
    boxes: fusedBoxes, scores: fusedScores, labels: fusedLabels, capacity: capacity, count: fusedCount,
    workspace: workspace, workspaceSize: workspaceSize)
  return output.fuse(input, weights, nModels) { MeanAroundFirst(weightUnit: $0.largest) }
}

private struct MeanAroundFirst: BoxFusionMethod {
  let weightUnit: Double
  var followsFusedBox: Bool { false }
  var countsModels: Bool { false }
  func share(_ confidence: Double, _ overlap: Double) -> Double { confidence * overlap }
  func score(_ cluster: BoxCluster) -> Double { cluster.highest }
}
