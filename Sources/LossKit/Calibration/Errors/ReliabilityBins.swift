/// Reliability diagram: confidences divided into bins, and for each bin its count, mean confidence and accuracy.
///
/// With n = `nBins` there are M bins, M = n, or n + 1 for the edge `left_extra`. Edges are the doubles b / n; confidences
/// are compared as doubles. Sums are exact: the result does not depend on the order of the samples.
///
/// - Parameters:
///   - conf: `[count]`, the confidence of each prediction, in [0, 1].
///   - correct: `[count]`, 1 where the prediction was right, else 0.
///   - count: number of predictions, ≥ 0, with a binning other than `uniform` 2³¹ − 1 at most. With none, all bins
///     are 0.
///   - nBins: n, 1 to 2²⁴; 15 is usual.
///   - binning: how the edges are chosen; `uniform` is usual. The others sort, with 32 bytes of memory a prediction.
///   - edge: on which side a bin owns its edge; `right` is usual. `rank` does not use it.
///   - counts: optional output, `[M]`.
///   - confMean: optional output, `[M]`, 0 for empty bins.
///   - accMean: optional output, `[M]`, 0 for empty bins.
///   - edges: optional output, `[n + 1]`. With `midpoint`, equal edges are merged, and unused ones at the end are 1. With
///     `rank`, edge b > 0 is the smallest confidence in bin b (1 if there is none).
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], INVALID_TARGET if `correct` is
///   neither 0 nor 1.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017 (`uniform`, `right`).
func reliabilityBins<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ correct: UnsafePointer<Int64>?, _ count: Int, _ nBins: Int, _ binning: Binning,
  _ edge: BinEdge, _ counts: UnsafeMutablePointer<Int64>?, _ confMean: UnsafeMutablePointer<S>?,
  _ accMean: UnsafeMutablePointer<S>?, _ edges: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(conf, correct, count, 0) { return fault }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  guard binning == .uniform || count <= largestSortCount else { return .invalidShape }
  let uniform = UniformBins(count: nBins, edge: edge)
  return withWorkspace(layout: {
    (bins: $0.take(Bin.self, uniform.total), borders: $0.take(Double.self, nBins + 1))
  }) { memory in
    let (bins, borders) = memory
    bins.initialize(repeating: Bin(), count: uniform.total)
    for b in 0...nBins { borders[b] = binning == .uniform || b == 0 ? uniform.border(b) : 1 }
    if count > 0, let conf, let correct {
      let rows = ConfidenceRows(conf, correct, count, classes: 0, isTopLabel: false)
      let status =
        binning == .uniform
        ? uniform.add(rows, to: bins)
        : SortedBins(count: nBins, binning: binning, edge: edge).add(rows, to: bins, edges: borders, indices: nil)
      guard status == .ok else { return status }
    }
    for b in 0..<uniform.total {
      counts?[b] = bins[b].count
      confMean?[b] = S(bins[b].meanConfidence)
      accMean?[b] = S(bins[b].accuracy)
    }
    for b in 0...nBins { edges?[b] = S(borders[b]) }
    return .ok
  }
}
