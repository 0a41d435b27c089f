/// Coverage and width of prediction intervals: the share of targets inside, and the mean width.
///
///     PICP = mean [lower ≤ y ≤ upper],   MPIW = mean |upper − lower|
///
/// - Parameters:
///   - lower: `[count]`.
///   - upper: `[count]`.
///   - target: `[count]`.
///   - count: ≥ 0; with 0 both are NaN.
///   - coverage: optional output, PICP.
///   - width: optional output, MPIW.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a number is NaN.
/// - Reference: Khosravi et al., Comprehensive Review of Neural Network-Based Prediction Intervals, 2011.
func picpMpiw<S: Scalar>(
  _ lower: UnsafePointer<S>?, _ upper: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ count: Int,
  _ coverage: UnsafeMutablePointer<S>?, _ width: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 {
    setUndefined(coverage, width)
    return .ok
  }
  guard let lower, let upper, let target else { return .nullPointer }
  guard !hasNaN(lower, count), !hasNaN(upper, count), !hasNaN(target, count) else { return .invalidValue }
  var inside = 0
  var sum = 0.0
  for i in 0..<count {
    if lower[i] <= target[i], target[i] <= upper[i] { inside &+= 1 }
    sum += (upper[i].double - lower[i].double).magnitude
  }
  coverage?.pointee = S(Double(inside) / Double(count))
  width?.pointee = S(sum / Double(count))
  return .ok
}
