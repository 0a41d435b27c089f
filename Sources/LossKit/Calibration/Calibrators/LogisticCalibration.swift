// What the calibrators that are logistic regressions share.

/// The features of samples, and their labels as targets.
struct LogisticSamples {
  let first, second, targets: UnsafeMutablePointer<Double>
  let count: Int

  init(_ arena: inout Arena, _ count: Int) {
    self.count = count
    first = arena.take(Double.self, count)
    second = arena.take(Double.self, count)
    targets = arena.take(Double.self, count)
  }

  /// - Parameters:
  ///   - negative: the target of label 0.
  ///   - positive: that of label 1.
  func setTargets(_ y: UnsafePointer<Int64>, negative: Double = 0, positive: Double = 1) {
    for i in 0..<count { targets[i] = y[i] == 1 ? positive : negative }
  }

  /// φ = logit p, of the probabilities clipped to [ε, 1 − ε].
  func setLogOdds<S: Scalar>(_ probs: UnsafePointer<S>, eps: Double) {
    forEachEight(probs, 0..<count) { i, p, n in
      let logs = ClippedLogarithms(p, eps: eps)
      (logs.positive - logs.negative).store(first + i, lanes: n)
    }
  }
}

/// log p and log(1 − p) of a probability clipped to [ε, 1 − ε].
struct ClippedLogarithms {
  let positive, negative: DoubleLanes

  @inline(__always) init(_ p: DoubleLanes, eps: Double) {
    let clipped = DoubleLanes.min(DoubleLanes.max(p, DoubleLanes(eps)), DoubleLanes(1 - eps))
    positive = DoubleLanes.log(clipped)
    negative = DoubleLanes.log1p(-clipped)
  }

  /// Is ε one that keeps the logarithms finite?
  static func allows(_ eps: Double) -> Bool { eps > 0 && eps < 0.5 && 1 - eps < 1 }
}
