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
/// - Errors: `INVALID_VALUE` if a probability is outside [0, 1] or a weight negative, `INVALID_TARGET` if a
///   label is out of range. NaN propagates.
/// - Reference: Brier, Verification of Forecasts Expressed in Terms of Probability, 1950.
func brierScore<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ scaleByHalf: Bool,
  _ sampleWeight: UnsafePointer<S>?, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard count > 0, let probs, let y else {
    if reduction != .none { loss?.pointee = 0 }
    return .ok
  }
  let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: false)
  let faults = rows.faultsOfLoss()
  guard faults.status == .ok else { return faults.status }
  guard let weights = RowWeights(sampleWeight, count) else { return .invalidValue }

  typealias V = S.Vector
  let half = scaleByHalf ? 0.5 : 1
  let columns = rows.columns
  /// Calls `body(c, n, error)` for the errors p − [y = c] of a row, a vector at a time.
  @inline(__always) func forEachError(_ row: Int, _ body: (Int, Int, V) -> Void) {
    let hit = Int(y[row]) &- rows.firstLabel
    forEachVector(V.self, 0..<columns) { c, n in
      let isHit = V.Integers.indices .== V.Integers(hit &- c)
      body(c, n, V.load(probs + (row &* columns &+ c), lanes: n) - V.select(isHit & .first(n), V.one, V.zero))
    }
  }
  rows.reduceLosses(
    weights, reduction, loss,
    losses: { first, n, losses in
      for i in 0..<n {
        var sum = V.zero
        forEachError(first &+ i) { _, _, error in sum = V.fma(error, error, sum) }
        losses[i] = half * sum.sum.double
      }
    },
    gradient: { row, factor in
      guard let grad else { return }
      let factor = V(2 * half * factor)
      forEachError(row) { c, n, error in (error * factor).store(grad + (row &* columns &+ c), lanes: n) }
    })
  return .ok
}
