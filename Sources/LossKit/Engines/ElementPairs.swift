// Maps of elements to two outputs, with a weight per row: the gradients and Hessians that boosters ask for.

/// `(first, second) = values(x, y, weight)`, element by element.
protocol ElementPairMap {
  associatedtype V: Lanes
  func values(_ x: V, _ y: V, _ weight: V) -> (V, V)
}

/// First and second derivative of a loss of a score x with target t.
protocol ElementObjective {
  associatedtype V: Lanes
  /// The targets that it is defined for.
  static var targets: ElementTargets { get }
  func evaluate(_ x: V, _ t: V) -> (gradient: V, hessian: V)
}

/// A pair map of `[rows, columns]` with the checks that every exported one makes. Each output is optional, and may be
/// one of the inputs.
///
/// - Parameters:
///   - targets: what y may hold.
///   - rowWeight: one per row; 1 where absent.
@inline(__always)
func mapElementsToPairs<M: ElementPairMap>(
  _ map: M, _ x: UnsafePointer<M.V.Element>?, _ y: UnsafePointer<M.V.Element>?, _ rows: Int, _ columns: Int,
  targets: ElementTargets = .any, _ rowWeight: UnsafePointer<M.V.Element>?, _ first: UnsafeMutablePointer<M.V.Element>?,
  _ second: UnsafeMutablePointer<M.V.Element>?
) -> Status {
  guard let count = elementCount(rows, columns) else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let y else { return .nullPointer }
  guard areWeights(rowWeight, rows) else { return .invalidValue }
  guard targets.include(y, count) else { return .invalidTarget }
  // Without weights the array is one long row.
  let rows = rowWeight == nil ? 1 : rows
  let columns = rowWeight == nil ? count : columns
  let byElements = rows == 1 || columns == 1
  let split =
    byElements
    ? Split(count, smallest: smallestElementwisePart, multiple: M.V.count)
    : Split(rows, smallest: Swift.max(1, smallestElementwisePart / columns))
  parallel(
    split.parts,
    ElementPairJob(
      map: map, x: x, y: y, columns: columns, rowWeight: rowWeight, first: first, second: second, split: split,
      byElements: byElements))
  return .ok
}

private struct ElementPairJob<M: ElementPairMap>: ParallelJob {
  typealias V = M.V
  let map: M
  let x, y: UnsafePointer<V.Element>
  let columns: Int
  let rowWeight: UnsafePointer<V.Element>?
  let first, second: UnsafeMutablePointer<V.Element>?
  let split: Split
  /// Rows of one element, or one row: there is no walk within rows.
  let byElements: Bool

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    if byElements {
      forEachVector(V.self, range) { at, n in
        store(at, n, rowWeight.map { columns == 1 ? V.load($0 + at, lanes: n) : V($0[0]) } ?? V.one)
      }
      return
    }
    for row in range {
      let weight = rowWeight.map { V($0[row]) } ?? V.one
      forEachVector(V.self, row &* columns..<(row &+ 1) &* columns) { at, n in store(at, n, weight) }
    }
  }

  @inline(__always) private func store(_ at: Int, _ n: Int, _ weight: V) {
    let both = map.values(V.load(x + at, lanes: n), V.load(y + at, lanes: n), weight)
    if let first { both.0.store(first + at, lanes: n) }
    if let second { both.1.store(second + at, lanes: n) }
  }
}

/// The weighted gradients and Hessians of an objective on `[rows, columns]`, with the checks that all of them make.
///
/// - Parameters:
///   - t: targets, shaped as `x`.
///   - smallestHessian: a floor under the weighted Hessians; −inf is none.
@inline(__always)
func elementObjective<O: ElementObjective>(
  _ objective: O, _ x: UnsafePointer<O.V.Element>?, _ t: UnsafePointer<O.V.Element>?, _ rows: Int, _ columns: Int,
  _ sampleWeight: UnsafePointer<O.V.Element>?, smallestHessian: Double, _ grad: UnsafeMutablePointer<O.V.Element>?,
  _ hess: UnsafeMutablePointer<O.V.Element>?
) -> Status {
  guard smallestHessian < .infinity else { return .invalidParameter }
  return mapElementsToPairs(
    WeightedObjective(objective: objective, floor: O.V(smallestHessian)), x, t, rows, columns, targets: O.targets,
    sampleWeight, grad, hess)
}

private struct WeightedObjective<O: ElementObjective>: ElementPairMap {
  let objective: O
  let floor: O.V

  @inline(__always) func values(_ x: O.V, _ t: O.V, _ weight: O.V) -> (O.V, O.V) {
    let result = objective.evaluate(x, t)
    return (result.gradient * weight, O.V.max(floor, result.hessian * weight))
  }
}
