/// How `skce` estimates.
enum SkceEstimator: Int32 {
  /// The mean over all pairs of different rows.
  case unbiased = 0
  /// The mean over all pairs, a row with itself included: not negative.
  case biased = 1
  /// The mean over the pairs (0, 1), (2, 3), …; an odd last row is left out.
  case linear = 2
}

/// The kernel of `skce`.
enum SkceKernel: Int32 {
  /// exp(−‖p − q‖ / bandwidth)
  case exponential = 0
  /// exp(−‖p − q‖² / (2 bandwidth²))
  case gaussian = 1
}

/// Squared kernel calibration error of whole distributions.
///
///     δ_i = onehot(y_i) − p_i,   h_ij = k(p_i, p_j) ⟨δ_i, δ_j⟩
///     unbiased: 1/(N(N − 1)) Σ_{i≠j} h_ij     biased: 1/N² Σ_ij h_ij     linear: the mean of h over consecutive pairs
///
/// The gradient goes through k and δ; where two rows coincide, that of k is 0. Binary probabilities are rows (1 − p, p).
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 0; with N < 2 (`biased`: N = 0) the value is NaN and the gradient 0.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - estimator: `unbiased` is usual. All but `linear` take O(N²) time and O(N) memory.
///   - kernel: `exponential` is usual.
///   - bandwidth: > 0, finite; 1 is usual.
///   - value: optional output.
///   - grad: optional output, like `probs`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Widmann et al., Calibration Tests in Multi-class Classification, 2019.
func skce<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ estimator: SkceEstimator,
  _ kernel: SkceKernel, _ bandwidth: Double, _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard isPositive(bandwidth) else { return .invalidParameter }
  let columns = classes > 0 ? classes : 2
  guard PackedPoints.fits(count, 2 &* columns) else { return .invalidShape }
  let isUndefined = count == 0 || (count == 1 && estimator != .biased)
  if let probs, let y {
    let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: false)
    let faults = rows.forEachTile(0..<count) { _, _ in }
    guard faults.status == .ok else { return faults.status }
  }
  guard !isUndefined, let probs, let y else {
    setUndefined(value)
    grad?.update(repeating: 0, count: count &* max(classes, 1))
    return .ok
  }
  let formula = CalibrationKernel(columns: columns, isGaussian: kernel == .gaussian, bandwidth: DoubleLanes(bandwidth))
  return withWorkspace(layout: {
    (
      points: LabelledPoints(&$0, count, columns), pairs: RowPairs(&$0, count, 2 &* columns, estimator, grad != nil)
    )
  }) { memory in
    memory.points.read(probs, y, isBinary: classes == 0)
    let result = memory.pairs.mean(formula, memory.points.coordinates)
    if let grad {
      memory.pairs.writeGradient(memory.points.coordinates)
      memory.points.writeGradient(grad, isBinary: classes == 0)
    }
    value?.pointee = S(result)
    return .ok
  }
}

/// h of two points, which are a distribution p and, behind it, the δ that its label makes of it.
private struct CalibrationKernel: PointDistance {
  struct Slope {
    /// The factor of p_i − p_j, and of δ_j.
    let attraction, weight: V
  }

  let columns: Int
  let isGaussian: Bool
  let bandwidth: V

  @inline(__always)
  private func parts(_ own: (Int) -> V, _ other: (Int) -> V) -> (squaredDistance: V, kernel: V, product: V) {
    var square = V.zero
    var product = V.zero
    for c in 0..<columns {
      let d = own(c) - other(c)
      square = V.fma(d, d, square)
      product = V.fma(own(columns &+ c), other(columns &+ c), product)
    }
    let exponent = isGaussian ? square / (V(-2) * bandwidth * bandwidth) : -(square.squareRoot / bandwidth)
    return (square, V.exp(exponent), product)
  }

  @inline(__always) func value(_ own: (Int) -> V, _ other: (Int) -> V) -> V {
    let parts = parts(own, other)
    return parts.kernel * parts.product
  }

  @inline(__always) func slope(_ own: (Int) -> V, _ other: (Int) -> V, _ c: V) -> Slope {
    let parts = parts(own, other)
    let scale = isGaussian ? bandwidth * bandwidth : bandwidth * parts.squaredDistance.squareRoot
    let attraction = -(c * parts.product * parts.kernel) / scale
    return Slope(
      attraction: V.select(parts.squaredDistance .== V.zero, V.zero, attraction), weight: c * parts.kernel)
  }

  @inline(__always) func distance(_ pair: PointPair) -> V { value(pair.own, pair.other) }
  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> Slope { slope(pair.own, pair.other, c) }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ slope: Slope) -> V {
    i < columns ? slope.attraction * (own - other) : slope.weight * other
  }
}

/// The rows as points of 2C coordinates: p, and onehot(y) − p.
private struct LabelledPoints {
  let coordinates: UnsafeMutablePointer<Double>
  private let count, columns: Int

  init(_ arena: inout Arena, _ count: Int, _ columns: Int) {
    self.count = count
    self.columns = columns
    coordinates = arena.take(Double.self, count &* 2 &* columns)
  }

  func read<S: Scalar>(_ probs: UnsafePointer<S>, _ y: UnsafePointer<Int64>, isBinary: Bool) {
    for i in 0..<count {
      let point = coordinates + i &* 2 &* columns
      for c in 0..<columns {
        let p = isBinary ? (c == 0 ? 1 - probs[i].double : probs[i].double) : probs[i &* columns &+ c].double
        point[c] = p
        // 1 − (1 − p) is p.
        point[columns &+ c] =
          Int64(c) == y[i] ? (isBinary && c == 0 ? probs[i].double : 1 - p) : -p
      }
    }
  }

  /// From the derivatives with respect to the coordinates: ∂δ/∂p = −1.
  func writeGradient<S: Scalar>(_ grad: UnsafeMutablePointer<S>, isBinary: Bool) {
    for i in 0..<count {
      let point = coordinates + i &* 2 &* columns
      @inline(__always) func derivative(_ c: Int) -> Double { point[c] - point[columns &+ c] }
      if isBinary {
        grad[i] = S(derivative(1) - derivative(0))
      } else {
        for c in 0..<columns { grad[i &* columns &+ c] = S(derivative(c)) }
      }
    }
  }
}

/// The pairs that an estimator takes.
private struct RowPairs {
  typealias V = DoubleLanes
  private let count, coordinates: Int
  private let estimator: SkceEstimator
  private let pairs: PointPairs
  /// The sum of h over the pairs of each block.
  private let sums: UnsafeMutablePointer<Double>
  private var isLinear: Bool { estimator == .linear }

  init(_ arena: inout Arena, _ count: Int, _ coordinates: Int, _ estimator: SkceEstimator, _ needsGradient: Bool) {
    self.count = count
    self.coordinates = coordinates
    self.estimator = estimator
    // The first and the second row of each pair; otherwise every row with every other one.
    let points = estimator == .linear ? count / 2 : count
    let isLinear = estimator == .linear
    pairs = PointPairs(
      &arena, points, points, coordinates, firstGradient: needsGradient, secondGradient: needsGradient && isLinear)
    sums = arena.take(Double.self, PackedPoints.blocks(points))
  }

  /// - Parameter rows: `[count, coordinates]`
  func mean(_ formula: CalibrationKernel, _ rows: UnsafeMutablePointer<Double>) -> Double {
    let n = Double(count)
    if isLinear {
      split(rows)
      addConsecutive(formula, weight: 1 / Double(count / 2))
    } else {
      pairs.first.read(UnsafePointer(rows))
      pairs.second.read(UnsafePointer(rows))
      let isBiased = estimator == .biased
      let weight = isBiased ? 1 / (n * n) : 1 / (n * (n - 1))
      pairs.run(formula, PairSum(withItself: isBiased, weight: weight, sums: sums))
    }
    var sum = 0.0
    for block in 0..<pairs.first.blocks { sum += sums[block] }
    return sum
  }

  /// Writes the derivatives with respect to the coordinates over the rows.
  func writeGradient(_ rows: UnsafeMutablePointer<Double>) {
    guard isLinear else {
      pairs.firstGradient?.write(rows)
      return
    }
    rows.update(repeating: 0, count: count &* coordinates)
    forEachPair { pair, i in
      rows[2 &* pair &* coordinates &+ i] = pairs.firstGradient.unsafelyUnwrapped.point(pair)[i &* V.count]
      rows[(2 &* pair &+ 1) &* coordinates &+ i] = pairs.secondGradient.unsafelyUnwrapped.point(pair)[i &* V.count]
    }
  }

  @inline(__always) private func forEachPair(_ body: (Int, Int) -> Void) {
    for pair in 0..<count / 2 {
      for i in 0..<coordinates { body(pair, i) }
    }
  }

  private func split(_ rows: UnsafePointer<Double>) {
    pairs.first.clear()
    pairs.second.clear()
    forEachPair { pair, i in
      UnsafeMutablePointer(mutating: pairs.first.point(pair))[i &* V.count] = rows[2 &* pair &* coordinates &+ i]
      UnsafeMutablePointer(mutating: pairs.second.point(pair))[i &* V.count] =
        rows[(2 &* pair &+ 1) &* coordinates &+ i]
    }
  }

  /// Each point of the first list with the one at its place in the second.
  private func addConsecutive(_ formula: CalibrationKernel, weight: Double) {
    for number in 0..<pairs.first.blocks {
      let counts = V.Integers.first(pairs.first.points(inBlock: number))
      let weights = V.select(counts, V(weight), V.zero)
      let (a, b) = (pairs.first.block(number), pairs.second.block(number))
      sums[number] = V.select(counts, formula.value({ a[$0] }, { b[$0] }), V.zero).sum * weight
      guard let first = pairs.firstGradient, let second = pairs.secondGradient else { continue }
      let slope = formula.slope({ a[$0] }, { b[$0] }, weights)
      for i in 0..<coordinates {
        first.block(number)[i] = formula.derivative(a[i], b[i], i, slope)
        second.block(number)[i] = formula.derivative(b[i], a[i], i, slope)
      }
    }
  }
}

/// Sums h over all pairs. As they are symmetric, the gradient is twice that with respect to one side.
private struct PairSum: DistanceConsumer {
  typealias V = DoubleLanes
  let withItself: Bool
  let weight: Double
  let sums: UnsafeMutablePointer<Double>

  func consume(_ block: DistanceBlock) {
    var sum = V.zero
    let isRow = V.Integers.first(block.count)
    let own = V.Integers(block.first) &+ V.Integers.indices
    for other in 0..<block.others {
      let counts = withItself ? isRow : isRow & ~(own .== V.Integers(other))
      sum = sum + V.select(counts, block.distances[other], V.zero)
      block.coefficients[other] = V.select(counts, V(2 * weight), V.zero)
    }
    sums[block.first / V.count] = sum.sum * weight
  }
}
