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
  return call.properScore(probs, y, count, classes) { outcomes, sink in
    LogLoss<S.Vector>(outcomes: outcomes, eps: eps, sink: sink)
  }
}

private struct LogLoss<V: Lanes>: RowKernel {
  let outcomes: Outcomes<V.Element>
  let eps: Double
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { false }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    // q = offset + sign · p: p itself, or 1 − p for label 0 of the binary view.
    let columns = outcomes.columns(tile.rows)
    var p = V.one
    for row in 0..<tile.count { p[row] = tile.input(row: row, class: Swift.max(columns[row], 0)) }
    let isComplement = columns .< V.Integers(0)
    let sign = V.select(isComplement, -V.one, V.one)
    let offset = V.select(isComplement, V.one, V.zero)
    // In double, because 1 − p would lose the small p of a float.
    let (ps, signs, offsets) = (p.doubles, sign.doubles, offset.doubles)
    let low = evaluate(DoubleLanes.fma(signs.0, ps.0, offsets.0))
    let high = V.count > 8 ? evaluate(DoubleLanes.fma(signs.1, ps.1, offsets.1)) : low
    let weight = sink.weights(tile.rows)
    sink.deposit(V(low.value, high.value) * weight, first: tile.firstRow, count: tile.count, &partial)
    if sink.call.grad == nil { return }
    tile.map(RowConstants<V>()) { _, _ in V.zero }
    let slope = V(low.slope, high.slope) * sign * weight * sink.gradientScale
    for row in 0..<tile.count { tile.setOutput(row: row, class: Swift.max(columns[row], 0), slope[row]) }
  }

  @inline(__always) private func evaluate(_ q: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes) {
    let eps = DoubleLanes(eps)
    // max(ε, NaN) is NaN.
    return (
      DoubleLanes.zero - DoubleLanes.log(DoubleLanes.max(eps, q)),
      DoubleLanes.select(q .<= eps, DoubleLanes.zero, -(DoubleLanes.one / q))
    )
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}
