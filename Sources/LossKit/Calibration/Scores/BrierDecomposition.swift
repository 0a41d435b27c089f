/// The parts of the Brier score of binary probabilities over bins.
///
///     REL = Σ n_b/N (p̄_b − ȳ_b)²,   RES = Σ n_b/N (ȳ_b − ȳ)²,   UNC = ȳ(1 − ȳ)
///     WBV = 1/N Σ (p_i − p̄_b(i))²,  WBC = 2/N Σ (y_i − ȳ_b(i))(p_i − p̄_b(i))
///     Brier score = REL − RES + UNC + WBV − WBC
///
/// - Parameters:
///   - probs: `[count]`, the probability of class 1.
///   - y: `[count]`, 0 or 1.
///   - count: N ≥ 0; with N = 0 all is NaN. With a binning other than `uniform` 2³¹ − 1 at most.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - binning: how edges are chosen; `uniform` is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
///   - reliability: optional output, REL.
///   - resolution: optional output, RES.
///   - uncertainty: optional output, UNC.
///   - variance: optional output, WBV, within the bins.
///   - covariance: optional output, WBC, within the bins.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Murphy, A New Vector Partition of the Probability Score, 1973; Stephenson et al., Two Extra Components in
///   the Brier Score Decomposition, 2008.
func brierDecomposition<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ nBins: Int, _ binning: Binning,
  _ edge: BinEdge, _ reliability: UnsafeMutablePointer<S>?, _ resolution: UnsafeMutablePointer<S>?,
  _ uncertainty: UnsafeMutablePointer<S>?, _ variance: UnsafeMutablePointer<S>?,
  _ covariance: UnsafeMutablePointer<S>?
) -> Status {
  let layout = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(probs, y, count, 0, isTopLabel: false, layout, needsElements: true, layout: { _, _ in () }) {
    binned, _ in
    let n = Double(count)
    let bins = binned.view(0)
    let mean = bins.total { Double($0.hits) } / n
    reliability?.pointee = S(bins.total { $0.excess * $0.gap } / n)
    resolution?.pointee = S(
      bins.total { Double($0.count) * ($0.accuracy - mean) * ($0.accuracy - mean) } / n)
    uncertainty?.pointee = S(mean * (1 - mean))
    var square = 0.0
    var product = 0.0
    binned.forEachElement(0..<count) { row, _, b in
      let deviation = probs.unsafelyUnwrapped[row].double - bins[b].meanConfidence
      square += deviation * deviation
      product += (Double(y.unsafelyUnwrapped[row]) - bins[b].accuracy) * deviation
    }
    variance?.pointee = S(square / n)
    covariance?.pointee = S(2 * product / n)
  }
}
