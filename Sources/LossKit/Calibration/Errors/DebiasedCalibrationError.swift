/// Debiased calibration error: the L2 error, less what sampling alone adds to the squared gap of each bin.
///
///     s = Σ_{b: n_b ≥ 2} n_b/N (gap_b² − acc_b (1 − acc_b)/(n_b − 1))
///     E = √max(s, 0)      (classwise: √(mean_k max(s_k, 0)))
///
/// What uncertainty-calibration calls `lower_bound_scaling_ce`, with `midpoint` bins and the edge `right`.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 0; with N = 0 the error is NaN. With a binning other than `uniform` 2³¹ − 1 at most.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1, and `mode` plays no role.
///   - nBins: number of bins, 1 to 2²⁴; 15 is usual.
///   - binning: how edges are chosen; `midpoint` is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
///   - mode: `top` or `classwise`.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Kumar et al., Verified Uncertainty Calibration, 2019.
func debiasedCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ binning: Binning, _ edge: BinEdge, _ mode: CalibrationMode, _ value: UnsafeMutablePointer<S>?
) -> Status {
  let layout = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(probs, y, count, classes, isTopLabel: mode == .top, layout) { binned in
    let square = binned.mean { bins in
      let s = bins.total { bin in
        if bin.count < 2 { return 0 }
        let n = Double(bin.count)
        return n * (bin.gap * bin.gap) - n * bin.accuracy * (1 - bin.accuracy) / (n - 1)
      }
      return s <= 0 ? 0 : s / binned.samples
    }
    value?.pointee = S(count == 0 ? .nan : square.squareRoot())
  }
}
