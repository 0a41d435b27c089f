/// Logistic regression on two features at most, with or without an intercept, in double:
///
///     u_i = a φ_i + b ψ_i + c + o_i,   f(a, b, c) = mean_i ((1 − t_i) log(1 + e^{u_i}) + t_i log(1 + e^{−u_i}))
///
/// What is absent counts as a feature of zeros: its gradient and its coefficient stay 0.
struct LogisticRegression {
  let count: Int
  /// t, in [0, 1].
  let targets: UnsafePointer<Double>
  /// φ and ψ.
  var first: UnsafePointer<Double>? = nil
  var second: UnsafePointer<Double>? = nil
  var hasIntercept = true
  /// o; 0 where absent.
  var offset: UnsafePointer<Double>? = nil

  /// Minimises f from 0 on. The status is `ok`, or `outOfMemory`.
  func fit(_ found: (LogisticFit) -> Void) -> Status {
    withWorkspace(layout: {
      (
        newton: NewtonMinimization(&$0, variables: 3), x: $0.take(Double.self, 3),
        sums: $0.take(LogisticSums.self, Split.limit)
      )
    }) { memory in
      let x = memory.x
      x.update(repeating: 0, count: 3)
      let result = memory.newton.minimise(LogisticObjective(regression: self, sums: memory.sums), x)
      found(LogisticFit(a: x[0], b: x[1], c: x[2], loss: result.value, isConverged: result.isConverged()))
      return .ok
    }
  }

  @inline(__always) fileprivate func add(_ i: Int, _ n: Int, to sums: inout LogisticSums) {
    let present = DoubleLanes.select(Int64Lanes.first(n), DoubleLanes.one, DoubleLanes.zero)
    let phi = first.map { DoubleLanes.load($0 + i, lanes: n) } ?? DoubleLanes.zero
    let psi = second.map { DoubleLanes.load($0 + i, lanes: n) } ?? DoubleLanes.zero
    let one = hasIntercept ? present : DoubleLanes.zero
    let shift = offset.map { DoubleLanes.load($0 + i, lanes: n) } ?? DoubleLanes.zero
    sums.add(phi, psi, one, shift, target: DoubleLanes.load(targets + i, lanes: n), present)
  }
}

/// f of a regression, with the memory for the sums of parts.
private struct LogisticObjective: NewtonObjective {
  let regression: LogisticRegression
  let sums: UnsafeMutablePointer<LogisticSums>

  var variables: Int { 3 }

  func value(_ x: UnsafePointer<Double>) -> Double { sum(x).loss.sum / Double(regression.count) }

  func derivatives(
    _ x: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>, hessian: UnsafeMutablePointer<Double>
  ) {
    let n = Double(regression.count)
    let sums = sum(x)
    gradient[0] = sums.slope.0.sum / n
    gradient[1] = sums.slope.1.sum / n
    gradient[2] = sums.slope.2.sum / n
    hessian[0] = sums.square.0.sum / n
    hessian[1] = sums.product.0.sum / n
    hessian[2] = sums.product.1.sum / n
    hessian[4] = sums.square.1.sum / n
    hessian[5] = sums.product.2.sum / n
    hessian[8] = sums.square.2.sum / n
  }

  /// The sums over all samples, joined in the order of the parts.
  private func sum(_ x: UnsafePointer<Double>) -> LogisticSums {
    let split = Split(regression.count, smallest: smallestElementwisePart / 4, multiple: DoubleLanes.count)
    parallel(split.parts) { part in
      var sum = LogisticSums(x)
      forEachVector(DoubleLanes.self, split.range(part)) { i, n in regression.add(i, n, to: &sum) }
      sums[part] = sum
    }
    var total = LogisticSums(x)
    for part in 0..<split.parts { total.join(sums[part]) }
    return total
  }
}

/// What a regression came to.
struct LogisticFit {
  let a, b, c, loss: Double
  let isConverged: Bool
}

/// Value, gradient and Hessian at (a, b, c), as they sum up.
private struct LogisticSums {
  private let a, b, c: DoubleLanes
  var loss = DoubleLanes.zero
  var slope = (DoubleLanes.zero, DoubleLanes.zero, DoubleLanes.zero)
  var square = (DoubleLanes.zero, DoubleLanes.zero, DoubleLanes.zero)
  /// Of φ and ψ, φ and 1, ψ and 1.
  var product = (DoubleLanes.zero, DoubleLanes.zero, DoubleLanes.zero)

  init(_ x: UnsafePointer<Double>) {
    a = DoubleLanes(x[0])
    b = DoubleLanes(x[1])
    c = DoubleLanes(x[2])
  }

  @inline(__always)
  mutating func add(
    _ phi: DoubleLanes, _ psi: DoubleLanes, _ one: DoubleLanes, _ offset: DoubleLanes, target: DoubleLanes,
    _ present: DoubleLanes
  ) {
    let u = a * phi + b * psi + c * one + offset
    let logistic = Logistic(u)
    let other = present - target
    let larger = other * DoubleLanes.max(u, DoubleLanes.zero) + target * DoubleLanes.max(-u, DoubleLanes.zero)
    loss = loss + (larger + present * logistic.tail)
    let residual = other * logistic.positive - target * logistic.negative
    slope = (slope.0 + residual * phi, slope.1 + residual * psi, slope.2 + residual * one)
    let curvature = logistic.positive * logistic.negative
    let (phiCurved, psiCurved) = (curvature * phi, curvature * psi)
    square = (square.0 + phiCurved * phi, square.1 + psiCurved * psi, square.2 + curvature * one)
    product = (product.0 + phiCurved * psi, product.1 + phiCurved * one, product.2 + psiCurved * one)
  }

  mutating func join(_ other: LogisticSums) {
    loss = loss + other.loss
    slope = (slope.0 + other.slope.0, slope.1 + other.slope.1, slope.2 + other.slope.2)
    square = (square.0 + other.square.0, square.1 + other.square.1, square.2 + other.square.2)
    product = (product.0 + other.product.0, product.1 + other.product.1, product.2 + other.product.2)
  }
}
