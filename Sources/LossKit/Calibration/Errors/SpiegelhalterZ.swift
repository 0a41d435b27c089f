/// Spiegelhalter's test of binary probabilities: is their Brier score what it should be, if they were true?
///
///     z = Σ (y − p)(1 − 2p) / √(Σ (1 − 2p)² p (1 − p))      (0 if the root is 0),      p-value = erfc(|z|/√2), two-sided
///
/// - Parameters:
///   - probs: `[count]`, the probability of class 1.
///   - y: `[count]`, 0 or 1.
///   - count: N ≥ 0; with N = 0 both are NaN.
///   - z: optional output, standard normal if the probabilities are true.
///   - pValue: optional output.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET.
/// - Reference: Spiegelhalter, Probabilistic Prediction in Patient Management and Clinical Trials, 1986.
func spiegelhalterZ<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ z: UnsafeMutablePointer<S>?,
  _ pValue: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, 0) { return fault }
  guard count > 0, let probs, let y else {
    setUndefined(z, pValue)
    return .ok
  }
  let rows = ConfidenceRows(probs, y, count, classes: 0, isTopLabel: false)
  let faults = rows.forEachTile(0..<count) { _, _ in }
  guard faults.status == .ok else { return faults.status }
  var difference = 0.0
  var variance = 0.0
  for i in 0..<count {
    let p = probs[i].double
    let slope = 1 - 2 * p
    difference += (Double(y[i]) - p) * slope
    variance += slope * slope * (p * (1 - p))
  }
  let statistic = variance == 0 ? 0 : difference / variance.squareRoot()
  z?.pointee = S(statistic)
  pValue?.pointee = S(complementaryErrorFunction(statistic.magnitude * 0.5.squareRoot()))
  return .ok
}
