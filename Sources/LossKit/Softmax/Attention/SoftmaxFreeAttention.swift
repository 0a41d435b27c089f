/// Attention with Gaussian kernels of few landmarks instead of softmax: linear in the number of queries.
///
///     K1 = kernel(q, landmarks),   K2 = kernel(landmarks, landmarks),   Y = newton_inverse(K2)
///     symmetric:  Y ← D^{−1/2} Y D^{−1/2},   D = diag(K2 1)
///     X = K1 (Y (K1ᵀ v))
///
/// - Parameters:
///   - q: queries, which are the keys as well, `[batch, n, dimensions]`.
///   - landmarks: `[batch, m, dimensions]`.
///   - v: values, `[batch, n, valueDimensions]`.
///   - batch: ≥ 0.
///   - n: ≥ 0.
///   - m: ≥ 1.
///   - dimensions: D ≥ 1.
///   - valueDimensions: E ≥ 1.
///   - nIter: steps of the inverse, 0 to 10 000, default 20.
///   - ridge: of the inverse, ≥ 0, default 0.01.
///   - symmetric: normalise the inverse, default false.
///   - scale: of the kernels, > 0, usually 1 / (2 √D).
///   - output: X, shaped as `v`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Lu et al. 2021, SOFT: Softmax-free Transformer with Linear Complexity.
func softmaxFreeAttention<S: Scalar>(
  _ q: UnsafePointer<S>?, _ landmarks: UnsafePointer<S>?, _ v: UnsafePointer<S>?, _ batch: Int, _ n: Int, _ m: Int,
  _ dimensions: Int, _ valueDimensions: Int, _ nIter: Int32, _ ridge: Double, _ symmetric: Bool, _ scale: Double,
  _ output: UnsafeMutablePointer<S>?
) -> Status {
  let model = AttentionModel(
    sizes: GaussianSizes(batch: batch, n: n, m: m, dimensions: dimensions), valueDimensions: valueDimensions,
    iterations: nIter, ridge: ridge, isSymmetric: symmetric, scale: scale)
  if let problem = model.problem { return problem }
  if batch == 0 || n == 0 { return .ok }
  guard let q, let landmarks, let v, let output else { return .nullPointer }
  return Attention(model: model, q: q, landmarks: landmarks, v: v, output: output).run(batch: batch)
}

/// Vector-Jacobian product of softmax_free_attention.
///
///     B = K1ᵀ v,   Z = Y B,   A = K1ᵀ g,   C = Yᵀ A
///     grad_v = K1 C,   grad_K1 = g Zᵀ + v Cᵀ,   grad_Y = A Bᵀ
///
/// and on through the inverse (as newton_inverse_vjp), D where symmetric, and both kernels.
///
/// - Parameters:
///   - q: `[batch, n, dimensions]`.
///   - landmarks: `[batch, m, dimensions]`.
///   - v: `[batch, n, valueDimensions]`.
///   - gradOutput: g, shaped as `v`: the incoming gradient.
///   - batch: ≥ 0.
///   - n: ≥ 0.
///   - m: ≥ 1.
///   - dimensions: D ≥ 1.
///   - valueDimensions: E ≥ 1.
///   - nIter: as given to `softmax_free_attention`.
///   - ridge: likewise.
///   - symmetric: likewise.
///   - scale: likewise.
///   - gradQ: optional output, shaped as `q`.
///   - gradLandmarks: optional output, shaped as `landmarks`.
///   - gradV: optional output, shaped as `v`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func softmaxFreeAttentionVjp<S: Scalar>(
  _ q: UnsafePointer<S>?, _ landmarks: UnsafePointer<S>?, _ v: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?,
  _ batch: Int, _ n: Int, _ m: Int, _ dimensions: Int, _ valueDimensions: Int, _ nIter: Int32, _ ridge: Double,
  _ symmetric: Bool, _ scale: Double, _ gradQ: UnsafeMutablePointer<S>?, _ gradLandmarks: UnsafeMutablePointer<S>?,
  _ gradV: UnsafeMutablePointer<S>?
) -> Status {
  let model = AttentionModel(
    sizes: GaussianSizes(batch: batch, n: n, m: m, dimensions: dimensions), valueDimensions: valueDimensions,
    iterations: nIter, ridge: ridge, isSymmetric: symmetric, scale: scale)
  if let problem = model.problem { return problem }
  if batch == 0 { return .ok }
  if n == 0 {
    gradLandmarks?.initialize(repeating: 0, count: batch &* m &* dimensions)
    return .ok
  }
  guard let q, let landmarks, let v, let gradOutput else { return .nullPointer }
  let slopes = AttentionSlopes(
    model: model, q: q, landmarks: landmarks, v: v, gradOutput: gradOutput, gradQ: gradQ,
    gradLandmarks: gradLandmarks, gradV: gradV)
  return slopes.run(batch: batch)
}

private struct AttentionModel {
  let sizes: GaussianSizes
  let valueDimensions: Int
  let iterations: Int32
  let ridge: Double
  let isSymmetric: Bool
  let scale: Double

  var problem: Status? {
    guard sizes.areValid, valueDimensions >= 1, PackedPoints.fits(sizes.n, valueDimensions),
      PackedPoints.fits(sizes.m, valueDimensions), PackedPoints.fits(sizes.m, sizes.m),
      elementCount(sizes.batch, sizes.n, valueDimensions) != nil
    else { return .invalidShape }
    return isNewton(iterations, ridge) && isPositive(scale) ? nil : .invalidParameter
  }
}

/// What the forward pass makes of one item, up to Z.
private struct AttentionMatrices {
  typealias V = DoubleLanes
  let model: AttentionModel
  let queryPairs, landmarkPairs: PointPairs
  let products: MatrixProducts
  let newton: NewtonMatrices
  /// K1 and K2
  let kernel, landmarkKernel: DoubleMatrix
  let values: DoubleMatrix
  /// Y, and D^{−1/2} where it is symmetric
  let inverse: DoubleMatrix
  let roots: UnsafeMutablePointer<Double>
  /// B and Z
  let gathered, mixed: DoubleMatrix

  init(_ arena: inout Arena, _ model: AttentionModel, withGradients: Bool) {
    self.model = model
    let (n, m, e) = (model.sizes.n, model.sizes.m, model.valueDimensions)
    queryPairs = PointPairs(
      &arena, n, m, model.sizes.dimensions, firstGradient: withGradients, secondGradient: withGradients)
    landmarkPairs = PointPairs(
      &arena, m, m, model.sizes.dimensions, firstGradient: withGradients, secondGradient: withGradients)
    products = MatrixProducts(&arena, long: Swift.max(n, m), short: Swift.max(m, e))
    newton = NewtonMatrices(&arena, m)
    kernel = DoubleMatrix(&arena, n, m)
    landmarkKernel = DoubleMatrix(&arena, m, m)
    values = DoubleMatrix(&arena, n, e)
    inverse = DoubleMatrix(&arena, m, m)
    roots = arena.take(Double.self, m)
    gathered = DoubleMatrix(&arena, m, e)
    mixed = DoubleMatrix(&arena, m, e)
  }

  func run<S: Scalar>(_ q: UnsafePointer<S>, _ landmarks: UnsafePointer<S>, _ v: UnsafePointer<S>) {
    queryPairs.first.read(q)
    queryPairs.second.read(landmarks)
    landmarkPairs.first.read(landmarks)
    landmarkPairs.second.read(landmarks)
    evaluate(queryPairs, kernel)
    evaluate(landmarkPairs, landmarkKernel)
    newton.matrix.clear()
    newton.matrix.combine(landmarkKernel) { _, k in k }
    newton.invert(iterations: model.iterations, ridge: model.ridge, products)
    inverse.clear()
    inverse.combine(newton.inverse) { _, v in v }
    if model.isSymmetric {
      for i in 0..<inverse.rows { roots[i] = 1 / landmarkKernel.sum(ofRow: i).squareRoot() }
      inverse.scaleBothSides(roots)
    }
    values.read(v)
    products.multiply(kernel.transpose, values.factor, into: gathered)
    products.multiply(inverse.factor, gathered.factor, into: mixed)
  }

  private func evaluate(_ pairs: PointPairs, _ kernel: DoubleMatrix) {
    kernel.clear()
    pairs.run(SquaredDistance(), GaussianValues(scale: model.scale, kernel: kernel.elements, stride: kernel.stride))
  }

  /// The gradients of the points of a kernel matrix.
  func pullBack(_ pairs: PointPairs, _ kernel: DoubleMatrix, _ grad: DoubleMatrix) {
    pairs.run(
      SquaredDistance(),
      GaussianSlopes(
        scale: model.scale, kernel: UnsafePointer(kernel.elements), grad: UnsafePointer(grad.elements),
        stride: kernel.stride))
  }
}

private struct Attention<S: Scalar>: BatchKernel {
  let model: AttentionModel
  let q, landmarks, v: UnsafePointer<S>
  let output: UnsafeMutablePointer<S>

  func memory(_ arena: inout Arena) -> (AttentionMatrices, DoubleMatrix) {
    (AttentionMatrices(&arena, model, withGradients: false), DoubleMatrix(&arena, model.sizes.n, model.valueDimensions))
  }

  func run(_ item: Int, _ memory: (AttentionMatrices, DoubleMatrix)) {
    let (matrices, result) = memory
    let sizes = model.sizes
    let ofValues = item &* sizes.n &* model.valueDimensions
    matrices.run(
      q + item &* sizes.n &* sizes.dimensions, landmarks + item &* sizes.m &* sizes.dimensions, v + ofValues)
    matrices.products.multiply(matrices.kernel.factor, matrices.mixed.factor, into: result)
    result.write(output + ofValues)
  }
}

private struct AttentionSlopes<S: Scalar>: BatchKernel {
  typealias V = DoubleLanes
  let model: AttentionModel
  let q, landmarks, v, gradOutput: UnsafePointer<S>
  let gradQ, gradLandmarks, gradV: UnsafeMutablePointer<S>?

  struct Memory {
    let forward: AttentionMatrices
    /// g, grad_v, grad_K1
    let grad, ofValues, ofKernel: DoubleMatrix
    /// A and C
    let gathered, mixed: DoubleMatrix
    /// grad_Y, which becomes grad_K2
    let ofInverse: DoubleMatrix
    let shares: UnsafeMutablePointer<Double>
  }

  func memory(_ arena: inout Arena) -> Memory {
    let (n, m, e) = (model.sizes.n, model.sizes.m, model.valueDimensions)
    return Memory(
      forward: AttentionMatrices(&arena, model, withGradients: true), grad: DoubleMatrix(&arena, n, e),
      ofValues: DoubleMatrix(&arena, n, e), ofKernel: DoubleMatrix(&arena, n, m), gathered: DoubleMatrix(&arena, m, e),
      mixed: DoubleMatrix(&arena, m, e), ofInverse: DoubleMatrix(&arena, m, m), shares: arena.take(Double.self, m))
  }

  func run(_ item: Int, _ memory: Memory) {
    let sizes = model.sizes
    let ofValues = item &* sizes.n &* model.valueDimensions
    let ofQ = item &* sizes.n &* sizes.dimensions
    let ofLandmarks = item &* sizes.m &* sizes.dimensions
    let forward = memory.forward, products = forward.products
    forward.run(q + ofQ, landmarks + ofLandmarks, v + ofValues)
    memory.grad.read(gradOutput + ofValues)
    products.multiply(forward.kernel.transpose, memory.grad.factor, into: memory.gathered)
    products.multiply(forward.inverse.transpose, memory.gathered.factor, into: memory.mixed)
    if let gradV {
      products.multiply(forward.kernel.factor, memory.mixed.factor, into: memory.ofValues)
      memory.ofValues.write(gradV + ofValues)
    }
    if gradQ == nil && gradLandmarks == nil { return }

    products.multiply(memory.grad.factor, forward.mixed.transpose, into: memory.ofKernel)
    products.multiply(forward.values.factor, memory.mixed.transpose, into: memory.ofKernel, adding: true)
    forward.pullBack(forward.queryPairs, forward.kernel, memory.ofKernel)
    if let gradQ { forward.queryPairs.firstGradient?.write(gradQ + ofQ) }
    guard let gradLandmarks, let gradient = forward.queryPairs.secondGradient else { return }

    products.multiply(memory.gathered.factor, forward.gathered.transpose, into: memory.ofInverse)
    if model.isSymmetric { takeShares(forward, memory) }
    forward.newton.pullBack(memory.ofInverse, products)
    if model.isSymmetric { addShares(memory) }
    forward.pullBack(forward.landmarkPairs, forward.landmarkKernel, memory.ofInverse)
    gradient.add(forward.landmarkPairs.firstGradient)
    gradient.add(forward.landmarkPairs.secondGradient)
    gradient.write(gradLandmarks + ofLandmarks)
  }

  /// grad_D_i = −Σ_j (g_ij Y_ij + g_ji Y_ji) / (2 D_i); and grad_Y of the inverse before it was normalised.
  private func takeShares(_ forward: AttentionMatrices, _ memory: Memory) {
    let grad = memory.ofInverse, inverse = forward.inverse, shares = memory.shares, roots = forward.roots
    for i in 0..<grad.rows { shares[i] = 0 }
    for i in 0..<grad.rows {
      var sum = V.zero
      forEachVector(V.self, 0..<grad.columns) { j, n in
        let h = V.load(grad.row(i) + j, lanes: n) * V.load(inverse.row(i) + j, lanes: n)
        sum = sum + h
        (V.load(shares + j, lanes: n) + h).store(shares + j, lanes: n)
      }
      shares[i] += sum.sum
    }
    for i in 0..<grad.rows { shares[i] = -shares[i] * roots[i] * roots[i] / 2 }
    grad.scaleBothSides(UnsafePointer(roots))
  }

  /// D is the sum of rows of K2.
  private func addShares(_ memory: Memory) {
    let grad = memory.ofInverse
    for i in 0..<grad.rows {
      for j in 0..<grad.columns { grad.row(i)[j] += memory.shares[i] }
    }
  }
}

extension PackedPoints {
  /// Adds points of the same shape.
  fileprivate func add(_ other: PackedPoints?) {
    guard let other else { return }
    for i in 0..<blocks &* stride { memory[i] = memory[i] + other.memory[i] }
  }
}
