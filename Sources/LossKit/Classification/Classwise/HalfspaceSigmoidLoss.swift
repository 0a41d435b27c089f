import RuntimeShims

/// Sigmoid loss of a halfspace: a smooth stand-in for the 0-1 loss of a linear separator, the same for w and 2w.
///
///     h = x · w / |w|,   m = y h,   L = σ(−m/s),   g = dL/dh = −y σ(m/s) σ(−m/s) / s
///     ∂L/∂x = g w/|w|,   ∂L/∂w = Σ_rows g (x − h w/|w|) / |w|
///
/// Evaluated in double. Allocates 16 bytes a row and 16 bytes a column.
///
/// - Parameters:
///   - x: points, `[count, dimension]`.
///   - w: the separator's normal, `[dimension]`, not all 0.
///   - y: 1 or −1, `[count]`.
///   - count: ≥ 0.
///   - dimension: ≥ 1.
///   - sigma: s > 0, the width of the transition, default 0.1.
///   - reduction: default mean, weighted.
///   - sampleWeight: optional, `[count]`, ≥ 0, default 1.
///   - loss: optional output, one value, or one per point without reduction.
///   - gradX: optional output, shaped as `x`.
///   - gradW: optional output, shaped as `w`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, also where w is 0, UNSUPPORTED for gradients without reduction,
///   NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight, OUT_OF_MEMORY.
/// - Reference: Gollakota et al. 2023, An Efficient Tester-Learner for Halfspaces; Diakonikolas et al. 2020, Learning
///   Halfspaces with Massart Noise Under Structured Distributions.
func halfspaceSigmoidLoss<S: Scalar>(
  _ x: UnsafePointer<S>?, _ w: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ count: Int, _ dimension: Int,
  _ sigma: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradX: UnsafeMutablePointer<S>?, _ gradW: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, dimension) != nil, elementCount(dimension, 1) != nil, dimension >= 1 else { return .invalidShape }
  guard isPositive(sigma) else { return .invalidParameter }
  if reduction == .none, gradX != nil || gradW != nil { return .unsupported }
  guard let w else { return .nullPointer }
  // NaN is not 0.
  var size = 0.0, isZero = true
  for d in 0..<dimension {
    if w[d] != 0 { isZero = false }
    size = Swift.max(size, w[d].double.magnitude)
  }
  if isZero { return .invalidParameter }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: nil)
  if count == 0 {
    gradW?.initialize(repeating: 0, count: dimension)
    return call.empty
  }
  guard let x, let y else { return .nullPointer }
  for i in 0..<count where y[i].magnitude != 1 { return .invalidTarget }
  guard areWeights(sampleWeight, count) else { return .invalidValue }
  return withWorkspace(layout: { HalfspaceArrays(&$0, count, dimension) }) { arrays in
    let norm = arrays.fillNormal(w, dimension, size: size)
    LossSink.run(call, denominator: sumOfSampleWeights(sampleWeight, count)) { sink in
      let rows = HalfspaceRows(
        x: x, y: y, count: count, dimension: dimension, sigma: sigma, sink: sink, arrays: arrays, gradX: gradX)
      parallel(rows.split.parts, rows)
      if let gradW {
        let columns = HalfspaceColumns(x: x, count: count, dimension: dimension, arrays: arrays, norm: norm, gradW: gradW)
        parallel(columns.split.parts, columns)
      }
    }
    return .ok
  }
}

/// |w| = size · length; in two factors, because their product may leave the range.
private struct Norm {
  let size, length: Double
}

private struct HalfspaceArrays {
  /// w / |w|, filled up with 0 to whole vectors.
  let normal: UnsafeMutablePointer<Double>
  let gradient: UnsafeMutablePointer<Double>
  /// h and g of each row.
  let projection, slope: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int, _ dimension: Int) {
    normal = arena.take(Double.self, dimension &+ DoubleLanes.count)
    gradient = arena.take(Double.self, dimension &+ DoubleLanes.count)
    projection = arena.take(Double.self, count &+ DoubleLanes.count)
    slope = arena.take(Double.self, count &+ DoubleLanes.count)
  }

  @inline(__always) func fillNormal<S: Scalar>(_ w: UnsafePointer<S>, _ dimension: Int, size: Double) -> Norm {
    var squares = DoubleLanes.zero
    let scale = DoubleLanes(size)
    forEachVector(DoubleLanes.self, 0..<dimension) { d, n in
      let scaled = DoubleLanes.load(widening: w + d, first: n) / scale
      squares = DoubleLanes.fma(scaled, scaled, squares)
      scaled.store(normal + d)
    }
    let length = squares.sum.squareRoot()
    forEachVector(DoubleLanes.self, 0..<dimension) { d, _ in
      (DoubleLanes.load(normal + d) / DoubleLanes(length)).store(normal + d)
    }
    return Norm(size: size, length: length)
  }
}

/// The losses, and the gradients of the points.
private struct HalfspaceRows<S: Scalar>: ParallelJob {
  let x, y: UnsafePointer<S>
  let count, dimension: Int
  let sigma: Double
  let sink: LossSink<S>
  let arrays: HalfspaceArrays
  let gradX: UnsafeMutablePointer<S>?

  var split: Split { Split(count, smallest: Swift.max(8, 65536 / dimension), multiple: DoubleLanes.count) }

  @inline(never)
  func run(part: Int) {
    typealias D = DoubleLanes
    var partial = sink.empty
    let width = D(sigma), scale = sink.call.reduction == .mean ? 1 / sink.denominator : 1
    forEachVector(D.self, split.range(part)) { first, n in
      for row in first..<first &+ n {
        var sum = D.zero
        forEachVector(D.self, 0..<dimension) { d, lanes in
          sum = D.fma(D.load(widening: x + (row &* dimension &+ d), first: lanes), D.load(arrays.normal + d), sum)
        }
        arrays.projection[row] = sum.sum
      }
      let sign = D.load(widening: y + first, first: n)
      let weight = sink.call.sampleWeight.map { D.load(widening: $0 + first, first: n) } ?? D.one
      let logistic = Logistic(D.load(arrays.projection + first, first: n, fill: 0) * sign / width)
      sink.deposit(S.Vector(logistic.negative * weight, .zero), first: first, count: n, &partial)
      // A mean over nothing has gradient 0, whatever the rows hold.
      let slope = -(logistic.positive * logistic.negative) / width * sign * weight * D(scale)
      (sink.denominator == 0 ? D.zero : slope).store(arrays.slope + first, first: n)
      if let gradX {
        for row in first..<first &+ n {
          let slope = D(arrays.slope[row])
          forEachVector(D.self, 0..<dimension) { d, lanes in
            (slope * D.load(arrays.normal + d)).store(narrowing: gradX + (row &* dimension &+ d), first: lanes)
          }
        }
      }
    }
    sink.finish(partial, part: part)
  }
}

/// The gradient of w, by columns, so that rows are added in their order.
private struct HalfspaceColumns<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let count, dimension: Int
  let arrays: HalfspaceArrays
  let norm: Norm
  let gradW: UnsafeMutablePointer<S>

  var split: Split { Split(dimension, smallest: 256, multiple: DoubleLanes.count) }

  @inline(never)
  func run(part: Int) {
    typealias D = DoubleLanes
    let columns = split.range(part)
    forEachVector(D.self, columns) { d, _ in D.zero.store(arrays.gradient + d) }
    for row in 0..<count {
      let slope = D(arrays.slope[row]), projection = D(-arrays.projection[row])
      if arrays.slope[row] == 0, arrays.projection[row].magnitude < .infinity { continue }
      forEachVector(D.self, columns) { d, n in
        let x = D.load(widening: x + (row &* dimension &+ d), first: n)
        let orthogonal = D.fma(projection, D.load(arrays.normal + d), x)
        D.fma(slope, orthogonal, D.load(arrays.gradient + d)).store(arrays.gradient + d)
      }
    }
    forEachVector(D.self, columns) { d, n in
      (D.load(arrays.gradient + d) / D(norm.length) / D(norm.size)).store(narrowing: gradW + d, first: n)
    }
  }
}
