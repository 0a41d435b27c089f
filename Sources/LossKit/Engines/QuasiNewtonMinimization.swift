// L-BFGS (Liu and Nocedal 1989), for smooth convex objectives of more variables than a Hessian has room for.

/// A smooth convex function.
protocol SmoothObjective {
  var variables: Int { get }
  func value(_ x: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>) -> Double
}

struct QuasiNewtonResult {
  var value: Double
  var largestSlope: Double

  func isConverged(_ tolerance: Double = 1e-7) -> Bool { largestSlope <= tolerance }
}

/// The memory of minimisations in so many variables.
struct QuasiNewtonMinimization {
  static let iterations = 2000
  static let pairs = 10
  private let variables: Int
  private let gradient, step, trial, trialGradient: UnsafeMutablePointer<Double>
  /// The last changes of x and of the gradient, `[pairs, variables]`, in turn.
  private let moves, changes: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, variables: Int) {
    self.variables = variables
    gradient = arena.take(Double.self, variables)
    step = arena.take(Double.self, variables)
    trial = arena.take(Double.self, variables)
    trialGradient = arena.take(Double.self, variables)
    moves = arena.take(Double.self, Self.pairs &* variables)
    changes = arena.take(Double.self, Self.pairs &* variables)
  }

  /// Minimises from `x` on, until max |g| ≤ `tolerance`, and leaves the minimum there.
  @inline(__always)
  func minimise<Objective: SmoothObjective>(
    _ objective: Objective, _ x: UnsafeMutablePointer<Double>, tolerance: Double
  ) -> QuasiNewtonResult {
    var value = objective.value(x, gradient: gradient)
    var history = History()
    for _ in 0..<Self.iterations {
      if largestMagnitude(gradient, variables) <= tolerance { break }
      setStep(history)
      guard let lower = descend(objective, x, value) else {
        // Rounding may have spoiled the direction: once more with the gradient's own.
        if history.count == 0 { break }
        history = History()
        continue
      }
      value = lower
      remember(x, &history)
      x.update(from: trial, count: variables)
      gradient.update(from: trialGradient, count: variables)
    }
    return QuasiNewtonResult(value: value, largestSlope: largestMagnitude(gradient, variables))
  }

  /// Finds the trial point, x − t step for the first t of 1, ½, ¼, … that is low enough, and gives its value.
  @inline(__always)
  private func descend<Objective: SmoothObjective>(
    _ objective: Objective, _ x: UnsafePointer<Double>, _ value: Double
  ) -> Double? {
    let slope = dotProduct(gradient, step, variables)
    guard slope > 0 else { return nil }
    var t = 1.0
    for _ in 0...NewtonMinimization.halvings {
      for i in 0..<variables { trial[i] = x[i] - t * step[i] }
      let there = objective.value(trial, gradient: trialGradient)
      if there <= value - 1e-4 * t * slope { return there }
      // Where values differ by rounding alone, slopes still tell.
      if there <= value + 1e-14 * value.magnitude, dotProduct(trialGradient, step, variables).magnitude <= 0.9 * slope {
        return there
      }
      t *= 0.5
    }
    return nil
  }

  /// Which pairs there are, from `first` on in turn, and 1 / ⟨move, change⟩ of each.
  private struct History {
    var count = 0
    var next = 0
    var reciprocals = InlineArray<10, Double>(repeating: 0)
    var scale = 1.0

    func index(_ age: Int) -> Int { (next &- 1 &- age &+ 2 &* pairs) % pairs }
  }

  private func remember(_ x: UnsafePointer<Double>, _ history: inout History) {
    let move = moves + history.next &* variables
    let change = changes + history.next &* variables
    for i in 0..<variables {
      move[i] = trial[i] - x[i]
      change[i] = trialGradient[i] - gradient[i]
    }
    let product = dotProduct(move, change, variables)
    let square = dotProduct(change, change, variables)
    // A pair that says nothing of the curvature is not kept.
    guard product > 1e-16 * square else { return }
    history.reciprocals[history.next] = 1 / product
    history.scale = product / square
    history.next = (history.next &+ 1) % Self.pairs
    history.count = Swift.min(history.count &+ 1, Self.pairs)
  }

  /// step = (approximate H⁻¹) g, by the two loops over the pairs.
  private func setStep(_ history: History) {
    step.update(from: gradient, count: variables)
    if history.count == 0 {
      let length = dotProduct(gradient, gradient, variables).squareRoot()
      scaleStep(1 / Swift.max(1, length))
      return
    }
    var weights = InlineArray<10, Double>(repeating: 0)
    for age in 0..<history.count {
      let pair = history.index(age)
      weights[pair] = history.reciprocals[pair] * dotProduct(moves + pair &* variables, step, variables)
      addToStep(-weights[pair], changes + pair &* variables)
    }
    scaleStep(history.scale)
    for age in stride(from: history.count &- 1, through: 0, by: -1) {
      let pair = history.index(age)
      let weight = history.reciprocals[pair] * dotProduct(changes + pair &* variables, step, variables)
      addToStep(weights[pair] - weight, moves + pair &* variables)
    }
  }

  private func scaleStep(_ factor: Double) {
    for i in 0..<variables { step[i] *= factor }
  }

  private func addToStep(_ factor: Double, _ x: UnsafePointer<Double>) {
    for i in 0..<variables { step[i] += factor * x[i] }
  }
}
