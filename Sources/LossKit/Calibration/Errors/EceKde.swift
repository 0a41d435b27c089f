/// Calibration error by kernel density estimation, without bins.
///
///     K_h(u) = 35/32 (1 − (u/3h)²)₊³ / 3h,     f = density of all confidences, f₁ = that of the hits' ones
///     acc(x) = min(1, m/N · f₁(x)/f(x))  (0 where f = 0),  m hits
///     E = Σ_j |x_j − acc(x_j)|^p f(x_j) / Σ_j f(x_j),   x_j = (j + ½)/nGrid
///
/// The sum above the fraction leaves out where f and f₁ are 10⁻⁶ at most; E is 0 if the sum below it is 0. Every confidence
/// d is mirrored, at 0 if d < ½, else at 1, and densities are divided by the number of confidences, not of mirrored ones.
/// The bandwidth is by default h = (standard deviation of the hits' confidences, or of all if there is no hit) · (2N)^−⅕,
/// at least 10⁻³.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - p: > 0, finite; 1 is usual.
///   - bandwidth: h > 0, finite; NaN stands for the default.
///   - nGrid: number of points, 1 to 2²⁴; 2048 is usual.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Zhang et al., Mix-n-Match: Ensemble and Compositional Methods for Uncertainty Calibration, 2020.
func eceKde<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ p: Double,
  _ bandwidth: Double, _ nGrid: Int, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(p), bandwidth.isNaN || isPositive(bandwidth), nGrid >= 1, nGrid <= largestBinCount else {
    return .invalidParameter
  }
  let points = (nGrid &+ 7) & ~7
  return withSortedConfidences(
    probs, y, count, classes,
    layout: {
      (grid: $0.take(Double.self, points), all: $0.take(Double.self, points), hits: $0.take(Double.self, points))
    },
    whenEmpty: { setUndefined(value) }
  ) { sorted, sums in
    let h = bandwidth.isNaN ? Spread(sorted).bandwidth : bandwidth
    for j in 0..<points { sums.grid[j] = (Double(j) + 0.5) / Double(nGrid) }
    let split = Split(points, smallest: 64, multiple: 8)
    parallel(
      split.parts,
      TriweightJob(
        sorted: sorted, reach: 3 * h, points: Double(nGrid), grid: sums.grid, all: sums.all, hits: sums.hits,
        split: split))
    // All sums lack the factor of the kernel.
    let factor = 35 / (32 * 3 * h)
    var hits = 0.0
    for k in 0..<count { hits += sorted.hit(k) }
    var above = 0.0
    var below = 0.0
    for j in 0..<nGrid {
      let density = sums.all[j] * factor / Double(count)
      let ofHits = hits == 0 ? 0 : sums.hits[j] * factor / hits
      below += density
      if max(density, ofHits) <= 1e-6 { continue }
      let accuracy = sums.all[j] == 0 ? 0 : min(1, sums.hits[j] / sums.all[j])
      let gap = (sums.grid[j] - accuracy).magnitude
      above += (p == 1 ? gap : power(gap, p)) * density
    }
    value?.pointee = S(below == 0 ? 0 : above / below)
  }
}

/// The spread of the hits' confidences, or of all if there is no hit.
private struct Spread {
  let bandwidth: Double

  init<C: Scalar>(_ sorted: SortedConfidences<C>) {
    var hits = 0.0
    for k in 0..<sorted.count { hits += sorted.hit(k) }
    let ofAll = hits == 0
    let number = ofAll ? Double(sorted.count) : hits
    @inline(__always) func mean(_ term: (Double) -> Double) -> Double {
      var sum = 0.0
      for k in 0..<sorted.count where ofAll || sorted.isHit(k) { sum += term(sorted.confidence(k)) }
      return sum / number
    }
    let center = mean { $0 }
    let deviation = mean { ($0 - center) * ($0 - center) }.squareRoot()
    bandwidth = max(deviation * power(2 * Double(sorted.count), -0.2), 1e-3)
  }
}

/// Σ (1 − (u/reach)²)₊³ over all confidences and over the hits, mirrored ones included, on a part of the grid.
private struct TriweightJob<C: Scalar>: ParallelJob {
  typealias V = DoubleLanes
  let sorted: SortedConfidences<C>
  let reach, points: Double
  let grid: UnsafePointer<Double>
  let all, hits: UnsafeMutablePointer<Double>
  let split: Split

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    (all + range.lowerBound).update(repeating: 0, count: range.count)
    (hits + range.lowerBound).update(repeating: 0, count: range.count)
    let low = grid[range.lowerBound] - reach
    let high = grid[range.upperBound &- 1] + reach
    let middle = sorted.rank(0.5)
    for k in sorted.rank(low)..<sorted.rank(high.nextUp) { add(sorted.confidence(k), range, sorted.isHit(k)) }
    for k in 0..<min(middle, sorted.rank((-low).nextUp)) { add(-sorted.confidence(k), range, sorted.isHit(k)) }
    for k in max(middle, sorted.rank(2 - high))..<sorted.count {
      add(2 - sorted.confidence(k), range, sorted.isHit(k))
    }
  }

  /// Adds what one confidence gives to the points within its reach, by whole vectors: beyond it the kernel is 0.
  @inline(__always) private func add(_ d: Double, _ range: Range<Int>, _ isHit: Bool) {
    let first = (d - reach) * points - 1
    let last = (d + reach) * points + 1
    if first >= Double(range.upperBound) || last < Double(range.lowerBound) { return }
    var j = max(range.lowerBound, Int(max(first, 0)) & ~7)
    let end = last < Double(range.upperBound) ? Int(last) &+ 1 : range.upperBound
    while j < end {
      let u = (V.load(grid + j) - V(d)) / V(reach)
      let w = V.max(V.one - u * u, V.zero)
      let kernel = w * w * w
      (V.load(all + j) + kernel).store(all + j)
      if isHit { (V.load(hits + j) + kernel).store(hits + j) }
      j &+= 8
    }
  }
}
