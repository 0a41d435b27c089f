/// How `confidenceBiasError` weights the gap of a bin.
enum BiasWeighting: Int32 {
  /// Overconfidence by the mean confidence, underconfidence by one minus it.
  case conf = 0
  /// Not at all: then both together are the expected calibration error.
  case none = 1
}

/// Overconfidence and underconfidence error: the calibration error in two parts, by the sign of the gaps.
///
///     over  = Σ n_b/N · conf_b · max(gap_b, 0),   under = Σ n_b/N · (1 − conf_b) · max(−gap_b, 0)
///
/// with the weighting `none` without the factors conf_b and 1 − conf_b. Classwise: means over the classes.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 0; with N = 0 both are NaN. With a binning other than `uniform` 2³¹ − 1 at most.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1, and `mode` plays no role.
///   - nBins: number of bins, 1 to 2²⁴; 15 is usual.
///   - binning: how edges are chosen; `uniform` is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
///   - mode: `top` or `classwise`.
///   - weighting: `conf` is usual.
///   - over: optional output.
///   - under: optional output.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Thulasidasan et al., On Mixup Training, 2019, for overconfidence; underconfidence is its mirror image.
func confidenceBiasError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ binning: Binning, _ edge: BinEdge, _ mode: CalibrationMode, _ weighting: BiasWeighting,
  _ over: UnsafeMutablePointer<S>?, _ under: UnsafeMutablePointer<S>?
) -> Status {
  let layout = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(probs, y, count, classes, isTopLabel: mode == .top, layout) { binned in
    // n_b · gap_b is the excess.
    let weighted = weighting == .conf
    over?.pointee = S(
      binned.mean { $0.total { max($0.excess, 0) * (weighted ? $0.meanConfidence : 1) } } / binned.samples)
    under?.pointee = S(
      binned.mean { $0.total { max(-$0.excess, 0) * (weighted ? $0.meanDoubt : 1) } } / binned.samples)
  }
}
