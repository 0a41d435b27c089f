/// How the confidences of a cluster become the score of its fused box.
enum FusionConfidence: Int32 {
  /// Their mean, lowered where there are fewer boxes than models.
  case avg = 0
  /// The highest of them, in units of the largest weight.
  case max = 1
  /// Their mean by weight, times the part of the weights whose models are among them.
  case boxAndModelAvg = 2
  /// Their mean by weight, as if each absent model had said 0.
  case absentModelAwareAvg = 3
}

/// Weighted boxes fusion: boxes of several models that overlap become one, the mean of them by confidence.
///
///     boxes with score < skipBoxThreshold are dropped; reversed sides are put in order; where `normalized`, boxes are
///     clipped to [0, 1]; boxes of area 0 are dropped; c = score · weight of the model
///     for each label, in descending order of c: the box joins the cluster whose fused box F it overlaps most (of
///     equals the first), if IoU > iouThreshold, else it founds a cluster of which it is F
///     F = Σ c box / Σ c over the boxes of the cluster
///
/// With S = Σ c over the n boxes of a cluster, M models and T the sum of their weights, the score is:
///
///     avg                       S / n · min(M, n) / T, or S / T with allowsOverflow
///     max                       max c / max weight
///     box_and_model_avg         S / (Σ weights of the boxes) · (Σ weights of the models that have one) / T
///     absent_model_aware_avg    S / (Σ weights of the boxes + Σ weights of the models that have none)
///
/// The result is sorted by score, descending; equals are in ascending order of label, then of the clusters' beginning.
/// Everything is computed in double precision. NaN coordinates overlap nothing. Boxes whose confidences are all 0 give
/// a fused box of NaN when they join: a positive `skipBoxThreshold` drops them.
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
///   - confType: how confidences become a score (avg).
///   - allowsOverflow: for avg, whether a score may exceed those of the boxes.
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
/// - Reference: Solovyev, Wang, Gabruseva 2021, Weighted boxes fusion: ensembling boxes from different object detection
///   models; ensemble-boxes.
func weightedBoxesFusion<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ labels: UnsafePointer<Int64>?,
  _ models: UnsafePointer<Int64>?, _ count: Int, _ weights: UnsafePointer<Double>?, _ nModels: Int,
  _ iouThreshold: Double, _ skipBoxThreshold: Double, _ confType: FusionConfidence, _ allowsOverflow: Bool,
  _ normalized: Bool, _ fusedBoxes: UnsafeMutablePointer<S>?, _ fusedScores: UnsafeMutablePointer<S>?,
  _ fusedLabels: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ fusedCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  let input = FusionInput(
    boxes: boxes, scores: scores, labels: labels, models: models, count: count, iouThreshold: iouThreshold,
    skipBoxThreshold: skipBoxThreshold, normalized: normalized)
  let output = FusionOutput(
    boxes: fusedBoxes, scores: fusedScores, labels: fusedLabels, capacity: capacity, count: fusedCount,
    workspace: workspace, workspaceSize: workspaceSize)
  return output.fuse(input, weights, nModels) {
    WeightedMean(models: $0, type: confType, allowsOverflow: allowsOverflow)
  }
}

/// The workspace that `weightedBoxesFusion` and `nonMaximumWeighted` want, whatever the modes, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - nModels: number of models, ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func boxFusionWorkspaceSize(_ count: Int, _ nModels: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount, elementCount(nModels, 1) != nil else { return .invalidShape }
  guard let size else { return .nullPointer }
  let models = FusionModels(nil, nModels)
  let method = WeightedMean(models: models, type: .boxAndModelAvg, allowsOverflow: false)
  size.pointee = bytesTaken { FusionMemory(&$0, capacity: count, method, models) }
  return .ok
}

private struct WeightedMean: BoxFusionMethod {
  let models: FusionModels
  let type: FusionConfidence
  let allowsOverflow: Bool

  var followsFusedBox: Bool { true }
  var countsModels: Bool { type == .boxAndModelAvg || type == .absentModelAwareAvg }
  var weightUnit: Double { 1 }
  func share(_ confidence: Double, _ overlap: Double) -> Double { confidence }

  func score(_ cluster: BoxCluster) -> Double {
    switch type {
    case .avg:
      if allowsOverflow { return cluster.sum / models.total }
      let boxes = Double(cluster.count)
      return cluster.sum / boxes * Swift.min(Double(models.count), boxes) / models.total
    case .max: return cluster.highest / models.largest
    case .boxAndModelAvg: return cluster.sum / cluster.weight * cluster.distinctWeight / models.total
    case .absentModelAwareAvg:
      return cluster.sum / (cluster.weight + (models.total - cluster.distinctWeight))
    }
  }
}
