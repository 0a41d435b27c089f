/// Adaptive calibration error (ACE): gaps over ranges of equal mass, of every class, unweighted.
///
///     of class k those i with p_ik ≥ threshold, sorted, are cut into R = nRanges ranges: rank j of n_k goes to ⌊jR/n_k⌋
///     ACE = 1/(C·R) Σ_k Σ_ranges |accuracy − mean confidence|
///
/// Empty ranges add 0, but count in R. A threshold of 0 gives ACE; `thresholdedAdaptiveCalibrationError` has another default.
/// The paper leaves open how ranks are cut; netcal calls another measure ACE: `averageCalibrationError`.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - nRanges: R, 1 to 2²⁴; 15 is usual.
///   - threshold: lower probabilities do not count; 0 is usual.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Nixon et al., Measuring Calibration in Deep Learning, 2019.
func adaptiveCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nRanges: Int,
  _ threshold: Double, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard !threshold.isNaN else { return .invalidParameter }
  let ranges = BinLayout(count: nRanges, binning: .rank, edge: .right)
  return withBins(probs, y, count, classes, isTopLabel: false, ranges, from: threshold) { binned in
    value?.pointee = S(count == 0 ? .nan : binned.mean { $0.total { $0.gap.magnitude } / Double(nRanges) })
  }
}

/// Thresholded adaptive calibration error (TACE): `adaptiveCalibrationError` of the probabilities that matter.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - nRanges: R, 1 to 2²⁴; 15 is usual.
///   - threshold: lower probabilities do not count; 0.01 is usual.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Nixon et al., Measuring Calibration in Deep Learning, 2019.
func thresholdedAdaptiveCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nRanges: Int,
  _ threshold: Double, _ value: UnsafeMutablePointer<S>?
) -> Status {
  adaptiveCalibrationError(probs, y, count, classes, nRanges, threshold, value)
}
