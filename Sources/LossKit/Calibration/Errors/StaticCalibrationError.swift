/// Static calibration error (SCE, class-wise ECE): `calibration_error` with norm `l1` in mode `classwise`.
///
///     E = 1/C Σ_k Σ_b n_kb/N |mean p_k − share of label k in bin b|
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, ≥ 0. With N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - nBins: number of bins, 1 to 2²⁴; 15 is usual.
///   - value: optional output, the error.
///   - grad: optional output, like `probs`: the gradient, with bins and arg max as constants.
/// - Reference: Nixon et al., Measuring Calibration in Deep Learning, 2019.
func staticCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  calibrationError(probs, y, count, classes, nBins, .l1, .uniform, .right, .classwise, value, grad)
}
