/// How logits become scores.
enum DetectionActivation: Int32 {
  /// Each by itself.
  case sigmoid = 0
  /// Over the classes of an anchor.
  case softmax = 1
  /// They are scores already.
  case none = 2
}

/// How the objectness o of an anchor (or its centre-ness) enters the score s of its classes.
enum ObjectnessMode: Int32 {
  /// s · o, as in YOLO.
  case product = 0
  /// √(s · o), as in FCOS.
  case sqrt = 1
}

/// How overlapping detections are suppressed.
enum DetectionSuppression: Int32 {
  /// `batchedNms`.
  case hard = 0
  /// `batchedSoftNms`, linear.
  case softLinear = 1
  /// `batchedSoftNms`, Gaussian.
  case softGaussian = 2
  /// Not at all.
  case none = 3
}

/// Detections from a model's raw outputs: activation, thresholding, selection, clipping and suppression in one call.
///
///  1. s = activation(logits); with objectness, o = σ(objectness): s · o or √(s · o). The background column is left out
///     after the activation; labels keep their numbers.
///  2. Candidates: every (anchor, class) with s > scoreThreshold; without `multiLabel`, only the best class of each
///     anchor (of equal ones the lowest), under the same condition.
///  3. The `preNmsTopK` best of them, in descending order of score (equal ones: lower anchor, then lower class first).
///  4. With an image size, boxes are clipped to it; with `minSize` > 0, boxes with a side shorter than it are dropped.
///  5. Suppression within each label, or among all if `classAgnostic`.
///  6. The first `maxDetections`.
///
/// Scores are not all sorted: they are filtered, and the best are selected.
///
/// - Parameters:
///   - logits: `[anchors, classes]`. A NaN score gives INVALID_VALUE.
///   - boxes: `[anchors, 4]`, decoded: x1, y1, x2, y2.
///   - objectness: optional, `[anchors]`, logits; absent if the model has none.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - activation: how logits become scores.
///   - objectnessMode: how objectness enters; not used without it.
///   - scoreThreshold: any number but NaN (0.05 is usual).
///   - preNmsTopK: ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.5).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - backgroundIndex: the class that is background, −1 if there is none.
///   - maxDetections: ≥ 0 (300).
///   - hasImageSize: whether boxes are clipped; if false, `imageHeight` and `imageWidth` are not read.
///   - imageHeight: ≥ 0.
///   - imageWidth: ≥ 0.
///   - minSize: shortest side, any number but NaN; 0 for no condition.
///   - detectionBoxes: optional output, `[capacity, 4]`, clipped.
///   - detectionScores: optional output, `[capacity]`; for soft suppression decayed.
///   - labels: optional output, `[capacity]`.
///   - anchorIndices: optional output, `[capacity]`: which anchor each comes from.
///   - capacity: entries that the outputs have room for; the least of `maxDetections`, `preNmsTopK` and
///     anchors · classes always suffices. If there are more detections: BUFFER_TOO_SMALL, and
///     `detectionCount` is the number needed.
///   - detectionCount: output, the number of detections.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `detectionPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with
///     nothing written; not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score or
///   objectness, BUFFER_TOO_SMALL, OUT_OF_MEMORY.
func detectionPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ boxes: UnsafePointer<S>?, _ objectness: UnsafePointer<S>?, _ anchors: Int,
  _ classes: Int, _ activation: DetectionActivation, _ objectnessMode: ObjectnessMode, _ scoreThreshold: Double,
  _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double, _ sigma: Double,
  _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ backgroundIndex: Int,
  _ maxDetections: Int, _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let plan = PostprocessPlan(anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .all) else {
    return .invalidShape
  }
  let call = PostprocessCall(
    plan, activation, objectnessMode: objectnessMode, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma,
    softScoreThreshold, classAgnostic, multiLabel, backgroundIndex: backgroundIndex, maxDetections, hasImageSize,
    imageHeight, imageWidth, minSize, detectionBoxes, detectionScores, labels, anchorIndices, capacity,
    detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let logits, let boxes else { return .nullPointer }
  return call.run(HeadScores(logits, classes: classes, objectness: objectness), DecodedBoxes(boxes: boxes))
}

/// The workspace that `detectionPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func detectionPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  PostprocessPlan.report(
    PostprocessPlan(anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .all), preNmsTopK, size)
}

/// Boxes that are there already.
private struct DecodedBoxes<V: Lanes>: CandidateBoxes {
  let boxes: UnsafePointer<V.Element>

  @inline(__always)
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<V.Element>) -> Quads<V> {
    Quads(boxes, anchors, n, scratch)
  }
}
