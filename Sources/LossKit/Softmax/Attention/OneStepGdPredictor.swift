/// Predictions of a linear model after one step of gradient descent from 0, which is what one layer of linear self-attention
/// computes from its context.
///
///     ŷ = xq · w,   w = η Γ Σ_i y_i x_i
///
/// - Parameters:
///   - x: inputs of the context, `[rows, columns]`.
///   - y: its targets, `[rows]`.
///   - xq: queries, `[queries, columns]`.
///   - precond: Γ, optional, `[columns, columns]`; the identity if absent.
///   - rows: ≥ 0.
///   - columns: ≥ 1.
///   - queries: ≥ 0.
///   - eta: η, finite, default 1.
///   - prediction: output, `[queries]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY (a few doubles per row, column and query).
/// - Reference: One Step of Gradient Descent is Provably the Optimal In-Context Learner with One Layer of Linear
///   Self-Attention (Mahankali et al. 2023).
func oneStepGdPredictor<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ xq: UnsafePointer<S>?, _ precond: UnsafePointer<S>?, _ rows: Int,
  _ columns: Int, _ queries: Int, _ eta: Double, _ prediction: UnsafeMutablePointer<S>?
) -> Status {
  guard areSizes(rows, columns, queries) else { return .invalidShape }
  guard eta.magnitude < .infinity else { return .invalidParameter }
  if queries == 0 { return .ok }
  guard let xq, let prediction, rows == 0 || (x != nil && y != nil) else { return .nullPointer }
  return withWorkspace(layout: { PredictorArrays(&$0, rows, columns, queries) }) { work in
    work.descend(x, y, precond, eta)
    Matrix(elements: xq, rows: queries, columns: columns).multiply(work.w, into: work.ofQueries)
    narrow(work.ofQueries, queries, into: prediction)
    return .ok
  }
}

/// Vector-Jacobian product of one_step_gd_predictor.
///
///     t = η Γᵀ xqᵀ g:   grad_x = y tᵀ,   grad_y = x t,   grad_xq = g wᵀ
///
/// - Parameters:
///   - x: inputs of the context, `[rows, columns]`.
///   - y: its targets, `[rows]`.
///   - xq: queries, `[queries, columns]`.
///   - precond: Γ, optional, `[columns, columns]`; the identity if absent.
///   - gradOutput: g, `[queries]`: the incoming gradient.
///   - rows: ≥ 0.
///   - columns: ≥ 1.
///   - queries: ≥ 0.
///   - eta: η, as given to `oneStepGdPredictor`.
///   - gradX: optional output, `[rows, columns]`.
///   - gradY: optional output, `[rows]`.
///   - gradXq: optional output, `[queries, columns]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY (a few doubles per row, column and query).
func oneStepGdPredictorVjp<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ xq: UnsafePointer<S>?, _ precond: UnsafePointer<S>?,
  _ gradOutput: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ queries: Int, _ eta: Double,
  _ gradX: UnsafeMutablePointer<S>?, _ gradY: UnsafeMutablePointer<S>?, _ gradXq: UnsafeMutablePointer<S>?
) -> Status {
  guard areSizes(rows, columns, queries) else { return .invalidShape }
  guard eta.magnitude < .infinity else { return .invalidParameter }
  guard rows == 0 || (x != nil && y != nil), queries == 0 || (xq != nil && gradOutput != nil) else { return .nullPointer }
  return withWorkspace(layout: { PredictorArrays(&$0, rows, columns, queries) }) { work in
    if let gradOutput { widen(gradOutput, queries, into: work.ofQueries) }
    if let gradXq, queries > 0 {
      work.descend(x, y, precond, eta)
      outerProduct(work.ofQueries, queries, work.w, columns, into: gradXq)
    }
    guard rows > 0, let x, let y else { return .ok }
    for c in 0..<columns { work.moment[c] = 0 }
    if let xq, queries > 0 {
      Matrix(elements: xq, rows: queries, columns: columns).multiplyTransposed(work.ofQueries, factor: eta, into: work.w)
      work.precondition(precond, transposed: true, work.w, into: work.moment)
    }
    if let gradX {
      widen(y, rows, into: work.ofRows)
      outerProduct(work.ofRows, rows, work.moment, columns, into: gradX)
    }
    if let gradY {
      Matrix(elements: x, rows: rows, columns: columns).multiply(work.moment, into: work.ofRows)
      narrow(work.ofRows, rows, into: gradY)
    }
    return .ok
  }
}

private func areSizes(_ rows: Int, _ columns: Int, _ queries: Int) -> Bool {
  columns > 0 && elementCount(rows, columns) != nil && elementCount(queries, columns) != nil
    && elementCount(columns, columns) != nil
}

private struct PredictorArrays {
  let ofRows, ofQueries, moment, w: UnsafeMutablePointer<Double>
  private let rows, columns: Int

  init(_ arena: inout Arena, _ rows: Int, _ columns: Int, _ queries: Int) {
    self.rows = rows
    self.columns = columns
    ofRows = arena.take(Double.self, rows)
    ofQueries = arena.take(Double.self, queries)
    moment = arena.take(Double.self, columns)
    w = arena.take(Double.self, columns)
  }

  /// `w = η Γ xᵀ y`
  func descend<S: Scalar>(_ x: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ precond: UnsafePointer<S>?, _ eta: Double) {
    for c in 0..<columns { moment[c] = 0 }
    if let x, let y, rows > 0 {
      widen(y, rows, into: ofRows)
      Matrix(elements: x, rows: rows, columns: columns).multiplyTransposed(ofRows, factor: eta, into: moment)
    }
    precondition(precond, transposed: false, moment, into: w)
  }

  /// `out = Γ v`, or `Γᵀ v`.
  func precondition<S: Scalar>(
    _ precond: UnsafePointer<S>?, transposed: Bool, _ v: UnsafeMutablePointer<Double>,
    into out: UnsafeMutablePointer<Double>
  ) {
    guard let precond else {
      for c in 0..<columns { out[c] = v[c] }
      return
    }
    let matrix = Matrix(elements: precond, rows: columns, columns: columns)
    if transposed { matrix.multiplyTransposed(v, into: out) } else { matrix.multiply(v, into: out) }
  }
}
