/// Detection calibration error (D-ECE): gaps over a joint grid of confidences and features, such as places and sizes.
///
///     a cell is one of `nBins` intervals [b/n, (b+1)/n) (the last with 1) of the confidence and of each feature
///     gap = mean matched − mean confidence of a cell with n of the N detections
///     l1:  Σ n/N |gap|     l2:  √(Σ n/N gap²)     max:  max |gap|
///
/// Cells are sorted for, so that no memory is taken for the empty ones.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - matched: `[count]`, 1 where a detection matches an object, else 0.
///   - features: `[count, featureCount]`, in [0, 1]; may be null if there are none.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the error is NaN.
///   - featureCount: F ≥ 0.
///   - nBins: 1 to 2²⁴; 10 is usual.
///   - norm: how gaps are joined; `l1` is usual.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a confidence or feature is NaN or outside
///   [0, 1], INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Küppers et al., Multivariate Confidence Calibration for Object Detection, 2020; netcal.metrics.ECE with
///   `detection=True`.
func detectionCalibrationError<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ matched: UnsafePointer<Int64>?, _ features: UnsafePointer<S>?, _ count: Int,
  _ featureCount: Int, _ nBins: Int, _ norm: CalibrationNorm, _ value: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(conf, matched, count, 0) { return fault }
  guard let size = elementCount(count, featureCount), count <= largestSortCount else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  guard count > 0, let conf, let matched else {
    setUndefined(value)
    return .ok
  }
  guard featureCount == 0 || features != nil else { return .nullPointer }
  let rows = ConfidenceRows(conf, matched, count, classes: 0, isTopLabel: false)
  let faults = rows.forEachTile(0..<count) { _, _ in }
  guard faults.status == .ok else { return faults.status }
  if let features, !areFractions(features, size) { return .invalidValue }
  let cells = JointCells(conf: conf, features: features, featureCount: featureCount, nBins: nBins)
  return withWorkspace(layout: { Sorter<UInt64>(&$0, capacity: count) }) { sorter in
    for i in 0..<count { sorter.items[i].index = UInt32(i) }
    var sorted = sorter.items
    // Stable sorts by the last coordinates, then by those before them, sort by all.
    let digits = 64 / cells.bits
    var end = featureCount + 1
    while end > 0 {
      let start = max(0, end - digits)
      for i in 0..<count {
        sorter.items[i] = SortItem(key: cells.key(Int(sorted[i].index), start..<end), index: sorted[i].index)
      }
      sorted = sorter.sort(count)
      if sorted != sorter.items { sorter.items.update(from: sorted, count: count) }
      end = start
    }
    var sum = JoinedGaps(norm, samples: Double(count))
    var bin = Bin()
    for k in 0..<count {
      let i = Int(sorter.items[k].index)
      if k > 0, !cells.areSame(i, Int(sorter.items[k - 1].index)) {
        sum.add(bin)
        bin = Bin()
      }
      bin.add(conf[i].double, hit: matched[i])
    }
    sum.add(bin)
    value?.pointee = S(sum.error)
    return .ok
  }
}

/// The cells of detections.
private struct JointCells<S: Scalar> {
  let conf: UnsafePointer<S>
  let features: UnsafePointer<S>?
  let featureCount, nBins: Int

  /// Bits that a coordinate takes.
  var bits: Int { max(1, Int.bitWidth - (nBins - 1).leadingZeroBitCount) }

  /// Coordinate 0 is the confidence's.
  @inline(__always) func coordinate(_ i: Int, _ axis: Int) -> Int {
    let x = axis == 0 ? conf[i].double : features.unsafelyUnwrapped[i &* featureCount &+ axis &- 1].double
    // Rounding may have taken x·n over an edge, by one bin at most.
    var b = min(Int(x * Double(nBins)), nBins - 1)
    if x < Double(b) / Double(nBins) { b &-= 1 }
    if b + 1 < nBins, x >= Double(b + 1) / Double(nBins) { b &+= 1 }
    return b
  }

  func key(_ i: Int, _ axes: Range<Int>) -> UInt64 {
    var key: UInt64 = 0
    for axis in axes { key = key << UInt64(bits) | UInt64(coordinate(i, axis)) }
    return key
  }

  func areSame(_ i: Int, _ j: Int) -> Bool {
    for axis in 0...featureCount where coordinate(i, axis) != coordinate(j, axis) { return false }
    return true
  }
}
