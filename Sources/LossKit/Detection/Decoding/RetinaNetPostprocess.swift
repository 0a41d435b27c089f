/// Detections from the raw outputs of a RetinaNet-style head: sigmoid scores, and offsets from anchors.
///
///     s = σ(logits),  boxes = decodeBoxes(deltas, anchorBoxes)
///
/// Then as `detectionPostprocess`: the best `preNmsTopK` scores above the threshold of each level, and only their
/// boxes, are decoded, clipped, and suppressed together.
///
/// - Parameters:
///   - logits: `[anchors, classes]`, the levels one after the other.
///   - deltas: `[anchors, 4]`, dx, dy, dw, dh.
///   - anchorBoxes: `[anchors, 4]`, x1, y1, x2, y2.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - levelSizes: `[levels]`, how many anchors each feature level has, one after the other. May be null if `levels`
///     is 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - activation: how logits become scores; sigmoid is usual.
///   - weightX: wx, > 0 and finite like the other weights (1).
///   - weightY: wy (1).
///   - weightWidth: ww (1).
///   - weightHeight: wh (1).
///   - clip: the largest log scale, not NaN; ln(1000 / 16) = 4.135166556742356 is usual.
///   - scoreThreshold: any number but NaN (0.05 is usual).
///   - preNmsTopK: of each level, ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.5).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - maxDetections: ≥ 0 (300).
///   - hasImageSize: whether boxes are clipped; if false, `imageHeight` and `imageWidth` are not read.
///   - imageHeight: ≥ 0.
///   - imageWidth: ≥ 0.
///   - minSize: shortest side, any number but NaN; 0 for no condition.
///   - detectionBoxes: optional output, `[capacity, 4]`, x1, y1, x2, y2.
///   - detectionScores: optional output, `[capacity]`; for soft suppression decayed.
///   - labels: optional output, `[capacity]`.
///   - anchorIndices: optional output, `[capacity]`: which anchor each comes from.
///   - capacity: entries that the outputs have room for; `maxDetections` always suffices. If there are more detections:
///     BUFFER_TOO_SMALL, and `detectionCount` is the number needed.
///   - detectionCount: output, the number of detections.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `retinanetPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing
///     written; not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Lin et al. 2017, Focal Loss for Dense Object Detection; torchvision.models.detection.RetinaNet.
func retinanetPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ deltas: UnsafePointer<S>?, _ anchorBoxes: UnsafePointer<S>?, _ anchors: Int,
  _ classes: Int, _ levelSizes: UnsafePointer<Int64>?, _ levels: Int, _ activation: DetectionActivation,
  _ weightX: Double, _ weightY: Double, _ weightWidth: Double, _ weightHeight: Double, _ clip: Double,
  _ scoreThreshold: Double, _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double,
  _ sigma: Double, _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ maxDetections: Int,
  _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let plan = PostprocessPlan(
    anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .levels(levelSizes, levels)) else {
    return .invalidShape
  }
  guard let coder = BoxCoder<S>(weightX, weightY, weightWidth, weightHeight, clip) else { return .invalidParameter }
  let call = PostprocessCall(
    plan, activation, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma, softScoreThreshold, classAgnostic,
    multiLabel, maxDetections, hasImageSize, imageHeight, imageWidth, minSize, detectionBoxes, detectionScores, labels,
    anchorIndices, capacity, detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let logits, let deltas, let anchorBoxes else { return .nullPointer }
  return call.run(
    HeadScores(logits, classes: classes), AnchorBoxes(coder: coder, deltas: deltas, anchorBoxes: anchorBoxes))
}

/// The workspace that `retinanetPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func retinanetPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ levels: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  PostprocessPlan.report(
    PostprocessPlan(
      anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .levels(nil, levels)),
    preNmsTopK, size)
}

/// Boxes from offsets and anchors.
private struct AnchorBoxes<S: Scalar>: CandidateBoxes {
  typealias V = S.Vector
  let coder: BoxCoder<S>
  let deltas, anchorBoxes: UnsafePointer<S>

  @inline(__always)
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<S>) -> Quads<V> {
    let deltas = Quads<V>(deltas, anchors, n, scratch)
    return coder.decode(deltas, Quads(anchorBoxes, anchors, n, scratch))
  }
}

/// Detections from the raw outputs of an SSD-style head: softmax scores with a background class, and offsets from
/// anchors.
///
///     s = softmax(logits) without the background,  boxes = decodeBoxes(deltas, anchorBoxes)
///
/// Then as `detectionPostprocess`, but the best `preNmsTopK` scores above the threshold are those of each class (of
/// equal ones the lower anchor first), and in the order of candidates equal scores have the lower class first. Only
/// their boxes are decoded, clipped, and suppressed.
///
/// - Parameters:
///   - logits: `[anchors, classes]`.
///   - deltas: `[anchors, 4]`, dx, dy, dw, dh.
///   - anchorBoxes: `[anchors, 4]`, x1, y1, x2, y2.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - weightX: wx, > 0 and finite like the other weights (10).
///   - weightY: wy (10).
///   - weightWidth: ww (5).
///   - weightHeight: wh (5).
///   - clip: the largest log scale, not NaN; ln(1000 / 16) = 4.135166556742356 is usual.
///   - scoreThreshold: any number but NaN (0.01 is usual).
///   - preNmsTopK: of each class, ≥ 0 (400).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.45).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - backgroundIndex: the class that is background, −1 if there is none.
///   - maxDetections: ≥ 0 (200).
///   - hasImageSize: whether boxes are clipped; if false, `imageHeight` and `imageWidth` are not read.
///   - imageHeight: ≥ 0.
///   - imageWidth: ≥ 0.
///   - minSize: shortest side, any number but NaN; 0 for no condition.
///   - detectionBoxes: optional output, `[capacity, 4]`, x1, y1, x2, y2.
///   - detectionScores: optional output, `[capacity]`; for soft suppression decayed.
///   - labels: optional output, `[capacity]`.
///   - anchorIndices: optional output, `[capacity]`: which anchor each comes from.
///   - capacity: entries that the outputs have room for; `maxDetections` always suffices. If there are more detections:
///     BUFFER_TOO_SMALL, and `detectionCount` is the number needed.
///   - detectionCount: output, the number of detections.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `ssdPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Liu et al. 2016, SSD: Single Shot MultiBox Detector; torchvision.models.detection.SSD.
func ssdPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ deltas: UnsafePointer<S>?, _ anchorBoxes: UnsafePointer<S>?, _ anchors: Int,
  _ classes: Int, _ weightX: Double, _ weightY: Double,
  _ weightWidth: Double, _ weightHeight: Double, _ clip: Double,
  _ scoreThreshold: Double, _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double,
  _ sigma: Double, _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ backgroundIndex: Int,
  _ maxDetections: Int,
  _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let plan = PostprocessPlan(anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .classes) else {
    return .invalidShape
  }
  guard let coder = BoxCoder<S>(weightX, weightY, weightWidth, weightHeight, clip) else { return .invalidParameter }
  let call = PostprocessCall(
    plan, .softmax, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma, softScoreThreshold, classAgnostic,
    multiLabel, backgroundIndex: backgroundIndex, maxDetections, hasImageSize, imageHeight, imageWidth, minSize,
    detectionBoxes, detectionScores, labels, anchorIndices, capacity, detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let logits, let deltas, let anchorBoxes else { return .nullPointer }
  return call.run(
    HeadScores(logits, classes: classes), AnchorBoxes(coder: coder, deltas: deltas, anchorBoxes: anchorBoxes))
}

/// The workspace that `ssdPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func ssdPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  PostprocessPlan.report(
    PostprocessPlan(anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .classes),
    preNmsTopK, size)
}
