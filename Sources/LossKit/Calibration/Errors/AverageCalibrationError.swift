/// Average calibration error: the mean of the absolute gaps of the bins that are not empty, each with the same weight.
///
///     E = mean over occupied bins of |mean confidence − accuracy|      (classwise: the mean over classes)
///
/// The ACE of netcal, with `uniform` bins and the edge `left`.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 0; with N = 0 the error is NaN. With a binning other than `uniform` 2³¹ − 1 at most.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1, and `mode` plays no role.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - binning: how edges are chosen; `uniform` is usual.
///   - edge: on which side a bin owns its edge; `left` is usual.
///   - mode: `top` or `classwise`.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Neumann et al., Relaxed Softmax, 2018; netcal.metrics.ACE.
func averageCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ binning: Binning, _ edge: BinEdge, _ mode: CalibrationMode, _ value: UnsafeMutablePointer<S>?
) -> Status {
  let layout = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(probs, y, count, classes, isTopLabel: mode == .top, layout) { binned in
    // Without samples 0/0, which is NaN.
    value?.pointee = S(binned.mean { bins in bins.total { $0.gap.magnitude } / bins.total { $0.count == 0 ? 0 : 1 } })
  }
}
