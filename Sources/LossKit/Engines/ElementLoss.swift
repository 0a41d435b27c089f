/// A loss of pairs of elements: x and its target t. `column` is the entry of a per-column array; 1 where there is none.
protocol ElementLoss {
  associatedtype V: Lanes
  func evaluate(_ x: V, _ t: V, _ column: V) -> (value: V, derivative: V)
}

/// The weights of an element loss on `[rows, columns]`, each optional: `LossCall.sampleWeight` has one per row.
struct ElementFactors<S: Scalar> {
  /// One factor per element, or one per column; not part of a mean's denominator.
  var perElement: UnsafePointer<S>?
  var perColumn: UnsafePointer<S>?
  /// A per-column array that the formula itself uses.
  var column: UnsafePointer<S>?
}

/// Value and gradient of an element loss on `[rows, columns]`.
@inline(__always)
func elementLoss<L: ElementLoss>(
  _ loss: L, _ x: UnsafePointer<L.V.Element>, _ t: UnsafePointer<L.V.Element>, rows: Int, columns: Int,
  weights: ElementFactors<L.V.Element> = ElementFactors(), _ call: LossCall<L.V.Element>
) {
  let count = rows &* columns
  let denominator = sumOfSampleWeights(call.sampleWeight, rows) * Double(columns)
  var weights = weights
  var rows = rows, columns = columns
  var rowWeight = call.sampleWeight
  // Without anything that differs from row to row, or with rows of one element, the array is one long row.
  if columns == 1 && weights.perElement == nil {
    weights.perElement = rowWeight
    rowWeight = nil
  }
  if rowWeight == nil && weights.perColumn == nil && weights.column == nil {
    columns = count
    rows = 1
  }
  LossSink.run(call, denominator: denominator) { sink in
    let byColumns = rows == 1
    let split =
      byColumns
      ? Split(columns, smallest: smallestElementwisePart, multiple: L.V.count)
      : Split(rows, smallest: Swift.max(1, smallestElementwisePart / Swift.max(1, columns)))
    parallel(
      split.parts,
      ElementLossJob(
        loss: loss, x: x, t: t, columns: columns, weights: weights, rowWeight: rowWeight, sink: sink, split: split,
        byColumns: byColumns))
  }
}

private struct ElementLossJob<L: ElementLoss>: ParallelJob {
  typealias V = L.V
  let loss: L
  let x, t: UnsafePointer<V.Element>
  let columns: Int
  let weights: ElementFactors<V.Element>
  let rowWeight: UnsafePointer<V.Element>?
  let sink: LossSink<V.Element>
  let split: Split
  let byColumns: Bool

  @inline(__always) func run(part: Int) {
    var partial = sink.empty
    let range = split.range(part)
    let scale = sink.gradientScale
    for row in byColumns ? 0..<1 : range {
      let rowFactor = rowWeight.map { V($0[row]) } ?? V.one
      let start = row &* columns
      forEachVector(V.self, byColumns ? range : 0..<columns) { c, n in
        let at = start &+ c
        var weight = rowFactor
        if let w = weights.perElement { weight = weight * V.load(w + at, lanes: n) }
        if let w = weights.perColumn { weight = weight * V.load(w + c, lanes: n) }
        let column = weights.column.map { V.load($0 + c, lanes: n) } ?? V.one
        let result = loss.evaluate(V.load(x + at, lanes: n), V.load(t + at, lanes: n), column)
        sink.deposit(result.value * weight, first: at, count: n, &partial)
        if let grad = sink.call.grad { (result.derivative * (weight * scale)).store(grad + at, lanes: n) }
      }
    }
    sink.finish(partial, part: part)
  }
}

/// `q^γ` and its derivative for fixed γ ≥ 0 and q in [0, 1]; the exponents that are mostly used need no logarithm.
struct FixedPower<V: Lanes> {
  private enum Kind { case zero, half, one, two, other }
  private let exponent: V
  private let kind: Kind

  @inline(__always) init(_ exponent: Double) {
    self.exponent = V(exponent)
    kind = exponent == 0 ? .zero : exponent == 0.5 ? .half : exponent == 1 ? .one : exponent == 2 ? .two : .other
  }

  /// `q^γ` and `γ q^{γ−1}`, which is 0 at q = 0 also where it has no limit, and finite for the smallest q.
  @inline(__always) func callAsFunction(_ q: V) -> (power: V, slope: V) {
    switch kind {
    case .zero: return (V.one, V.zero)
    case .half:
      let inverse = V.reciprocalSquareRoot(q)
      return (q * inverse, V.select(q .== V.zero, V.zero, V(0.5) * inverse))
    case .one: return (q, V.one)
    case .two: return (q * q, q + q)
    case .other:
      let power = V.pow(q, exponent)
      let slope = V.min(V(V.Element.greatestFiniteMagnitude), exponent * power / q)
      return (power, V.select(q .== V.zero, V.zero, slope))
    }
  }
}
