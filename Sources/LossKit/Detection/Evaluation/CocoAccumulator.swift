/// The size of a COCO accumulator's state.
///
/// - Parameters:
///   - numClasses: 0 … 2³¹ − 1.
///   - thresholdCount: number of IoU thresholds, 1 … 2¹⁶.
///   - maxDetCount: number of limits, 1 … 2¹⁶.
///   - areaCount: number of ranges of area, 1 … 2¹⁶.
///   - detections: how many detections it is to hold, 0 … 2³¹ − 1.
///   - size: output, in bytes: with T = `thresholdCount`, A = `areaCount`, M = `maxDetCount` it is
///     8 (6 + T + 2 A + M + `numClasses` · A) + (24 + 16 ⌈T A / 64⌉) `detections`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func cocoAccumulatorSize(
  _ numClasses: Int, _ thresholdCount: Int, _ maxDetCount: Int, _ areaCount: Int, _ detections: Int,
  _ size: UnsafeMutablePointer<Int>?
) -> Status {
  guard let bytes = CocoShape(numClasses, thresholdCount, areaCount, maxDetCount)?.size(detections) else {
    return .invalidShape
  }
  guard let size else { return .nullPointer }
  size.pointee = bytes
  return .ok
}

/// Starts a COCO accumulator: `cocoEval` of images that come in batches, or that are seen by different workers.
///
/// The state grows with the detections: about 40 bytes each with the usual parameters, however many ground truths there
/// are. The caller owns its memory, and gives a larger block, with the same bytes at its beginning, when it gets
/// BUFFER_TOO_SMALL. The bytes are the state's serialised form: copy them to store or send a state, and pass what was
/// read to `cocoAccumulatorCheck`.
///
/// Matching happens when images are added, so all detections and ground truths of a class in an image belong into one
/// update; an image that comes again counts as one more. Updates and merges in any order have the same result as
/// `cocoEval` of all images at once.
///
/// - Parameters:
///   - state: output, `[size]` bytes, at any alignment.
///   - size: at least what `cocoAccumulatorSize` says for no detections.
///   - numClasses: 0 … 2³¹ − 1.
///   - iouThresholds: `[thresholdCount]`, any numbers but NaN.
///   - thresholdCount: 1 … 2¹⁶.
///   - maxDets: `[maxDetCount]`, ≥ 0.
///   - maxDetCount: 1 … 2¹⁶.
///   - areaRanges: `[areaCount, 2]`, least and greatest area, any numbers but NaN.
///   - areaCount: 1 … 2¹⁶.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, BUFFER_TOO_SMALL if `size` is less than needed.
func cocoAccumulatorInit(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ numClasses: Int, _ iouThresholds: UnsafePointer<Double>?,
  _ thresholdCount: Int, _ maxDets: UnsafePointer<Int64>?, _ maxDetCount: Int, _ areaRanges: UnsafePointer<Double>?,
  _ areaCount: Int
) -> Status {
  guard size >= 0, let shape = CocoShape(numClasses, thresholdCount, areaCount, maxDetCount) else {
    return .invalidShape
  }
  guard let state else { return .nullPointer }
  let parameters = CocoParameters(thresholds: iouThresholds, limits: maxDets, ranges: areaRanges)
  if let fault = parameters.fault(shape) { return fault }
  guard size >= shape.headerBytes else { return .bufferTooSmall }
  return CocoState(state, shape, parameters) == nil ? .nullPointer : .ok
}

/// Is this the state of a COCO accumulator? For bytes that come from elsewhere.
///
/// - Parameters:
///   - state: `[size]` bytes, at any alignment.
///   - size: how many bytes there are; what goes beyond the state is not looked at.
///   - usedSize: optional output, the bytes of the state.
///   - numClasses: optional output, what it was started with.
///   - thresholdCount: optional output; the thresholds are doubles from byte 48 on.
///   - maxDetCount: optional output; the limits are 64-bit integers behind the ranges.
///   - areaCount: optional output; the ranges are pairs of doubles behind the thresholds.
///   - detections: optional output, how many it holds.
/// - Errors: INVALID_VALUE if it is none.
func cocoAccumulatorCheck(
  _ state: UnsafeRawPointer?, _ size: Int, _ usedSize: UnsafeMutablePointer<Int>?,
  _ numClasses: UnsafeMutablePointer<Int>?, _ thresholdCount: UnsafeMutablePointer<Int>?,
  _ maxDetCount: UnsafeMutablePointer<Int>?, _ areaCount: UnsafeMutablePointer<Int>?,
  _ detections: UnsafeMutablePointer<Int>?
) -> Status {
  var fault = Status.ok
  guard let opened = CocoState(state, size, &fault) else { return fault }
  guard opened.isSound else { return .invalidValue }
  usedSize?.pointee = opened.used
  numClasses?.pointee = opened.shape.classes
  thresholdCount?.pointee = opened.shape.thresholds
  maxDetCount?.pointee = opened.shape.limits
  areaCount?.pointee = opened.shape.ranges
  detections?.pointee = opened.detections
  return .ok
}

/// Adds images to a COCO accumulator.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`: room for what it holds and for all detections of this batch.
///   - usedSize: optional output, the bytes of the state now; with BUFFER_TOO_SMALL, those that are needed.
///   - detBoxes: `[detCount, 4]`, x1, y1, x2, y2.
///   - detScores: `[detCount]`; NaN gives INVALID_VALUE.
///   - detLabels: `[detCount]`, 0 ..< number of classes.
///   - detImages: `[detCount]`, any numbers.
///   - detCount: 0 … 2³¹ − 1.
///   - gtBoxes: `[gtCount, 4]`.
///   - gtLabels: `[gtCount]`, 0 ..< number of classes.
///   - gtImages: `[gtCount]`, any numbers.
///   - gtCrowd: optional, `[gtCount]`, not 0 for crowds; absent if there are none.
///   - gtArea: optional, `[gtCount]`; the boxes' areas if absent.
///   - gtCount: 0 … 2³¹ − 1.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET for a label out of range, INVALID_VALUE for a NaN score or if
///   `state` is not a state, BUFFER_TOO_SMALL, OUT_OF_MEMORY. The state is then as it was.
func cocoAccumulatorUpdate<S: Scalar>(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ usedSize: UnsafeMutablePointer<Int>?,
  _ detBoxes: UnsafePointer<S>?, _ detScores: UnsafePointer<S>?, _ detLabels: UnsafePointer<Int64>?,
  _ detImages: UnsafePointer<Int64>?, _ detCount: Int, _ gtBoxes: UnsafePointer<S>?,
  _ gtLabels: UnsafePointer<Int64>?, _ gtImages: UnsafePointer<Int64>?, _ gtCrowd: UnsafePointer<UInt8>?,
  _ gtArea: UnsafePointer<S>?, _ gtCount: Int
) -> Status {
  var fault = Status.ok
  guard let opened = CocoState(state, size, &fault) else { return fault }
  let images = CocoImages(
    boxes: detBoxes, scores: detScores, labels: detLabels, images: detImages, count: detCount, truthBoxes: gtBoxes,
    truthLabels: gtLabels, truthImages: gtImages, crowd: gtCrowd, areas: gtArea, truthCount: gtCount)
  if let fault = images.fault(classes: opened.shape.classes) { return fault }
  guard let needed = opened.shape.size(opened.detections &+ detCount) else { return .invalidShape }
  guard needed <= size else {
    usedSize?.pointee = needed
    return .bufferTooSmall
  }
  let status = images.add(to: opened)
  if status == .ok { usedSize?.pointee = opened.used }
  return status
}

/// Adds all that another COCO accumulator holds. In whatever order parts are merged, the result is the same.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`: room for what both hold.
///   - usedSize: optional output, the bytes of the state now; with BUFFER_TOO_SMALL, those that are needed.
///   - other: `[otherSize]` bytes, of a state that was started alike.
///   - otherSize: of `other`.
/// - Errors: INVALID_VALUE if either is not a state, INVALID_SHAPE if they were not started alike or hold too much,
///   NULL_POINTER, BUFFER_TOO_SMALL. The state is then as it was.
func cocoAccumulatorMerge(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ usedSize: UnsafeMutablePointer<Int>?, _ other: UnsafeRawPointer?,
  _ otherSize: Int
) -> Status {
  var fault = Status.ok
  guard let opened = CocoState(state, size, &fault), let added = CocoState(other, otherSize, &fault) else {
    return fault
  }
  guard added.isSound else { return .invalidValue }
  guard opened.shape == added.shape, opened.hasParameters(of: added),
    let needed = opened.shape.size(opened.detections &+ added.detections)
  else { return .invalidShape }
  guard needed <= size else {
    usedSize?.pointee = needed
    return .bufferTooSmall
  }
  opened.append(added)
  usedSize?.pointee = needed
  return .ok
}

/// The results of all images that a COCO accumulator holds, as `cocoEval` gives them.
///
/// - Parameters:
///   - state: `[size]` bytes.
///   - size: of `state`.
///   - stats: optional output, `[statCapacity]`: the first 1 + 2 A + M are written, of a state with T thresholds, A
///     ranges and M limits for K classes.
///   - statCapacity: entries that `stats` has room for.
///   - precision: optional output, T × 101 × K × A × M numbers.
///   - recall: optional output, T × K × A × M numbers.
/// - Errors: INVALID_VALUE if `state` is not a state, INVALID_SHAPE, NULL_POINTER, BUFFER_TOO_SMALL for `stats`,
///   OUT_OF_MEMORY.
func cocoAccumulatorResult(
  _ state: UnsafeRawPointer?, _ size: Int, _ stats: UnsafeMutablePointer<Double>?, _ statCapacity: Int,
  _ precision: UnsafeMutablePointer<Double>?, _ recall: UnsafeMutablePointer<Double>?
) -> Status {
  var fault = Status.ok
  guard let opened = CocoState(state, size, &fault) else { return fault }
  guard opened.isSound else { return .invalidValue }
  let results = CocoResults(stats: stats, statCapacity: statCapacity, precision: precision, recall: recall)
  if let fault = results.fault(opened.shape) { return fault }
  return results.write(opened)
}
