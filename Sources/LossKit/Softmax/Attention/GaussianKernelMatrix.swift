/// Gaussian kernel of two lists of points.
///
///     K_ij = e^{−scale |q_i − k_j|²}
///
/// Distances are sums of squared differences: K is at most 1, and exactly 1 where points coincide.
///
/// - Parameters:
///   - q: `[batch, n, dimensions]`.
///   - k: `[batch, m, dimensions]`.
///   - batch: ≥ 0.
///   - n: ≥ 0.
///   - m: ≥ 1.
///   - dimensions: D ≥ 1.
///   - scale: > 0, usually 1 / (2 √D).
///   - kernel: output, `[batch, n, m]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Lu et al. 2021, SOFT: Softmax-free Transformer with Linear Complexity.
func gaussianKernelMatrix<S: Scalar>(
  _ q: UnsafePointer<S>?, _ k: UnsafePointer<S>?, _ batch: Int, _ n: Int, _ m: Int, _ dimensions: Int,
  _ scale: Double, _ kernel: UnsafeMutablePointer<S>?
) -> Status {
  let sizes = GaussianSizes(batch: batch, n: n, m: m, dimensions: dimensions)
  guard sizes.areValid else { return .invalidShape }
  guard isPositive(scale) else { return .invalidParameter }
  if batch == 0 || n == 0 { return .ok }
  guard let q, let k, let kernel else { return .nullPointer }
  return GaussianKernel(sizes: sizes, scale: scale, q: q, k: k, use: .forward(kernel)).run(batch: batch)
}

/// Vector-Jacobian product of gaussian_kernel_matrix.
///
///     W = −2 scale (g ⊙ K);   grad_q_i = Σ_j W_ij (q_i − k_j),   grad_k_j = −Σ_i W_ij (q_i − k_j)
///
/// - Parameters:
///   - q: `[batch, n, dimensions]`.
///   - k: `[batch, m, dimensions]`.
///   - kernel: K, `[batch, n, m]`, what `gaussian_kernel_matrix` returned.
///   - gradOutput: g, shaped as `kernel`: the incoming gradient.
///   - batch: ≥ 0.
///   - n: ≥ 0.
///   - m: ≥ 1.
///   - dimensions: D ≥ 1.
///   - scale: > 0, as given to `gaussian_kernel_matrix`.
///   - gradQ: optional output, shaped as `q`.
///   - gradK: optional output, shaped as `k`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func gaussianKernelMatrixVjp<S: Scalar>(
  _ q: UnsafePointer<S>?, _ k: UnsafePointer<S>?, _ kernel: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?,
  _ batch: Int, _ n: Int, _ m: Int, _ dimensions: Int, _ scale: Double, _ gradQ: UnsafeMutablePointer<S>?,
  _ gradK: UnsafeMutablePointer<S>?
) -> Status {
  let sizes = GaussianSizes(batch: batch, n: n, m: m, dimensions: dimensions)
  guard sizes.areValid else { return .invalidShape }
  guard isPositive(scale) else { return .invalidParameter }
  if batch == 0 { return .ok }
  if n == 0 {
    gradK?.initialize(repeating: 0, count: batch &* m &* dimensions)
    return .ok
  }
  guard let q, let k, let kernel, let gradOutput else { return .nullPointer }
  let kernels = GaussianKernel(
    sizes: sizes, scale: scale, q: q, k: k, use: .backward(kernel, gradOutput), gradQ: gradQ, gradK: gradK)
  return kernels.run(batch: batch)
}

struct GaussianSizes {
  let batch, n, m, dimensions: Int

  var areValid: Bool {
    guard batch >= 0, n >= 0, m >= 1, dimensions >= 1, PackedPoints.fits(n, dimensions),
      PackedPoints.fits(m, dimensions), PackedPoints.fits(n, m)
    else { return false }
    return elementCount(batch, n, m) != nil && elementCount(batch, n, dimensions) != nil
      && elementCount(batch, m, dimensions) != nil
  }
}

private struct GaussianKernel<S: Scalar>: BatchKernel {
  enum Use {
    case forward(UnsafeMutablePointer<S>)
    /// K and its incoming gradient.
    case backward(UnsafePointer<S>, UnsafePointer<S>)
  }
  let sizes: GaussianSizes
  let scale: Double
  let q, k: UnsafePointer<S>
  let use: Use
  var gradQ: UnsafeMutablePointer<S>?
  var gradK: UnsafeMutablePointer<S>?

  func memory(_ arena: inout Arena) -> PointPairs {
    PointPairs(
      &arena, sizes.n, sizes.m, sizes.dimensions, firstGradient: gradQ != nil, secondGradient: gradK != nil)
  }

  func run(_ item: Int, _ pairs: PointPairs) {
    let ofQ = item &* sizes.n &* sizes.dimensions
    let ofK = item &* sizes.m &* sizes.dimensions
    let ofKernel = item &* sizes.n &* sizes.m
    pairs.first.read(q + ofQ)
    pairs.second.read(k + ofK)
    switch use {
    case .forward(let kernel):
      pairs.run(SquaredDistance(), GaussianValues(scale: scale, kernel: kernel + ofKernel, stride: sizes.m))
    case .backward(let kernel, let grad):
      pairs.run(
        SquaredDistance(),
        GaussianSlopes(scale: scale, kernel: kernel + ofKernel, grad: grad + ofKernel, stride: sizes.m))
      if let gradQ { pairs.firstGradient?.write(gradQ + ofQ) }
      if let gradK { pairs.secondGradient?.write(gradK + ofK) }
    }
  }
}

/// Writes `e^{−scale δ}`.
struct GaussianValues<S: Scalar>: DistanceConsumer {
  let scale: Double
  let kernel: UnsafeMutablePointer<S>
  let stride: Int

  func consume(_ block: DistanceBlock) {
    for j in 0..<block.others { block.coefficients[j] = .exp(DoubleLanes(-scale) * block.distances[j]) }
    forEachVector(DoubleLanes.self, 0..<block.others) { j, n in
      writeTile(block.coefficients + j, kernel + (block.first &* stride &+ j), stride, block.count, n)
    }
  }
}

/// dL/dδ = −scale g K
struct GaussianSlopes<S: Scalar>: DistanceConsumer {
  let scale: Double
  let kernel, grad: UnsafePointer<S>
  let stride: Int
  var needsDistances: Bool { false }

  func consume(_ block: DistanceBlock) {
    forEachVector(DoubleLanes.self, 0..<block.others) { j, n in
      let at = block.first &* stride &+ j
      readTile(grad + at, stride, block.count, n, block.coefficients + j)
      readTile(kernel + at, stride, block.count, n, block.distances + j)
      for lane in j..<j &+ n {
        block.coefficients[lane] = DoubleLanes(-scale) * block.coefficients[lane] * block.distances[lane]
      }
    }
  }
}
