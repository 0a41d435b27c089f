/// Softmax regression: the squared distance of the softmax of a linear map from a vector.
///
///     L = ½ ‖f − b‖²,   f = softmax(a x);   u = f ⊙ (r − ⟨f, r⟩), r = f − b:   grad_a = u xᵀ,  grad_x = aᵀ u
///
/// - Parameters:
///   - a: `[rows, width]`.
///   - x: `[width]`.
///   - b: `[rows]`.
///   - rows: ≥ 1.
///   - width: ≥ 1.
///   - loss: optional output, one value.
///   - gradA: optional output, `[rows, width]`.
///   - gradX: optional output, `[width]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY (a few doubles per row and column).
/// - Reference: The Closeness of In-Context Learning and Weight Shifting for Softmax Regression (Li et al. 2023).
func softmaxRegressionLoss<S: Scalar>(
  _ a: UnsafePointer<S>?, _ x: UnsafePointer<S>?, _ b: UnsafePointer<S>?, _ rows: Int, _ width: Int,
  _ loss: UnsafeMutablePointer<S>?, _ gradA: UnsafeMutablePointer<S>?, _ gradX: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(rows, width) != nil, width > 0, let row = RowShape(1, rows, 1) else { return .invalidShape }
  guard let a, let x, let b else { return .nullPointer }
  return withWorkspace(layout: { RegressionArrays(&$0, rows, width) }) { work in
    let matrix = Matrix(elements: a, rows: rows, columns: width)
    widen(x, width, into: work.x)
    matrix.multiply(work.x, into: work.f)
    mapRows(SoftmaxMap<PlainScore<DoubleLanes>>(temperature: 1), row, UnsafePointer(work.f), output: work.f)
    var squares = 0.0, product = 0.0
    for i in 0..<rows {
      work.u[i] = work.f[i] - b[i].double
      squares += work.u[i] * work.u[i]
      product += work.f[i] * work.u[i]
    }
    loss?.pointee = S(0.5 * squares)
    for i in 0..<rows { work.u[i] = work.f[i] * (work.u[i] - product) }
    if let gradA { outerProduct(work.u, rows, work.x, width, into: gradA) }
    if let gradX {
      matrix.multiplyTransposed(work.u, into: work.x)
      narrow(work.x, width, into: gradX)
    }
    return .ok
  }
}

private struct RegressionArrays {
  let f, u, x: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ rows: Int, _ width: Int) {
    f = arena.take(Double.self, rows)
    u = arena.take(Double.self, rows)
    x = arena.take(Double.self, width)
  }
}
