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
  /// A positive number per column that the formula itself uses.
  var column: UnsafePointer<S>?

  func areValid(rows: Int, columns: Int) -> Bool {
    areWeights(perElement, rows &* columns) && areWeights(perColumn, columns) && arePositive(column, columns)
  }
}

/// The targets that an element loss takes.
enum ElementTargets {
  /// They are not checked.
  case any
  /// All but NaN.
  case numbers
  /// All from 0 to 1.
  case probabilities
  /// 0 and 1.
  case bits
  /// −1 and 1.
  case signs

  func include<S: Scalar>(_ t: UnsafePointer<S>, _ count: Int) -> Bool {
    switch self {
    case .any: return true
    case .numbers: return allElements(t, count) { $0 .== $0 }
    case .probabilities: return allElements(t, count) { (S.Vector.zero .<= $0) & ($0 .<= S.Vector.one) }
    case .bits: return allElements(t, count) { ($0 .== S.Vector.zero) | ($0 .== S.Vector.one) }
    case .signs: return allElements(t, count) { $0.magnitude .== S.Vector.one }
    }
  }
}

@inline(__always)
private func allElements<S: Scalar>(
  _ p: UnsafePointer<S>, _ count: Int, _ condition: (S.Vector) -> S.Vector.Integers
) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    bad = bad | ~condition(S.Vector.load(p + i, lanes: n, fill: 1))
  }
  return !bad.any
}

/// Value and gradient of an element loss with the arguments of a public function, which are checked first.
@inline(__always)
func elementLoss<L: ElementLoss>(
  _ formula: L, _ x: UnsafePointer<L.V.Element>?, _ t: UnsafePointer<L.V.Element>?, _ shape: (rows: Int, columns: Int),
  targets: ElementTargets, weights: ElementFactors<L.V.Element> = ElementFactors(), _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<L.V.Element>?, _ loss: UnsafeMutablePointer<L.V.Element>?,
  _ grad: UnsafeMutablePointer<L.V.Element>?
) -> Status {
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if let status = answerWithoutWork(x, t, shape, targets, weights, call) { return status }
  elementLoss(
    formula, x.unsafelyUnwrapped, t.unsafelyUnwrapped, rows: shape.rows, columns: shape.columns, weights: weights, call)
  return .ok
}

/// What a call returns that is refused, or that has no elements; nil where there is work to do. Not inlined: formulas
/// are many.
@inline(never)
private func answerWithoutWork<S: Scalar>(
  _ x: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ shape: (rows: Int, columns: Int), _ targets: ElementTargets,
  _ weights: ElementFactors<S>, _ call: LossCall<S>
) -> Status? {
  guard let count = elementCount(shape.rows, shape.columns) else { return .invalidShape }
  if count == 0 { return call.empty }
  guard x != nil, let t else { return .nullPointer }
  guard areWeights(call.sampleWeight, shape.rows), weights.areValid(rows: shape.rows, columns: shape.columns) else {
    return .invalidValue
  }
  return targets.include(t, count) ? nil : .invalidTarget
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
    // Where nothing differs within a row its losses may be added up before they are weighted.
    let addsRuns =
      weights.perElement == nil && weights.perColumn == nil && weights.column == nil && sink.call.reduction != .none
    for row in byColumns ? 0..<1 : range {
      let rowFactor = rowWeight.map { V($0[row]) } ?? V.one
      let start = row &* columns
      let columnRange = byColumns ? range : 0..<columns
      let whole = columnRange.count / V.count &* V.count &+ columnRange.lowerBound
      var c = columnRange.lowerBound
      while c < columnRange.upperBound {
        var end = columnRange.upperBound
        if addsRuns && c < whole {
          end = Swift.min(c &+ longestRun &* V.count, whole)
          let gradientFactor = rowFactor * scale
          var run = V.zero
          var next = c
          while next < end {
            let at = start &+ next
            let result = loss.evaluate(V.load(x + at), V.load(t + at), V.one)
            run = run + result.value
            if let grad = sink.call.grad { (result.derivative * gradientFactor).store(grad + at) }
            next &+= V.count
          }
          // The sum may have overflowed where the losses have not: they are then added one by one.
          if !(V.infinity .<= run.magnitude).any {
            sink.deposit(run * rowFactor, first: start, count: V.count, &partial)
            c = end
            continue
          }
        }
        forEachVector(V.self, c..<end) { c, n in
          let at = start &+ c
          var weight = rowFactor
          if let w = weights.perElement { weight = weight * V.load(w + at, lanes: n) }
          if let w = weights.perColumn { weight = weight * V.load(w + c, lanes: n) }
          let column = weights.column.map { V.load($0 + c, lanes: n) } ?? V.one
          let result = loss.evaluate(V.load(x + at, lanes: n), V.load(t + at, lanes: n), column)
          sink.deposit(result.value * weight, first: at, count: n, &partial)
          if let grad = sink.call.grad { (result.derivative * (weight * scale)).store(grad + at, lanes: n) }
        }
        c = end
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

  /// Is γ = ½?
  var isRoot: Bool { kind == .half }

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
