/// Brier score: the squared distance between the predicted distribution and the outcome.
///
///     l_i = Σ_c (p_ic − [y_i = c])²      (binary: (p_i − y_i)²)
///     ∂l_i/∂p_ic = 2 (p_ic − [y_i = c])
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - scaleByHalf: halve losses (and gradient), so that they stay within [0, 1].
///   - sampleWeight: optional, `[count]`, ≥ 0.
///   - reduction: `mean` divides by the sum of the weights; a mean over nothing is 0.
///   - loss: optional output, one number, or `[count]` with reduction `none`.
///   - grad: optional output, like `probs`.
/// - Errors: INVALID_VALUE if a probability is outside [0, 1] or a weight negative, INVALID_TARGET if a
///   label is out of range. NaN propagates.
/// - Reference: Brier, Verification of Forecasts Expressed in Terms of Probability, 1950.
func brierScore<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ scaleByHalf: Bool,
  _ sampleWeight: UnsafePointer<S>?, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  return call.score(probs, y, count, classes, QuadraticScore(factor: S.Vector(scaleByHalf ? 0.5 : 1)))
}
