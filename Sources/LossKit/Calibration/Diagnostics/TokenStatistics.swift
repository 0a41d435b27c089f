/// What token measures need of a row of logits, in double: the largest, and how the others fall off from it.
struct TokenStatistics<S: Scalar> {
  let logits: UnsafePointer<S>
  let count: Int
  let largest: Double
  /// `log Σ e^{−d}` with `d = largest − z`
  let logSum: Double
  /// The mean of d under the softmax.
  let meanDistance: Double

  init(_ logits: UnsafePointer<S>, _ count: Int) {
    self.logits = logits
    self.count = count
    var maximum = -S.Vector.infinity
    forEachVector(S.Vector.self, 0..<count) { i, n in
      maximum = S.Vector.max(S.Vector.load(logits + i, lanes: n, fill: -.infinity), maximum)
    }
    largest = maximum.maximum.double
    // One of the largest is left out, so that the logarithm sees how little the others are.
    var others = DoubleLanes.zero, moment = DoubleLanes.zero, ties = DoubleLanes.zero
    Self.forEachDistance(logits, count, largest) { d in
      let e = DoubleLanes.expOfNonPositive(-d)
      let isLargest = d .== DoubleLanes.zero
      others = others + DoubleLanes.select(isLargest, DoubleLanes.zero, e)
      ties = ties + DoubleLanes.select(isLargest, DoubleLanes.one, DoubleLanes.zero)
      moment = moment + DoubleLanes.select(d .== DoubleLanes.infinity, DoubleLanes.zero, e * d)
    }
    let rest = others.sum + (ties.sum - 1)
    logSum = DoubleLanes.log1p(DoubleLanes(rest))[0]
    meanDistance = moment.sum / (1 + rest)
  }

  /// How far the logit of a class is below the largest.
  func distance(_ c: Int) -> Double { largest - logits[c].double }

  /// The variance of d, and so of log p, under the softmax.
  var variance: Double {
    var weights = DoubleLanes.zero, moment = DoubleLanes.zero
    let mean = DoubleLanes(meanDistance)
    Self.forEachDistance(logits, count, largest) { d in
      let e = DoubleLanes.expOfNonPositive(-d)
      let deviation = DoubleLanes.select(d .== DoubleLanes.infinity, DoubleLanes.zero, d - mean)
      weights = weights + e
      moment = moment + e * deviation * deviation
    }
    return moment.sum / weights.sum
  }

  /// 1 + how many logits are larger than that of a class.
  func rank(_ c: Int) -> Int64 {
    let z = S.Vector(logits[c])
    var larger = 0
    forEachVector(S.Vector.self, 0..<count) { i, n in
      larger &+= (z .< S.Vector.load(logits + i, lanes: n, fill: -.infinity)).maskBits.nonzeroBitCount
    }
    return Int64(larger &+ 1)
  }

  @inline(__always)
  private static func forEachDistance(
    _ logits: UnsafePointer<S>, _ count: Int, _ largest: Double, _ body: (DoubleLanes) -> Void
  ) {
    let m = DoubleLanes(largest)
    forEachVector(S.Vector.self, 0..<count) { i, n in
      let halves = S.Vector.load(logits + i, lanes: n, fill: -.infinity).doubles
      body(m - halves.0)
      if S.Vector.count > 8 { body(m - halves.1) }
    }
  }
}

/// What functions of logits and labels check first: nil if all is in order.
func tokenFault<S: Scalar>(_ logits: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int, _ classes: Int) -> Status? {
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  return hasNaN(logits, count &* classes) ? .invalidValue : nil
}
