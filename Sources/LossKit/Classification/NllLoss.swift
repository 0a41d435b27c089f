/// Negative log-likelihood of log-probabilities and integer targets.
///
///     L = −w_y log p_y
///
/// - Parameters:
///   - logP: log-probabilities, `[outer, classes, inner]`.
///   - target: one class per row, in 0 ..< classes, or `ignoreIndex`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weight: optional, `[classes]`, ≥ 0: class weights, default 1. The mean divides by Σ s_i w_{y_i}.
///   - ignoreIndex: rows with this target have loss and gradient 0 and do not count; any integer, default −100.
///   - reduction: default mean.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `logP`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.nll_loss.
func nllLoss<S: Scalar>(
  _ logP: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ weight: UnsafePointer<S>?, _ ignoreIndex: Int64, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  withCheckedRows(logP, target, (outer, classes, inner), reduction, sampleWeight, loss, grad) {
    shape, logP, target, call in
    guard areWeights(weight, classes) else { return .invalidValue }
    let targets = Targets(classes: target, ignoreIndex: ignoreIndex, classFactor: weight, factorIsWeight: true)
    guard let denominator = targets.denominator(shape.rows, classCount: classes, sampleWeight) else {
      return .invalidTarget
    }
    LossSink.run(call, denominator: denominator) { sink in
      forEachRowTile(
        shape, RowArrays(first: logP, second: logP, perClass: nil, output: grad),
        NegativeLogLikelihood<S.Vector>(targets: targets, sink: sink))
    }
    return .ok
  }
}

private struct NegativeLogLikelihood<V: Lanes>: RowKernel {
  let targets: Targets<V.Element>
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { false }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    let row = targets.load(tile.rows, sink.call.sampleWeight)
    sink.deposit(row.weighted(-tile.inputs(at: row.target)), first: tile.firstRow, count: tile.count, &partial)
    if sink.call.grad == nil { return }
    tile.map(RowConstants<V>()) { _, _ in V.zero }
    let weight = row.factor * row.sampleWeight
    let atTarget = V.select(row.counts, -weight * sink.gradientScale, V.zero)
    tile.setOutputs(at: row.target, atTarget)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}
