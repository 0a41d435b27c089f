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
/// - Errors: `INVALID_VALUE` if a probability is outside [0, 1] or a weight negative, `INVALID_TARGET` if a
///   label is out of range. NaN propagates.
/// - Reference: Good, Rational Decisions, 1952.
func logLoss<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ eps: Double,
  _ sampleWeight: UnsafePointer<S>?, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard eps >= 0, eps < 1 else { return .invalidParameter }
  guard count > 0, let probs, let y else {
    if reduction != .none { loss?.pointee = 0 }
    return .ok
  }
  let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: false)
  let faults = rows.faultsOfLoss()
  guard faults.status == .ok else { return faults.status }
  guard let weights = RowWeights(sampleWeight, count) else { return .invalidValue }

  let columns = rows.columns
  let isBinary = rows.firstLabel == 1
  @inline(__always) func given(_ row: Int) -> Double {
    if isBinary { return y[row] == 1 ? probs[row].double : 1 - probs[row].double }
    return probs[row &* columns &+ Int(y[row])].double
  }
  rows.reduceLosses(
    weights, reduction, loss,
    losses: { first, n, losses in
      for i in 0..<n { losses[i] = given(first &+ i) }
      let q = DoubleLanes.load(losses, first: n, fill: 1)
      // max(ε, NaN) is NaN.
      (DoubleLanes.zero - DoubleLanes.log(DoubleLanes.max(DoubleLanes(eps), q))).store(losses, first: n)
    },
    gradient: { row, factor in
      guard let grad else { return }
      let q = given(row)
      let slope = q <= eps ? 0 : -factor / q
      let gradient = grad + row &* columns
      gradient.update(repeating: 0, count: columns)
      gradient[isBinary ? 0 : Int(y[row])] = S(isBinary && y[row] == 0 ? -slope : slope)
    })
  return .ok
}
