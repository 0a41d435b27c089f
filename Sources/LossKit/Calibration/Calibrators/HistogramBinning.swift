/// Histogram binning: calibrates a confidence as the share of hits among those in the same bin.
///
/// Bins are (e_b, e_{b+1}], and 0 is in the first. The value of an empty bin is the middle of its edges.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - correct: `[count]`, 1 where the prediction was right, else 0.
///   - count: number of predictions, ≥ 1, with a binning other than `uniform` 2³¹ − 1 at most.
///   - nBins: n, 1 to 2²⁴; 15 is usual.
///   - binning: `uniform` (usual), `quantile` or `midpoint`, of which unused bins come last and are empty.
///   - edges: optional output, `[n + 1]`.
///   - values: optional output, `[n]`.
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], INVALID_TARGET if `correct` is neither 0 nor 1.
/// - Reference: Zadrozny and Elkan, Obtaining Calibrated Probability Estimates, 2001.
func histogramBinningFit<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ correct: UnsafePointer<Int64>?, _ count: Int, _ nBins: Int, _ binning: Binning,
  _ edges: UnsafeMutablePointer<S>?, _ values: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 1, elementCount(count, 1) != nil else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount, binning != .rank else { return .invalidParameter }
  guard binning == .uniform || count <= largestSortCount else { return .invalidShape }
  guard let conf, let correct else { return .nullPointer }
  return CalibrationBins(count: nBins, binning: binning).fill(conf, correct, count) { bins, borders in
    for b in 0...nBins { edges?[b] = S(borders[b]) }
    for b in 0..<nBins { values?[b] = S(bins[b].count == 0 ? (borders[b] + borders[b + 1]) / 2 : bins[b].accuracy) }
  }
}

/// Applies a calibration by bins: the value of the bin that each confidence falls in, whose index is the number of inner
/// edges below the confidence.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - count: number of confidences, ≥ 0.
///   - edges: `[bins + 1]`, ascending; the first and the last play no role.
///   - values: `[bins]`.
///   - bins: number of bins, ≥ 1.
///   - output: `[count]`; may be `conf`.
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], or inner edges are not ascending.
/// - Reference: Zadrozny and Elkan, Obtaining Calibrated Probability Estimates, 2001.
func binningApply<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ count: Int, _ edges: UnsafePointer<S>?, _ values: UnsafePointer<S>?, _ bins: Int,
  _ output: UnsafeMutablePointer<S>?
) -> Status {
  guard bins >= 1, elementCount(count, 1) != nil, elementCount(bins, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let conf, let edges, let values, let output else { return .nullPointer }
  let inner = AscendingNumbers(first: edges + 1, count: bins - 1)
  guard areFractions(conf, count), inner.areAscending else { return .invalidValue }
  for i in 0..<count { output[i] = values[inner.count(below: conf[i])] }
  return .ok
}

/// Bins that own their upper edges.
struct CalibrationBins {
  let count: Int
  let binning: Binning

  /// Runs `body` with the bins of confidences, and their edges.
  @inline(__always)
  func fill<S: Scalar>(
    _ conf: UnsafePointer<S>, _ correct: UnsafePointer<Int64>, _ samples: Int,
    _ body: (UnsafeMutablePointer<Bin>, UnsafeMutablePointer<Double>) -> Void
  ) -> Status {
    let uniform = UniformBins(count: count, edge: .right)
    return withWorkspace(layout: {
      (bins: $0.take(Bin.self, count), borders: $0.take(Double.self, count + 1))
    }) { memory in
      memory.bins.initialize(repeating: Bin(), count: count)
      for b in 0...count { memory.borders[b] = uniform.border(b) }
      let rows = ConfidenceRows(conf, correct, samples, classes: 0, isTopLabel: false)
      let status =
        binning == .uniform
        ? uniform.add(rows, to: memory.bins)
        : SortedBins(count: count, binning: binning, edge: .right)
          .add(rows, to: memory.bins, edges: memory.borders, indices: nil)
      if status == .ok { body(memory.bins, memory.borders) }
      return status
    }
  }
}
