/// How the precisions of a curve become one number.
enum AveragePrecisionMethod: Int32 {
  /// The area under the curve, as PASCAL VOC has it from 2010 on.
  case area = 0
  /// The mean at the recalls 0, 0.1, …, 1, as PASCAL VOC had it before.
  case elevenPoint = 1
  /// The mean at the recalls 0, 0.01, …, 1, as COCO has it.
  case hundredOnePoint = 2
}

/// Average precision of detections of which it is known whether they are true.
///
///     detections in descending order of score (equal ones: lower index first), TP and FP counted along
///     recall r = TP / nGt,  precision p = TP / (TP + FP), raised to the greatest p at a recall ≥ r
///     area                              Σ (r_i − r_{i−1}) p_i
///     eleven_point, hundred_one_point   the mean of p at evenly spaced recalls, 0 beyond the last
///
/// - Parameters:
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - matched: `[count]`, not 0 where the detection is a true positive.
///   - count: number of detections, 0 … 2³¹ − 1.
///   - nGt: number of ground truths, ≥ 0.
///   - method: how the curve becomes a number (area).
///   - averagePrecision: output, NaN where `nGt` is 0, 0 without detections.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, OUT_OF_MEMORY.
/// - Reference: Everingham et al. 2010, The PASCAL visual object classes (VOC) challenge.
func detectionAveragePrecision<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ matched: UnsafePointer<UInt8>?, _ count: Int, _ nGt: Int64,
  _ method: AveragePrecisionMethod, _ averagePrecision: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard nGt >= 0 else { return .invalidParameter }
  guard let averagePrecision else { return .nullPointer }
  if count == 0 {
    averagePrecision.pointee = nGt == 0 ? .nan : 0
    return .ok
  }
  guard let scores, let matched else { return .nullPointer }
  guard !hasNaN(scores, count) else { return .invalidValue }
  if nGt == 0 {
    averagePrecision.pointee = .nan
    return .ok
  }

  return withWorkspace(
    layout: { (sorter: Sorter<S.Bits>(&$0, capacity: count), precisions: $0.take(Double.self, count)) }
  ) { memory in
    var curve = PrecisionCurve(memory.precisions, truths: nGt)
    let best = memory.sorter.sorted(count) { scores[$0].descendingKey }
    for place in 0..<count where matched[Int(best[place].index)] != 0 {
      curve.append(Double(curve.truePositives &+ 1) / Double(place &+ 1))
    }
    curve.makeMonotonic()
    switch method {
    case .area: averagePrecision.pointee = S(curve.area)
    case .elevenPoint: averagePrecision.pointee = S(curve.mean(11))
    case .hundredOnePoint: averagePrecision.pointee = S(curve.mean(101))
    }
    return .ok
  }
}
