/// COCO's evaluation of detections: average precision and recall over classes, IoU thresholds, ranges of area and
/// numbers of detections.
///
///     overlap = I / U, for a crowd I / A of the detection; a ground truth is ignored if it is a crowd or its area is
///     outside the range
///     for each class, range and image, the detections, best first, at most the greatest of the limits, take the
///     ground truth not yet taken (a crowd never is) that they overlap most, of equals the last, if by the threshold or
///     more: one that is not ignored, else one that is
///     a detection does not count where it took an ignored one, or none and its own area is outside the range
///     for each limit m, the first m detections of each image, in descending order of score (equal ones by image, then
///     by rank), TP and FP counted along: recall = TP / ground truths not ignored, precision = TP / (TP + FP), raised
///     to the greatest at this recall or higher
///
/// `precision` has the precision at the recalls 0, 0.01, …, 1, 0 beyond the last; `recall` the last recall. Both are −1
/// for classes without ground truths that are not ignored. `stats` are means over all entries that are not −1, or −1:
/// AP over all thresholds, at 0.5 and at 0.75, of the first range; AP of each further range; AR for each limit, of the
/// first range; AR of each further range; all but those for each limit with the greatest limit. With the usual
/// parameters these are COCO's twelve. Everything is computed in double precision.
///
/// - Parameters:
///   - detBoxes: `[detCount, 4]`, x1, y1, x2, y2. NaN coordinates overlap nothing.
///   - detScores: `[detCount]`; NaN gives INVALID_VALUE.
///   - detLabels: `[detCount]`, 0 ..< numClasses.
///   - detImages: `[detCount]`, any numbers.
///   - detCount: 0 … 2³¹ − 1.
///   - gtBoxes: `[gtCount, 4]`.
///   - gtLabels: `[gtCount]`, 0 ..< numClasses.
///   - gtImages: `[gtCount]`, any numbers.
///   - gtCrowd: optional, `[gtCount]`, not 0 for crowds; absent if there are none.
///   - gtArea: optional, `[gtCount]`; the boxes' areas if absent.
///   - gtCount: 0 … 2³¹ − 1.
///   - numClasses: 0 … 2³¹ − 1.
///   - iouThresholds: `[thresholdCount]`, any numbers but NaN (0.5, 0.55, …, 0.95).
///   - thresholdCount: 1 … 2¹⁶.
///   - maxDets: `[maxDetCount]`, ≥ 0 (1, 10, 100).
///   - maxDetCount: 1 … 2¹⁶.
///   - areaRanges: `[areaCount, 2]`, least and greatest area, any numbers but NaN (0 to 10¹⁰, 0 to 32², 32² to 96²,
///     96² to 10¹⁰).
///   - areaCount: 1 … 2¹⁶.
///   - stats: optional output, `[statCapacity]`: the first 1 + 2 · `areaCount` + `maxDetCount` are written.
///   - statCapacity: entries that `stats` has room for.
///   - precision: optional output, `[thresholdCount, 101, numClasses, areaCount, maxDetCount]`.
///   - recall: optional output, `[thresholdCount, numClasses, areaCount, maxDetCount]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET for a label out of range, INVALID_VALUE for
///   a NaN score, BUFFER_TOO_SMALL for `stats`, OUT_OF_MEMORY.
/// - Reference: Lin et al. 2014, Microsoft COCO: Common objects in context; pycocotools.
func cocoEval<S: Scalar>(
  _ detBoxes: UnsafePointer<S>?, _ detScores: UnsafePointer<S>?, _ detLabels: UnsafePointer<Int64>?,
  _ detImages: UnsafePointer<Int64>?, _ detCount: Int, _ gtBoxes: UnsafePointer<S>?,
  _ gtLabels: UnsafePointer<Int64>?, _ gtImages: UnsafePointer<Int64>?, _ gtCrowd: UnsafePointer<UInt8>?,
  _ gtArea: UnsafePointer<S>?, _ gtCount: Int, _ numClasses: Int, _ iouThresholds: UnsafePointer<Double>?,
  _ thresholdCount: Int, _ maxDets: UnsafePointer<Int64>?, _ maxDetCount: Int, _ areaRanges: UnsafePointer<Double>?,
  _ areaCount: Int, _ stats: UnsafeMutablePointer<Double>?, _ statCapacity: Int,
  _ precision: UnsafeMutablePointer<Double>?, _ recall: UnsafeMutablePointer<Double>?
) -> Status {
  let parameters = CocoParameters(thresholds: iouThresholds, limits: maxDets, ranges: areaRanges)
  guard let shape = CocoShape(numClasses, thresholdCount, areaCount, maxDetCount), let size = shape.size(detCount)
  else { return .invalidShape }
  if let fault = parameters.fault(shape) { return fault }
  let images = CocoImages(
    boxes: detBoxes, scores: detScores, labels: detLabels, images: detImages, count: detCount, truthBoxes: gtBoxes,
    truthLabels: gtLabels, truthImages: gtImages, crowd: gtCrowd, areas: gtArea, truthCount: gtCount)
  if let fault = images.fault(classes: numClasses) { return fault }
  let results = CocoResults(stats: stats, statCapacity: statCapacity, precision: precision, recall: recall)
  if let fault = results.fault(shape) { return fault }
  return withWorkspace(layout: { $0.take(UInt64.self, size / 8) }) { memory in
    guard let state = CocoState(UnsafeMutableRawPointer(memory), shape, parameters) else { return .nullPointer }
    let status = images.add(to: state)
    guard status == .ok else { return status }
    return results.write(state)
  }
}

/// The thresholds, limits and ranges of an evaluation, as the caller gives them.
struct CocoParameters {
  let thresholds: UnsafePointer<Double>?
  let limits: UnsafePointer<Int64>?
  let ranges: UnsafePointer<Double>?

  /// What is wrong with them; nil if nothing is.
  func fault(_ shape: CocoShape) -> Status? {
    guard let thresholds, let limits, let ranges else { return .nullPointer }
    if hasNaN(thresholds, shape.thresholds) || hasNaN(ranges, 2 &* shape.ranges) { return .invalidParameter }
    for m in 0..<shape.limits where limits[m] < 0 { return .invalidParameter }
    return nil
  }
}
