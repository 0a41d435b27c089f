/// Soft top-k: each row's probabilities of being among the k largest, which sum to k.
///
///     p_i = σ(α (z_i + t)),   t such that Σ_i p_i = k
///
/// The root t is found to the last place: Newton's method on logarithms, between bounds that are halved where it fails.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf gives 0; where k or fewer are finite, these have probability 1. A row
///     with +inf gives a row of NaN.
///   - k: 0 < k < classes: one number, or one per row if `kPerRow`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - kPerRow: is there a k for each row?
///   - alpha: steepness α > 0, default 1.
///   - nIter: the most steps towards the root, ≥ 1, default 64.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Gupta et al. 2024, Dual-Encoders for Extreme Multi-Label Classification.
func softTopk<S: Scalar>(
  _ z: UnsafePointer<S>?, _ k: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ kPerRow: Bool,
  _ alpha: Double, _ nIter: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  softTopK(z, k, (outer, classes, inner), kPerRow, alpha, nIter, p, Probability.self)
}

/// Logarithm of the soft top-k probabilities.
///
///     log p_i = log σ(α (z_i + t)),   t such that Σ_i p_i = k
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf gives −inf; where k or fewer are finite, these give 0. A row with +inf
///     gives a row of NaN.
///   - k: 0 < k < classes: one number, or one per row if `kPerRow`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - kPerRow: is there a k for each row?
///   - alpha: steepness α > 0, default 1.
///   - nIter: the most steps towards the root, ≥ 1, default 64.
///   - logP: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Gupta et al. 2024, Dual-Encoders for Extreme Multi-Label Classification.
func logSoftTopk<S: Scalar>(
  _ z: UnsafePointer<S>?, _ k: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ kPerRow: Bool,
  _ alpha: Double, _ nIter: Int, _ logP: UnsafeMutablePointer<S>?
) -> Status {
  softTopK(z, k, (outer, classes, inner), kPerRow, alpha, nIter, logP, LogProbability.self)
}

/// Vector-Jacobian product of soft_topk, by the implicit function theorem.
///
///     v = α p (1 − p),   grad_z = v ⊙ (g − ⟨v, g⟩ / Σ v)     (v ⊙ g where Σ v = 0)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `softTopk` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 0, as given to `softTopk`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func softTopkVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ alpha: Double,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  softTopKVjp(p, gradOutput, (outer, classes, inner), alpha, gradZ, Probability.self)
}

/// Vector-Jacobian product of log_soft_topk.
///
///     v = α p (1 − p),   u = α (1 − p) ⊙ g,   grad_z = u − v Σ u / Σ v     (u where Σ v = 0)
///
/// - Parameters:
///   - logP: `[outer, classes, inner]`, what `logSoftTopk` returned.
///   - gradOutput: g, shaped as `logP`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 0, as given to `logSoftTopk`.
///   - gradZ: output, shaped as `logP`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func logSoftTopkVjp<S: Scalar>(
  _ logP: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  softTopKVjp(logP, gradOutput, (outer, classes, inner), alpha, gradZ, LogProbability.self)
}

/// What is returned of the probabilities p = σ(x).
private protocol TopKOutput {
  static func of(_ x: DoubleLanes) -> DoubleLanes
  /// The factor of g in u, and p (1 − p).
  static func factors(_ output: DoubleLanes) -> (u: DoubleLanes, v: DoubleLanes)
}

private enum Probability: TopKOutput {
  @inline(__always) static func of(_ x: DoubleLanes) -> DoubleLanes { DoubleLanes.sigmoid(x) }
  @inline(__always) static func factors(_ p: DoubleLanes) -> (u: DoubleLanes, v: DoubleLanes) {
    let v = p * (DoubleLanes.one - p)
    return (v, v)
  }
}

private enum LogProbability: TopKOutput {
  @inline(__always) static func of(_ x: DoubleLanes) -> DoubleLanes { DoubleLanes.logSigmoid(x) }
  @inline(__always) static func factors(_ logP: DoubleLanes) -> (u: DoubleLanes, v: DoubleLanes) {
    let complement = -DoubleLanes.expm1(logP)
    return (complement, DoubleLanes.exp(logP) * complement)
  }
}

@inline(__always)
private func softTopK<S: Scalar, Output: TopKOutput>(
  _ z: UnsafePointer<S>?, _ k: UnsafePointer<Int64>?, _ size: (outer: Int, classes: Int, inner: Int), _ kPerRow: Bool,
  _ alpha: Double, _ nIter: Int, _ result: UnsafeMutablePointer<S>?, _: Output.Type
) -> Status {
  guard let shape = RowShape(size.outer, size.classes, size.inner) else { return .invalidShape }
  guard isPositive(alpha), nIter > 0 else { return .invalidParameter }
  if let k {
    for i in 0..<(kPerRow ? shape.rows : 1) where k[i] <= 0 || k[i] >= shape.classes { return .invalidParameter }
  }
  if shape.rows == 0 { return .ok }
  guard let z, let k, let result else { return .nullPointer }
  if hasNaN(z, shape.rows &* shape.classes) { return .invalidValue }
  return mapRowsInDouble(
    SoftTopK<Output>(k: k, kPerRow: kPerRow, alpha: usable(alpha), steps: nIter), shape, z, output: result)
}

@inline(__always)
private func softTopKVjp<S: Scalar, Output: TopKOutput>(
  _ output: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ size: (outer: Int, classes: Int, inner: Int),
  _ alpha: Double, _ gradZ: UnsafeMutablePointer<S>?, _: Output.Type
) -> Status {
  guard let shape = RowShape(size.outer, size.classes, size.inner) else { return .invalidShape }
  guard isPositive(alpha) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let output, let gradOutput, let gradZ else { return .nullPointer }
  return mapRowsInDouble(
    SoftTopKVjp<Output>(alpha: DoubleLanes(usable(alpha))), shape, output, gradOutput, output: gradZ)
}

/// A steepness whose inverse, and whose product with any difference of floats, are finite.
private func usable(_ alpha: Double) -> Double { Swift.max(1e-150, Swift.min(1e150, alpha)) }

private struct SoftTopK<Output: TopKOutput>: DoubleRowFormula {
  let k: UnsafePointer<Int64>
  let kPerRow: Bool
  let alpha: Double
  let steps: Int
  static var usesSecond: Bool { false }

  @inline(__always)
  func run(_ x: UnsafeMutablePointer<Double>, _: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    // σ(α ((x − center) − rest)): the root in two parts, since its last place is more than that of x − root.
    let (center, rest) = root(x, count, Int(k[kPerRow ? row : 0]))
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      let distance = (DoubleLanes.load(x + i, lanes: n) - DoubleLanes(center)) - DoubleLanes(rest)
      Output.of(DoubleLanes(alpha) * distance).store(x + i, lanes: n)
    }
  }

  /// The root −t; ±inf where all that is finite has probability 1, NaN where it is not defined.
  @inline(never)
  private func root(_ x: UnsafeMutablePointer<Double>, _ count: Int, _ k: Int) -> (center: Double, rest: Double) {
    let range = Span(x, count)
    if range.highest == .infinity { return (.nan, 0) }
    if range.finite <= k { return (-.greatestFiniteMagnitude, 0) }
    // Beyond these bounds the k largest alone have more than k, all together less.
    let margin = (10 + DoubleLanes.log(DoubleLanes(Double(count)))[0]) / alpha
    var low = range.lowest - margin, high = range.highest + margin
    // Exact for rows that are alike, and near for those of a normal distribution.
    let n = Double(range.finite)
    let odds = DoubleLanes.log(DoubleLanes((n - Double(k)) / Double(k)))[0]
    var center = range.mean + odds * (1 / (alpha * alpha) + 0.304 * range.variance).squareRoot()
    if !(low < center && center < high) { center = low / 2 + high / 2 }
    var lengths = (2 * (high - low), 2 * (high - low))  // of the last two steps
    for step in 0..<steps {
      let sums = Sums(x, count, center, alpha)
      let excess = (sums.count - Double(k)) + (sums.below - sums.above)
      let rest = excess / (alpha * (sums.slopeBelow + sums.slopeAbove))
      if alpha * rest.magnitude < 1e-8 { return (center, rest) }  // what this step leaves is the square of that
      if excess > 0 { low = center } else if excess < 0 { high = center }
      var next = center + sums.step(k: k, n: n) / alpha
      // Halving makes sure: where a step leads nowhere, does not get shorter, or where there have been many.
      if !(low < next && next < high) || (next - center).magnitude > lengths.1 / 2 || (step > 10 && step % 2 == 0) {
        next = low / 2 + high / 2
      }
      if sums.isGap(k) { next = (sums.lowestAbove - sums.highestBelow) / 2 + sums.highestBelow }
      if next == center { break }
      lengths = ((next - center).magnitude, lengths.0)
      center = next
    }
    return (center, 0)
  }
}

/// What a row spans: its finite numbers are those that are not −inf.
private struct Span {
  var lowest = Double.infinity, highest = -Double.infinity
  var finite = 0
  var mean = 0.0, variance = 0.0

  init(_ x: UnsafeMutablePointer<Double>, _ count: Int) {
    typealias V = DoubleLanes
    var low = V.infinity, high = -V.infinity, number = V.zero
    forEachVector(V.self, 0..<count) { i, n in
      let value = V.load(x + i, lanes: n, fill: -.infinity)
      let isFinite = value .> -V.infinity
      low = V.min(V.select(isFinite, value, low), low)
      high = V.max(value, high)
      number = number + V.select(isFinite, V.one, V.zero)
    }
    lowest = low.minimum
    highest = high.maximum
    finite = Int(number.sum)
    if finite == 0 || highest == .infinity { return }
    var sum = V.zero, squares = V.zero
    forEachVector(V.self, 0..<count) { i, n in
      let value = V.load(x + i, lanes: n, fill: -.infinity)
      let above = V.select(value .> -V.infinity, value - V(lowest), V.zero)
      sum = sum + above
      squares = V.fma(above, above, squares)
    }
    let average = sum.sum / Double(finite)
    mean = lowest + average
    variance = squares.sum / Double(finite) - average * average
  }
}

/// What a Newton step at `center` needs.
private struct Sums {
  /// How many elements are above `center`.
  var count = 0.0
  /// `Σ p` of the elements below `center` and `Σ (1 − p)` of those above: no term is more than ½.
  var below = 0.0, above = 0.0
  /// `Σ p (1 − p)` of the two.
  var slopeBelow = 0.0, slopeAbove = 0.0
  /// The neighbours of `center`.
  var lowestAbove = Double.infinity, highestBelow = -Double.infinity

  init(_ x: UnsafeMutablePointer<Double>, _ count: Int, _ center: Double, _ alpha: Double) {
    typealias V = DoubleLanes
    var number = V.zero, below = V.zero, above = V.zero, slopeBelow = V.zero, slopeAbove = V.zero
    var lowest = V.infinity, highest = -V.infinity
    forEachVector(V.self, 0..<count) { i, n in
      let value = V.load(x + i, lanes: n, fill: -.infinity)
      let distance = value - V(center)
      let isAbove = distance .> V.zero
      let e = V.expOfNonPositive(-(distance.magnitude * V(alpha)))
      let larger = V.one / (V.one + e)
      let smaller = e * larger
      let slope = smaller * larger
      number = number + V.select(isAbove, V.one, V.zero)
      below = below + V.select(isAbove, V.zero, smaller)
      above = above + V.select(isAbove, smaller, V.zero)
      slopeBelow = slopeBelow + V.select(isAbove, V.zero, slope)
      slopeAbove = slopeAbove + V.select(isAbove, slope, V.zero)
      lowest = V.min(V.select(isAbove, value, lowest), lowest)
      highest = V.max(V.select(isAbove, highest, value), highest)
    }
    self.count = number.sum
    self.below = below.sum
    self.above = above.sum
    self.slopeBelow = slopeBelow.sum
    self.slopeAbove = slopeAbove.sum
    lowestAbove = lowest.minimum
    highestBelow = highest.maximum
  }

  /// Is `center` between the k-th largest and the next, and too far from one of them for its term not to vanish?
  func isGap(_ k: Int) -> Bool { count == Double(k) && (below == 0 || above == 0) }

  /// Newton's step, times α, for a function of nearly constant slope: log below − log above where these should be
  /// equal, else log(S / (n − S)) with S = Σ p.
  func step(k: Int, n: Double) -> Double {
    let k = Double(k)
    if count == k { return log(below / above) / (slopeBelow / below + slopeAbove / above) }
    let sum = count + (below - above)
    let rest = n - sum
    return log(sum / rest * ((n - k) / k)) * (sum * rest / n) / (slopeBelow + slopeAbove)
  }

  private func log(_ x: Double) -> Double { DoubleLanes.log(DoubleLanes(x))[0] }
}

private struct SoftTopKVjp<Output: TopKOutput>: DoubleRowFormula {
  let alpha: DoubleLanes
  static var usesSecond: Bool { true }

  @inline(__always)
  func run(_ x: UnsafeMutablePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    typealias V = DoubleLanes
    var sumOfU = V.zero, sumOfV = V.zero
    forEachVector(V.self, 0..<count) { i, n in
      let (u, v) = Output.factors(V.load(x + i, lanes: n))
      let counts = V.Integers.first(n)
      sumOfU = sumOfU + V.select(counts, u * V.load(g + i, lanes: n), V.zero)
      sumOfV = sumOfV + V.select(counts, v, V.zero)
    }
    // Each v is divided by their sum, not the other sum by it: that would overflow where all are next to 0.
    let total = sumOfV.sum
    let divisor = V(total == 0 ? .infinity : total), sum = V(sumOfU.sum)
    forEachVector(V.self, 0..<count) { i, n in
      let (u, v) = Output.factors(V.load(x + i, lanes: n))
      (alpha * (u * V.load(g + i, lanes: n) - v / divisor * sum)).store(x + i, lanes: n)
    }
  }
}
