/// Detections from the raw outputs of an FCOS-style head: sigmoid scores, centre-ness, and distances from points.
///
///     s = √(σ(logits) σ(centerness)),  boxes = distanceToBox(points, distances · stride)
///
/// Then as `detectionPostprocess`: the best `preNmsTopK` scores above the threshold of each level, and only their
/// boxes, are decoded, clipped, and suppressed together.
///
/// - Parameters:
///   - logits: `[anchors, classes]`, the levels one after the other.
///   - distances: `[anchors, 4]`, left, top, right, bottom, in strides.
///   - centerness: optional, `[anchors]`, logits; absent: s = σ(logits).
///   - points: `[anchors, 2]`, x, y in pixels.
///   - strides: `[anchors]`, the stride of each anchor's level.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - levelSizes: `[levels]`, how many anchors each feature level has, one after the other. May be null if `levels`
///     is 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - scoreThreshold: any number but NaN (0.2 is usual).
///   - preNmsTopK: of each level, ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.6).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - maxDetections: ≥ 0 (100).
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
///   - workspaceSize: at least what `fcosPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written;
///     not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Tian et al. 2019, FCOS: Fully Convolutional One-Stage Object Detection;
///   torchvision.models.detection.FCOS.
func fcosPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ distances: UnsafePointer<S>?, _ centerness: UnsafePointer<S>?,
  _ points: UnsafePointer<S>?, _ strides: UnsafePointer<S>?, _ anchors: Int, _ classes: Int,
  _ levelSizes: UnsafePointer<Int64>?, _ levels: Int,
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
  let call = PostprocessCall(
    plan, .sigmoid, objectnessMode: .sqrt, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma,
    softScoreThreshold, classAgnostic, multiLabel, maxDetections, hasImageSize, imageHeight, imageWidth, minSize,
    detectionBoxes, detectionScores, labels, anchorIndices, capacity, detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let logits, let distances, let points, let strides else { return .nullPointer }
  return call.run(
    HeadScores(logits, classes: classes, objectness: centerness),
    PointBoxes(distances: distances, points: points, strides: strides))
}

/// The workspace that `fcosPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func fcosPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ levels: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  PostprocessPlan.report(
    PostprocessPlan(
      anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .levels(nil, levels)),
    preNmsTopK, size)
}

/// Boxes about points.
private struct PointBoxes<V: Lanes>: CandidateBoxes {
  let distances, points, strides: UnsafePointer<V.Element>

  @inline(__always)
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<V.Element>) -> Quads<V> {
    let distances = Quads<V>(distances, anchors, n, scratch)
    return distances.scaled(by: V.gather(strides, anchors, n, scratch)).sides(
      of: V.gather(points, anchors, n, stride: 2, scratch), V.gather(points + 1, anchors, n, stride: 2, scratch))
  }
}

/// Detections from the raw outputs of a distribution-focal-loss head (GFL, NanoDet, PicoDet): scores, and for each side
/// a distribution over its distance.
///
///     s = activation(logits),  boxes = distanceToBox(points, dflDecode(distributions) · stride)
///
/// Then as `detectionPostprocess`: the best `preNmsTopK` scores above the threshold of each level, and only their
/// boxes, are decoded, clipped, and suppressed together.
///
/// - Parameters:
///   - logits: `[anchors, classes]`, the levels one after the other.
///   - distributions: `[anchors, 4 (regMax + 1)]`, logits of the bins of a side together.
///   - points: `[anchors, 2]`, x, y in pixels.
///   - strides: `[anchors]`, the stride of each anchor's level.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - regMax: the last bin, ≥ 0 (16; PicoDet 7).
///   - levelSizes: `[levels]`, how many anchors each feature level has, one after the other. May be null if `levels`
///     is 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - activation: how logits become scores: sigmoid, or none for heads that end in it.
///   - scoreThreshold: any number but NaN (0.05 is usual).
///   - preNmsTopK: of each level, ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.6).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - maxDetections: ≥ 0 (100).
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
///   - workspaceSize: at least what `gflPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Li et al. 2020, Generalized Focal Loss; Yu et al. 2021, PP-PicoDet.
func gflPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ distributions: UnsafePointer<S>?, _ points: UnsafePointer<S>?,
  _ strides: UnsafePointer<S>?, _ anchors: Int, _ classes: Int, _ regMax: Int, _ levelSizes: UnsafePointer<Int64>?,
  _ levels: Int, _ activation: DetectionActivation,
  _ scoreThreshold: Double, _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double,
  _ sigma: Double, _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ maxDetections: Int,
  _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let plan = PostprocessPlan(
    anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .levels(levelSizes, levels),
    scratch: DistributionBoxes<S.Vector>.scratch(regMax))
  else { return .invalidShape }
  guard regMax >= 0, regMax < largestCount else { return .invalidParameter }
  guard elementCount(anchors, 4, regMax &+ 1) != nil else { return .invalidShape }
  let call = PostprocessCall(
    plan, activation, scoreThreshold, preNmsTopK, suppression, iouThreshold, sigma, softScoreThreshold, classAgnostic,
    multiLabel, maxDetections, hasImageSize, imageHeight, imageWidth, minSize, detectionBoxes, detectionScores, labels,
    anchorIndices, capacity, detectionCount, workspace, workspaceSize)
  if let status = call.answerWithoutWork() { return status }
  guard let logits, let distributions, let points, let strides else { return .nullPointer }
  return call.run(
    HeadScores(logits, classes: classes),
    DistributionBoxes(
      logits: distributions, bins: regMax &+ 1, stride: 4 &* (regMax &+ 1), step: 1, points: points, strides: strides,
      pointsAreCells: false))
}

/// The workspace that `gflPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - levels: number of levels; 0: all anchors are one level.
///   - regMax: the last bin, ≥ 0.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func gflPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ levels: Int, _ regMax: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  guard regMax >= 0, regMax < largestCount else { return .invalidParameter }
  return PostprocessPlan.report(
    PostprocessPlan(
      anchors: anchors, classes: classes, preNmsTopK: preNmsTopK, .levels(nil, levels),
      scratch: DistributionBoxes<DoubleLanes>.scratch(regMax)),
    preNmsTopK, size)
}

/// Boxes from distributions of the distances to their sides.
struct DistributionBoxes<V: Lanes>: CandidateBoxes {
  /// Number j of anchor a is at a · stride + j · step.
  let logits: UnsafePointer<V.Element>
  let bins, stride, step: Int
  let points, strides: UnsafePointer<V.Element>
  /// Are the points the numbers of cells, columns and rows, and not pixels?
  let pointsAreCells: Bool

  /// Numbers that decoding needs room for.
  static func scratch(_ regMax: Int) -> Int { 8 &* FloatLanes.count &+ Swift.max(Swift.min(regMax, largestCount), 0) }

  @inline(__always)
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<V.Element>) -> Quads<V> {
    let means = scratch, side = scratch + 4 &* V.count
    for i in 0..<n {
      for k in 0..<4 {
        let start = Int(anchors[i]) &* stride
        var first = logits + (start &+ k &* bins &* step)
        if step != 1 {
          for bin in 0..<bins { side[bin] = first[bin &* step] }
          first = UnsafePointer(side)
        }
        means[4 &* i &+ k] = BinDistribution(first, bins).mean
      }
    }
    let distances = Quads<V>(UnsafePointer(means), rows: n)
    let x = V.gather(points, anchors, n, stride: 2, scratch)
    let y = V.gather(points + 1, anchors, n, stride: 2, scratch)
    let size = V.gather(strides, anchors, n, scratch)
    if pointsAreCells {
      return distances.sides(of: x + V(0.5), y + V(0.5)).scaled(by: size)
    }
    return distances.scaled(by: size).sides(of: x, y)
  }
}

extension Quads {
  /// The sides at these distances from a point.
  @inline(__always) fileprivate func sides(of x: V, _ y: V) -> Quads { Quads(x - a, y - b, x + c, y + d) }
}
