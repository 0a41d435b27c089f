/// How a YOLO head states its boxes.
enum YoloHead: Int32 {
  /// As `YoloVersion.v3`.
  case v3 = 0
  /// As `YoloVersion.v5`, also for YOLOv7.
  case v5 = 1
  /// YOLOv8 and later: distances with distributions over bins, from the centre of the cell, in strides.
  case v8 = 2
  /// As `YoloVersion.x`.
  case x = 3
}

/// Detections from the raw outputs of a YOLO head.
///
///     v3, v5, x:  s = σ(class) σ(objectness),  boxes = decodeYolo
///     v8:         s = σ(class),  boxes = distanceToBox(cell + 1/2, dflDecode(distributions)) · stride
///
/// Then as `detectionPostprocess`, with all levels together. Only the boxes of candidates are decoded, and only the
/// classes of anchors are read whose objectness may suffice: a NaN there does not count elsewhere.
///
/// - Parameters:
///   - pred: `[anchors, channels]`, or with `channelsFirst` `[channels, anchors]`. The channels are tx, ty, tw, th,
///     objectness and the classes, or for v8 4 (regMax + 1) bins, a side's together, and the classes.
///   - grid: `[anchors, 2]`, column and row of each anchor's cell.
///   - strides: `[anchors]`, the stride of each anchor's level.
///   - anchorSizes: `[anchors, 2]`, width and height in pixels; for v8 and x it may be null and is not read.
///   - anchors: ≥ 0.
///   - channels: 5, or for v8 4 (regMax + 1), and the number of classes.
///   - head: how boxes are stated.
///   - regMax: for v8 the last bin, ≥ 0 (15); else not read.
///   - channelsFirst: whether the numbers of a channel are together, and not those of an anchor.
///   - activation: how logits become scores: sigmoid, or none for heads that end in it, objectness included.
///   - scoreThreshold: any number but NaN (0.25 is usual).
///   - preNmsTopK: ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.45).
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
///   - workspaceSize: at least what `yoloPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written;
///     not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Redmon and Farhadi 2018, YOLOv3; Ge et al. 2021, YOLOX; the code bases of YOLOv5, v7 and v8.
func yoloPostprocess<S: Scalar>(
  _ pred: UnsafePointer<S>?, _ grid: UnsafePointer<S>?, _ strides: UnsafePointer<S>?,
  _ anchorSizes: UnsafePointer<S>?, _ anchors: Int, _ channels: Int, _ head: YoloHead, _ regMax: Int,
  _ channelsFirst: Bool, _ activation: DetectionActivation,
  _ scoreThreshold: Double, _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double,
  _ sigma: Double, _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ maxDetections: Int,
  _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let layout = YoloLayout(anchors, channels, head, regMax), let plan = layout.plan(preNmsTopK) else {
    return .invalidShape
  }
  let call = PostprocessCall(
    plan, activation, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma, softScoreThreshold, classAgnostic,
    multiLabel, maxDetections, hasImageSize, imageHeight, imageWidth, minSize, detectionBoxes, detectionScores, labels,
    anchorIndices, capacity, detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let pred, let grid, let strides, anchorSizes != nil || !head.hasAnchors else { return .nullPointer }
  let (stride, step) = channelsFirst ? (1, anchors) : (channels, 1)
  var scores = HeadScores(
    pred + layout.firstClass &* step, anchorStride: stride, classStride: step,
    objectness: head == .v8 ? nil : pred + 4 &* step, objectnessStride: stride)
  scores.hasActiveObjectness = activation == .none
  guard let version = head.version else {
    return call.run(
      scores,
      DistributionBoxes(
        logits: pred, bins: regMax &+ 1, stride: stride, step: step, points: grid, strides: strides,
        pointsAreCells: true))
  }
  return call.run(
    scores,
    YoloBoxes(
      version: version, pred: pred, stride: stride, step: step, grid: grid, strides: strides,
      anchorSizes: anchorSizes ?? grid))
}

/// The workspace that `yoloPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - channels: 5, or for v8 4 (regMax + 1), and the number of classes.
///   - head: how boxes are stated.
///   - regMax: for v8 the last bin, ≥ 0; else not read.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func yoloPostprocessWorkspaceSize(
  _ anchors: Int, _ channels: Int, _ head: YoloHead, _ regMax: Int, _ preNmsTopK: Int,
  _ size: UnsafeMutablePointer<Int>?
) -> Status {
  PostprocessPlan.report(
    YoloLayout(anchors, channels, head, regMax)?.plan(preNmsTopK),
    preNmsTopK, size)
}

extension YoloHead {
  fileprivate var hasAnchors: Bool { self == .v3 || self == .v5 }

  /// nil for distributions.
  fileprivate var version: YoloVersion? {
    switch self {
    case .v3: return .v3
    case .v5: return .v5
    case .v8: return nil
    case .x: return .x
    }
  }
}

/// How many channels stand for what.
private struct YoloLayout {
  let anchors, classes, firstClass: Int
  private let scratch: Int

  init?(_ anchors: Int, _ channels: Int, _ head: YoloHead, _ regMax: Int) {
    guard elementCount(anchors, channels) != nil else { return nil }
    if head == .v8 {
      guard regMax >= 0, regMax < channels / 4 else { return nil }
      firstClass = 4 &* (regMax &+ 1)
      scratch = DistributionBoxes<DoubleLanes>.scratch(regMax)
    } else {
      firstClass = 5
      scratch = 0
    }
    guard channels >= firstClass else { return nil }
    self.anchors = anchors
    classes = channels &- firstClass
  }

  func plan(_ preNmsTopK: Int) -> PostprocessPlan? {
    PostprocessPlan(anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .all, scratch: scratch)
  }
}

/// Boxes from centres and sizes.
private struct YoloBoxes<V: Lanes>: CandidateBoxes {
  let version: YoloVersion
  let pred: UnsafePointer<V.Element>
  let stride, step: Int
  let grid, strides, anchorSizes: UnsafePointer<V.Element>

  @inline(__always)
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<V.Element>) -> Quads<V> {
    let t = Quads<V>(pred, anchors, n, stride: stride, step: step, scratch)
    let size = V.gather(strides, anchors, n, scratch)
    @inline(__always) func pair(_ source: UnsafePointer<V.Element>) -> (V, V) {
      (V.gather(source, anchors, n, stride: 2, scratch), V.gather(source + 1, anchors, n, stride: 2, scratch))
    }
    return version.decode(t, pair(grid), size, version == .x ? (size, size) : pair(anchorSizes))
  }
}
