/// Maximum calibration error (MCE): `calibration_error` with norm `max`.
///
///     E = max_b |mean confidence − accuracy of bin b|
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, ≥ 0. With N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - nBins: number of bins, 1 to 2²⁴; 15 is usual.
///   - value: optional output, the error.
///   - grad: optional output, like `probs`: the gradient, with bins and arg max as constants.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017.
func maximumCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  calibrationError(probs, y, count, classes, nBins, .max, .uniform, .right, .top, value, grad)
}
