/// NC1, the variability of features within the classes beside that between them: 0 where every class has collapsed to a
/// point.
///
///     NC1 = tr(Σ_W Σ_B⁺) / K,   Σ_W = 1/N Σ_i (x_i − μ_{y_i})(x_i − μ_{y_i})ᵀ,   Σ_B = 1/K Σ_c (μ_c − G)(μ_c − G)ᵀ
///
/// K classes are present, G is the mean of their means, and Σ_B⁺ keeps the eigenvalues > 1e-10 · λ_max.
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - variability: output; NaN without samples, or where a feature is NaN or ±inf.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Papyan et al. 2020, Prevalence of Neural Collapse During the Terminal Phase of Deep Learning Training.
func nc1Variability<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ variability: UnsafeMutablePointer<S>?
) -> Status {
  withLabelledFeatures(x, y, count, dimensions, classes, variability) { x, y, output in
    if !areFinite(x, count &* dimensions) {
      output.pointee = .nan
      return .ok
    }
    return withWorkspace {
      BetweenClasses<S>(&$0, x, y, count, dimensions, classes)
    } _: { (job: inout BetweenClasses<S>) in
      output.pointee = S(job.variability)
      return .ok
    }
  }
}

/// Class-distance normalised variance: how wide classes are beside the distances between their means.
///
///     CDNV = mean over pairs i ≠ j of (Var_i + Var_j) / (2 max(‖μ_i − μ_j‖², 1e-12)),   Var_i = mean of ‖x − μ_i‖²
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - variance: output; NaN where less than two classes have samples.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Galanti et al. 2022, On the Role of Neural Collapse in Transfer Learning.
func cdnv<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ variance: UnsafeMutablePointer<S>?
) -> Status {
  withLabelledFeatures(x, y, count, dimensions, classes, variance) { x, y, output in
    withWorkspace {
      (
        groups: ClassMeans(&$0, classes: classes, dimensions: dimensions), variances: $0.take(Double.self, classes),
        sums: $0.take(Double.self, classes), deviation: $0.take(Double.self, dimensions),
        center: $0.take(Double.self, dimensions)
      )
    } _: { memory in
      let (groups, variances, sums, deviation, center) = memory
      groups.compute(x, y, count)
      variances.update(repeating: 0, count: classes)
      for i in 0..<count {
        let c = Int(y[i])
        groups.deviation(x + i &* dimensions, c, into: deviation)
        variances[c] += dotProduct(UnsafePointer(deviation), deviation, dimensions)
      }
      for c in 0..<classes where groups.counts[c] > 0 { variances[c] /= Double(groups.counts[c]) }
      let present = groups.center(into: center)
      forEachRow(classes, size: classes &* dimensions, RelativeVariances(groups: groups, variances: variances, sums: sums))
      var sum = 0.0
      for c in 0..<classes { sum += sums[c] }
      output.pointee = S(present < 2 ? .nan : sum / (Double(present) * Double(present &- 1) / 2))
      return .ok
    }
  }
}

/// Checks, and the case of no samples.
@inline(__always)
private func withLabelledFeatures<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ output: UnsafeMutablePointer<S>?,
  _ body: (UnsafePointer<S>, UnsafePointer<Int64>, UnsafeMutablePointer<S>) -> Status
) -> Status {
  guard dimensions >= 1, classes >= 1, elementCount(count, dimensions) != nil, elementCount(classes, dimensions) != nil
  else { return .invalidShape }
  guard let output, count == 0 || (x != nil && y != nil) else { return .nullPointer }
  guard let x, let y, count > 0 else {
    output.pointee = .nan
    return .ok
  }
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  return body(x, y, output)
}

/// Of each class, the sum over the classes after it.
private struct RelativeVariances: RowWork {
  let groups: ClassMeans
  let variances, sums: UnsafeMutablePointer<Double>

  func run(row i: Int) {
    sums[i] = 0
    if groups.counts[i] == 0 { return }
    for j in i &+ 1..<Swift.max(i &+ 1, groups.classes) where groups.counts[j] > 0 {
      let square = squaredDistance(groups.mean(i), groups.mean(j), groups.dimensions)
      sums[i] += (variances[i] + variances[j]) / (2 * (square < 1e-12 ? 1e-12 : square))
    }
  }
}

/// The eigenvectors of Σ_B, from the smaller of its two Gram matrices, and what lies along them within the classes.
private struct BetweenClasses<S: Scalar> {
  let x: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let count, dimensions: Int
  let groups: ClassMeans
  /// Means less their mean, of the classes present; then the eigenvectors that are kept, as rows.
  private let center, means, axes, inverses, energies: UnsafeMutablePointer<Double>
  private let isWide: Bool
  private let gram: GramMatrix
  private let eigen: SymmetricEigenvectors
  private let factor: DoubleFactor
  private let blocks: ProductBlocks

  init(
    _ arena: inout Arena, _ x: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int, _ dimensions: Int,
    _ classes: Int
  ) {
    self.x = x
    self.y = y
    self.count = count
    self.dimensions = dimensions
    groups = ClassMeans(&arena, classes: classes, dimensions: dimensions)
    let rank = Swift.min(classes, dimensions)
    isWide = classes < dimensions
    center = arena.take(Double.self, dimensions)
    means = arena.take(Double.self, classes &* dimensions)
    axes = arena.take(Double.self, rank &* dimensions)
    inverses = arena.take(Double.self, rank)
    energies = arena.take(Double.self, count)
    gram = GramMatrix(&arena, dimensions: rank)
    eigen = SymmetricEigenvectors(&arena, dimensions: rank)
    factor = DoubleFactor(&arena, columns: rank, depth: dimensions)
    blocks = ProductBlocks(&arena, rows: count, columns: rank, depth: dimensions)
  }

  var variability: Double {
    groups.compute(x, y, count)
    let present = groups.center(into: center)
    var row = 0
    for c in 0..<groups.classes where groups.counts[c] > 0 {
      let mean = means + row &* dimensions
      mean.update(from: groups.mean(c), count: dimensions)
      addScaled(-1, center, to: mean, dimensions)
      row &+= 1
    }
    (means + row &* dimensions).update(repeating: 0, count: (groups.classes &- row) &* dimensions)
    if isWide {
      // Column by column: the Gram matrix of the classes.
      gram.gather(dimensions) { d, column in
        for c in 0..<groups.classes { column[c] = means[c &* dimensions &+ d] }
      }
    } else {
      gram.gather(groups.classes) { c, row in row.update(from: means + c &* dimensions, count: dimensions) }
    }
    guard eigen.decompose(gram.sum, stride: gram.stride) else { return .nan }
    let least = 1e-10 * eigen.largestMagnitude
    let rank = eigen.dimensions
    for k in 0..<rank {
      let axis = axes + k &* dimensions
      axis.update(repeating: 0, count: dimensions)
      let value = eigen.values[k]
      inverses[k] = 0
      if !(value > least) { continue }
      // The eigenvalues are those of K Σ_B.
      inverses[k] = Double(present) / value
      if isWide {
        for c in 0..<groups.classes { addScaled(eigen.vector(k)[c], means + c &* dimensions, to: axis, dimensions) }
        let norm = dotProduct(UnsafePointer(axis), axis, dimensions).squareRoot()
        for d in 0..<dimensions { axis[d] /= norm }
      } else {
        axis.update(from: eigen.vector(k), count: dimensions)
      }
    }
    factor.pack(transposed: UnsafePointer(axes))
    forEachProduct(
      factor, blocks, EnergyAlongAxes(x: x, y: y, groups: groups, inverses: inverses, rank: rank, energies: energies))
    var sum = 0.0
    for i in 0..<count { sum += energies[i] }
    return sum / Double(count) / Double(present)
  }
}

private struct EnergyAlongAxes<S: Scalar>: ProductConsumer {
  let x: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let groups: ClassMeans
  let inverses: UnsafePointer<Double>
  let rank: Int
  let energies: UnsafeMutablePointer<Double>

  @inline(__always) func fill(row: Int, _ left: UnsafeMutablePointer<Double>) {
    groups.deviation(x + row &* groups.dimensions, Int(y[row]), into: left)
  }

  @inline(__always)
  func use(row: Int, _ left: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>) {
    for k in 0..<rank { products[k] *= products[k] }
    energies[row] = dotProduct(UnsafePointer(products), inverses, rank)
  }
}
