// Newton's method for the smooth convex objectives of fits, in double: a dense Hessian, factored by Cholesky, and a
// backtracking line search. The rules of stopping are those of all fits; a fit says whether it got there.

/// A convex function of a few variables.
protocol NewtonObjective {
  var variables: Int { get }
  func value(_ x: UnsafePointer<Double>) -> Double
  /// Gradient `[variables]` and Hessian `[variables, variables]`, of which the diagonal and what is above it are read.
  func derivatives(_ x: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>, hessian: UnsafeMutablePointer<Double>)
}

/// Where a minimisation ended.
struct NewtonResult {
  var value: Double
  /// max |g|
  var largestSlope: Double
  /// gᵀ H⁻¹ g, twice what the objective lies above the minimum of its parabola.
  var decrement: Double

  /// Is this a minimum? On separable data the slope falls below every tolerance as well, but on the way to infinity:
  /// then what is left to descend is as large as the slope, not its square.
  func isConverged(_ tolerance: Double = 1e-7) -> Bool { largestSlope <= tolerance && decrement <= 1e-2 * largestSlope }
}

/// The memory of minimisations in so many variables.
struct NewtonMinimization {
  static let iterations = 100
  static let halvings = 40
  private let gradient, step, trial, diagonal, hessian: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, variables: Int) {
    gradient = arena.take(Double.self, variables)
    step = arena.take(Double.self, variables)
    trial = arena.take(Double.self, variables)
    diagonal = arena.take(Double.self, variables)
    hessian = arena.take(Double.self, variables &* variables)
  }

  /// Minimises from `x` on, and leaves the minimum there.
  ///
  /// Until max |g| ≤ `tolerance`: d = (H + λI)⁻¹ g with λ = 1e-12 max(1, tr H / n), and x ← x − t d for the first t of
  /// 1, ½, ¼, … with f(x − t d) ≤ f(x) − 1e-4 t gᵀd.
  @inline(__always)
  func minimise<Objective: NewtonObjective>(
    _ objective: Objective, _ x: UnsafeMutablePointer<Double>, tolerance: Double = 1e-10
  ) -> NewtonResult {
    let n = objective.variables
    var here = NewtonResult(value: objective.value(x), largestSlope: .nan, decrement: .nan)
    var iteration = 0
    while true {
      objective.derivatives(x, gradient: gradient, hessian: hessian)
      here.largestSlope = largestMagnitude(gradient, n)
      here.decrement = .nan
      guard setStep(n) else { return here }
      here.decrement = dotProduct(gradient, step, n)
      if here.largestSlope <= tolerance || iteration == Self.iterations { return here }
      guard let value = descend(objective, x, from: here) else { return here }
      here.value = value
      iteration &+= 1
    }
  }

  /// Moves x along the step, and gives the value there; nil where no step is short enough.
  @inline(__always)
  private func descend<Objective: NewtonObjective>(
    _ objective: Objective, _ x: UnsafeMutablePointer<Double>, from here: NewtonResult
  ) -> Double? {
    let n = objective.variables
    var t = 1.0
    for _ in 0...Self.halvings {
      for i in 0..<n { trial[i] = x[i] - t * step[i] }
      let value = objective.value(trial)
      if value <= here.value - 1e-4 * t * here.decrement {
        x.update(from: trial, count: n)
        return value
      }
      t *= 0.5
    }
    return nil
  }

  /// step = (H + λI)⁻¹ g. Where rounding has made the matrix indefinite, λ grows; false where that does not help, as
  /// where the matrix has overflowed.
  private func setStep(_ n: Int) -> Bool {
    var trace = 0.0
    for i in 0..<n {
      diagonal[i] = hessian[i &* n &+ i]
      trace += diagonal[i]
    }
    var damping = 1e-12 * Swift.max(1, trace / Double(n))
    for _ in 0..<20 {
      if factor(n, damping) {
        solve(n)
        return true
      }
      damping *= 10
    }
    return false
  }

  /// Overwrites the lower triangle with L, LLᵀ = H + λI; the upper one keeps H.
  private func factor(_ n: Int, _ damping: Double) -> Bool {
    for i in 0..<n {
      let row = hessian + i &* n
      for j in 0..<i {
        let other = hessian + j &* n
        row[j] = (other[i] - dotProduct(row, other, j)) / other[j]
      }
      let square = diagonal[i] + damping - dotProduct(row, row, i)
      if !(square > 0) { return false }
      row[i] = square.squareRoot()
    }
    return true
  }

  private func solve(_ n: Int) {
    for i in 0..<n { step[i] = (gradient[i] - dotProduct(hessian + i &* n, step, i)) / hessian[i &* n &+ i] }
    for i in stride(from: n &- 1, through: 0, by: -1) {
      step[i] /= hessian[i &* n &+ i]
      for j in 0..<i { step[j] -= hessian[i &* n &+ j] * step[i] }
    }
  }
}

/// NaN if there is any.
func largestMagnitude(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
  var largest = 0.0
  for i in 0..<count where !(x[i].magnitude <= largest) { largest = largest.isNaN ? largest : x[i].magnitude }
  return largest
}
