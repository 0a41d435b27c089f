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
  return call.properScore(probs, y, count, classes) { outcomes, sink in
    BrierScore<S.Vector>(outcomes: outcomes, scale: S.Vector(scaleByHalf ? 0.5 : 1), sink: sink)
  }
}

private struct BrierScore<V: Lanes>: RowKernel {
  let outcomes: Outcomes<V.Element>
  let scale: V
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { false }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    var k = RowConstants<V>(target: outcomes.columns(tile.rows))
    let weight = scale * sink.weights(tile.rows)
    let squares = tile.sum(k, keep: false) { e, k in
      let error = error(e, k)
      return error * error
    }
    sink.deposit(squares * weight, first: tile.firstRow, count: tile.count, &partial)
    if sink.call.grad == nil { return }
    k.a = (weight + weight) * sink.gradientScale
    tile.map(k) { e, k in error(e, k) * k.a }
  }

  /// p − [y = c].
  @inline(__always) private func error(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    e.x - V.select(e.classes .== k.target, V.one, V.zero)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}
