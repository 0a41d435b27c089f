/// Confidence by the Mahalanobis distance to the nearest class: high where the input is like those of the training.
///
///     score = −scale · min_c (x − μ_c)ᵀ Λ (x − μ_c),      dscore/dx = −2 scale Λ (x − μ_ĉ)
///
/// - Parameters:
///   - x: features, `[count, dimensions]`. A row with NaN gives NaN.
///   - means: μ, `[classes, dimensions]`.
///   - precision: Λ, symmetric, `[dimensions, dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - scale: finite, default 1.
///   - score: output, one per row.
///   - grad: optional output, shaped as `x`: of each row's score with respect to its features; the first of equally near
///     classes gets it.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Lee et al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
///   Attacks.
func mahalanobisScore<S: Scalar>(
  _ x: UnsafePointer<S>?, _ means: UnsafePointer<S>?, _ precision: UnsafePointer<S>?, _ count: Int, _ dimensions: Int,
  _ classes: Int, _ scale: Double, _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard areQuadraticSizes(count, dimensions, classes) else { return .invalidShape }
  guard scale.magnitude < .infinity else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let x, let means, let precision, let score else { return .nullPointer }
  return scoreQuadratic(
    x, count, dimensions, (means, precision, classes), background: nil, scale: scale, score, grad)
}

/// The Mahalanobis score less that of all classes together: what the classes have in common does not count.
///
///     score = −min_c (x − μ_c)ᵀ Λ (x − μ_c) + (x − μ_0)ᵀ Λ_0 (x − μ_0)
///     dscore/dx = −2 Λ (x − μ_ĉ) + 2 Λ_0 (x − μ_0)
///
/// - Parameters:
///   - x: features, `[count, dimensions]`. A row with NaN gives NaN.
///   - means: μ, `[classes, dimensions]`.
///   - precision: Λ, symmetric, `[dimensions, dimensions]`.
///   - mean0: μ_0, of all samples, `[dimensions]`.
///   - precision0: Λ_0, symmetric, `[dimensions, dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - score: output, one per row.
///   - grad: optional output, shaped as `x`: of each row's score with respect to its features; the first of equally near
///     classes gets it.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Ren et al. 2021, A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection.
func relativeMahalanobisScore<S: Scalar>(
  _ x: UnsafePointer<S>?, _ means: UnsafePointer<S>?, _ precision: UnsafePointer<S>?, _ mean0: UnsafePointer<S>?,
  _ precision0: UnsafePointer<S>?, _ count: Int, _ dimensions: Int, _ classes: Int, _ score: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard areQuadraticSizes(count, dimensions, classes) else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let means, let precision, let mean0, let precision0, let score else { return .nullPointer }
  return scoreQuadratic(
    x, count, dimensions, (means, precision, classes), background: (mean0, precision0), scale: 1, score, grad)
}

private func areQuadraticSizes(_ count: Int, _ dimensions: Int, _ classes: Int) -> Bool {
  count >= 0 && dimensions >= 1 && classes >= 1 && elementCount(count, dimensions) != nil
    && elementCount(count, classes) != nil && elementCount(classes, dimensions) != nil
    && elementCount(dimensions &+ 16, dimensions &+ 16, 4) != nil
}

@inline(__always)
private func scoreQuadratic<S: Scalar>(
  _ x: UnsafePointer<S>, _ count: Int, _ dimensions: Int,
  _ groups: (means: UnsafePointer<S>, precision: UnsafePointer<S>, count: Int),
  background: (mean: UnsafePointer<S>, precision: UnsafePointer<S>)?, scale: Double,
  _ score: UnsafeMutablePointer<S>, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  withWorkspace {
    QuadraticScores<S>(
      &$0, x, count, dimensions, groups.count, usesBackground: background != nil, scale: scale, score, grad)
  } _: { (scores: inout QuadraticScores<S>) in
    widen(groups.means, step: 1, scores.means, groups.count &* dimensions)
    scores.precision.pack(transposed: groups.precision)
    if let background {
      widen(background.mean, step: 1, scores.mean0, dimensions)
      scores.precision0.pack(transposed: background.precision)
    }
    parallel(scores.blocks.split.parts, scores)
    return .ok
  }
}

/// The quadratic forms of all pairs of a sample and a class; then those of the nearest classes once more, and of the
/// background, with their gradients.
private struct QuadraticScores<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let dimensions, classes: Int
  let scale: Double
  let score: UnsafeMutablePointer<S>
  let grad: UnsafeMutablePointer<S>?
  let usesBackground: Bool
  let means, mean0: UnsafeMutablePointer<Double>
  let precision, precision0: DoubleFactor
  let blocks: ProductBlocks
  /// Of each sample, so far.
  let least: UnsafeMutablePointer<Double>
  let nearest: UnsafeMutablePointer<Int>
  /// Halves of the negative gradients of a part's block.
  let slopes: UnsafeMutablePointer<Double>

  init(
    _ arena: inout Arena, _ x: UnsafePointer<S>, _ count: Int, _ dimensions: Int, _ classes: Int, usesBackground: Bool,
    scale: Double, _ score: UnsafeMutablePointer<S>, _ grad: UnsafeMutablePointer<S>?
  ) {
    self.x = x
    self.dimensions = dimensions
    self.classes = classes
    self.scale = scale
    self.score = score
    self.grad = grad
    self.usesBackground = usesBackground
    means = arena.take(Double.self, classes &* dimensions)
    mean0 = arena.take(Double.self, dimensions)
    precision = DoubleFactor(&arena, columns: dimensions, depth: dimensions)
    precision0 = usesBackground ? DoubleFactor(&arena, columns: dimensions, depth: dimensions) : precision
    least = arena.take(Double.self, count)
    nearest = arena.take(Int.self, count)
    blocks = ProductBlocks(&arena, rows: count, columns: dimensions, depth: dimensions, work: classes)
    slopes = arena.take(Double.self, blocks.split.parts &* ProductBlock.rows &* dimensions)
  }

  @inline(__always) func run(part: Int) {
    let rows = blocks.split.range(part)
    let block = blocks.block(part: part)
    let slopes = slopes + part &* ProductBlock.rows &* dimensions
    for row in rows {
      least[row] = .infinity
      nearest[row] = 0
    }
    block.forEach(rows.lowerBound &* classes..<rows.upperBound &* classes, precision, NearestClass(scores: self))
    if grad == nil && !usesBackground {
      for row in rows { score[row] = S(-scale * least[row]) }
      return
    }
    var first = rows.lowerBound
    while first < rows.upperBound {
      let n = Swift.min(ProductBlock.rows, rows.upperBound &- first)
      slopes.update(repeating: 0, count: n &* dimensions)
      let firstRow = first
      if grad != nil {
        addForms(block, precision, firstRow, n, scale, slopes) { means + nearest[firstRow &+ $0] &* dimensions }
      }
      if usesBackground { addForms(block, precision0, firstRow, n, -1, slopes) { _ in mean0 } }
      for i in 0..<n {
        let background = usesBackground ? dotProduct(UnsafePointer(block.left(i)), block.products(i), dimensions) : 0
        score[first &+ i] = S(background - scale * least[first &+ i])
        guard let grad else { continue }
        let slope = slopes + i &* dimensions
        for d in 0..<dimensions { slope[d] *= -2 }
        narrow(slope, grad + (first &+ i) &* dimensions, step: 1, dimensions)
      }
      first &+= n
    }
  }

  /// Adds `factor · Λ (x − mean)` of each of n samples to the slopes.
  @inline(__always)
  private func addForms(
    _ block: ProductBlock, _ matrix: DoubleFactor, _ first: Int, _ n: Int, _ factor: Double,
    _ slopes: UnsafeMutablePointer<Double>, mean: (Int) -> UnsafeMutablePointer<Double>
  ) {
    for i in 0..<n { deviation(first &+ i, from: mean(i), into: block.left(i)) }
    block.multiply(matrix, rows: n)
    for i in 0..<n { addScaled(factor, block.products(i), to: slopes + i &* dimensions, dimensions) }
  }

  /// `x − mean` of a sample.
  @inline(__always)
  func deviation(_ row: Int, from mean: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>) {
    widen(x + row &* dimensions, step: 1, out, dimensions)
    addScaled(-1, mean, to: out, dimensions)
  }
}

/// Of all pairs of a sample and a class.
private struct NearestClass<S: Scalar>: ProductConsumer {
  let scores: QuadraticScores<S>

  @inline(__always) func fill(row pair: Int, _ left: UnsafeMutablePointer<Double>) {
    let c = pair % scores.classes
    scores.deviation(pair / scores.classes, from: scores.means + c &* scores.dimensions, into: left)
  }

  @inline(__always)
  func use(row pair: Int, _ left: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>) {
    let row = pair / scores.classes
    let square = dotProduct(UnsafePointer(left), products, scores.dimensions)
    if square < scores.least[row] || (square.isNaN && !scores.least[row].isNaN) {
      scores.least[row] = square
      scores.nearest[row] = pair % scores.classes
    }
  }
}
