/// Inverse of a matrix, nearly, by Newton's iteration.
///
///     P = a + ridge I,   V_0 = c P,   c = 1.8 / (max_i Σ_j a_ij)²,   V ← 2 V − V P V,   nIter times
///
/// There is no test of convergence: of an ill-conditioned matrix so many steps give what they give.
///
/// - Parameters:
///   - a: `[batch, m, m]`, symmetric and not negative (not checked).
///   - batch: ≥ 0.
///   - m: ≥ 1.
///   - nIter: 0 to 10 000, default 20.
///   - ridge: ≥ 0, default 0.01.
///   - inverse: output V, shaped as `a`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Lu et al. 2021, SOFT: Softmax-free Transformer with Linear Complexity.
func newtonInverse<S: Scalar>(
  _ a: UnsafePointer<S>?, _ batch: Int, _ m: Int, _ nIter: Int32, _ ridge: Double, _ inverse: UnsafeMutablePointer<S>?
) -> Status {
  guard isSquareBatch(batch, m) else { return .invalidShape }
  guard isNewton(nIter, ridge) else { return .invalidParameter }
  if batch == 0 { return .ok }
  guard let a, let inverse else { return .nullPointer }
  return NewtonInverses(m: m, iterations: nIter, ridge: ridge, a: a, inverse: inverse).run(batch: batch)
}

/// Vector-Jacobian product of newton_inverse, as of the exact inverse: the iterations are constants.
///
///     grad_a = −Vᵀ g Vᵀ
///
/// - Parameters:
///   - v: V, `[batch, m, m]`, what `newton_inverse` returned.
///   - gradOutput: g, shaped as `v`: the incoming gradient.
///   - batch: ≥ 0.
///   - m: ≥ 1.
///   - grad: output, shaped as `v`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
func newtonInverseVjp<S: Scalar>(
  _ v: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ batch: Int, _ m: Int, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isSquareBatch(batch, m) else { return .invalidShape }
  if batch == 0 { return .ok }
  guard let v, let gradOutput, let grad else { return .nullPointer }
  return InverseSlopes(m: m, inverse: v, gradOutput: gradOutput, grad: grad).run(batch: batch)
}

/// Are these parameters of the iteration? Convergence is quadratic: more steps than some dozens change nothing.
func isNewton(_ iterations: Int32, _ ridge: Double) -> Bool {
  iterations >= 0 && iterations <= 10000 && ridge >= 0 && ridge.isFinite
}

/// The matrices of Newton's iteration.
struct NewtonMatrices {
  let matrix, inverse: DoubleMatrix
  private let first, second: DoubleMatrix

  init(_ arena: inout Arena, _ m: Int) {
    matrix = DoubleMatrix(&arena, m, m)
    inverse = DoubleMatrix(&arena, m, m)
    first = DoubleMatrix(&arena, m, m)
    second = DoubleMatrix(&arena, m, m)
  }

  /// Inverts `matrix`, whose diagonal gets the ridge.
  func invert(iterations: Int32, ridge: Double, _ products: MatrixProducts) {
    typealias V = DoubleLanes
    var largest = -Double.infinity
    for i in 0..<matrix.rows {
      largest = Swift.max(largest, matrix.sum(ofRow: i))
      matrix.row(i)[i] += ridge
    }
    let c = V(1.8 / (largest * largest))
    inverse.clear()
    inverse.combine(matrix) { _, p in c * p }
    for _ in 0..<iterations {
      products.multiply(inverse.factor, matrix.factor, into: first)
      products.multiply(first.factor, inverse.factor, into: second)
      inverse.combine(second) { v, vpv in (v + v) - vpv }
    }
  }

  /// `−Vᵀ g Vᵀ` in place of g.
  func pullBack(_ grad: DoubleMatrix, _ products: MatrixProducts) {
    products.multiply(grad.factor, inverse.transpose, into: first)
    products.multiply(inverse.transpose, first.factor, into: grad)
    grad.combine(grad) { g, _ in -g }
  }
}

private struct NewtonInverses<S: Scalar>: BatchKernel {
  let m: Int
  let iterations: Int32
  let ridge: Double
  let a: UnsafePointer<S>
  let inverse: UnsafeMutablePointer<S>

  func memory(_ arena: inout Arena) -> (newton: NewtonMatrices, products: MatrixProducts) {
    (NewtonMatrices(&arena, m), MatrixProducts(&arena, long: m, short: m))
  }

  func run(_ item: Int, _ memory: (newton: NewtonMatrices, products: MatrixProducts)) {
    memory.newton.matrix.read(a + item &* m &* m)
    memory.newton.invert(iterations: iterations, ridge: ridge, memory.products)
    memory.newton.inverse.write(inverse + item &* m &* m)
  }
}

private struct InverseSlopes<S: Scalar>: BatchKernel {
  let m: Int
  let inverse, gradOutput: UnsafePointer<S>
  let grad: UnsafeMutablePointer<S>

  func memory(_ arena: inout Arena) -> (newton: NewtonMatrices, products: MatrixProducts) {
    (NewtonMatrices(&arena, m), MatrixProducts(&arena, long: m, short: m))
  }

  func run(_ item: Int, _ memory: (newton: NewtonMatrices, products: MatrixProducts)) {
    memory.newton.inverse.read(inverse + item &* m &* m)
    memory.newton.matrix.read(gradOutput + item &* m &* m)
    memory.newton.pullBack(memory.newton.matrix, memory.products)
    memory.newton.matrix.write(grad + item &* m &* m)
  }
}
