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
  let bins = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(conf, correct, count, 0, isTopLabel: false, bins) { binned in
    for b in 0..<binned.perView {
      counts?[b] = binned.bins[b].count
      confMean?[b] = S(binned.bins[b].meanConfidence)
      accMean?[b] = S(binned.bins[b].accuracy)
    }
    for b in 0...nBins { edges?[b] = S(binned.edges[b]) }
  }
}
