/// Log loss: the negative logarithm of the probability given to what happened.
///
///     l_i = −log max(q_i, ε),  q_i = p_{i,y_i}      (binary: p_i if y_i = 1, else 1 − p_i)
///     ∂l_i/∂q_i = −1/q_i where q_i > ε, else 0
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - eps: ε, in [0, 1); 1e-12 is usual. With 0, a probability of 0 costs infinity.
///   - sampleWeight: optional, `[count]`, ≥ 0.
///   - reduction: `mean` divides by the sum of the weights; a mean over nothing is 0.
///   - loss: optional output, one number, or `[count]` with reduction `none`.
///   - grad: optional output, like `probs`.
/// - Errors: INVALID_VALUE if a probability is outside [0, 1] or a weight negative, INVALID_TARGET if a
///   label is out of range. NaN propagates.
/// - Reference: Good, Rational Decisions, 1952.
func logLoss<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ eps: Double,
  _ sampleWeight: UnsafePointer<S>?, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard eps >= 0, eps < 1 else { return .invalidParameter }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  return call.score(probs, y, count, classes, LogarithmicScore<S.Vector>(eps: DoubleLanes(eps)))
}
