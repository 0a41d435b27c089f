/// Taylor softmax: the Taylor polynomial of the exponential in its place. It is positive for every even order.
///
///     p_i = f(z_i) / Σ_j f(z_j),   f(z) = Σ_{i=0}^{order} z^i / i!
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf, or one in which
///     f overflows, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - order: even, ≥ 2, default 2.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: de Brébisson & Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss Family.
func taylorSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ order: Int32, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard order >= 2, order % 2 == 0 else { return .invalidParameter }
  return mapNormalized(TaylorPolynomial<S.Vector>(order: order), z, (outer, classes, inner), output: p)
}

/// Vector-Jacobian product of taylor_softmax.
///
///     grad_j = f'(z_j) / S · (g_j − ⟨p, g⟩),   S = Σ_j f(z_j)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - order: as given to `taylorSoftmax`.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func taylorSoftmaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ order: Int32,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard order >= 2, order % 2 == 0 else { return .invalidParameter }
  return mapNormalizedVjp(TaylorPolynomial<S.Vector>(order: order), z, gradOutput, (outer, classes, inner), gradZ: gradZ)
}

/// Logarithm of taylor_softmax.
///
///     log p_i = log(f(z_i) / Σ_j f(z_j)),   f(z) = Σ_{i=0}^{order} z^i / i!
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf gives −inf; a row with NaN or +inf, or one in which f overflows, gives a
///     row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - order: even, ≥ 2, default 2.
///   - logP: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: de Brébisson & Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss Family.
func logTaylorSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ order: Int32, _ logP: UnsafeMutablePointer<S>?
) -> Status {
  guard order >= 2, order % 2 == 0 else { return .invalidParameter }
  return mapNormalized(
    TaylorPolynomial<S.Vector>(order: order), z, (outer, classes, inner), logarithm: true, output: logP)
}

/// Vector-Jacobian product of log_taylor_softmax.
///
///     grad_j = f'(z_j) / f(z_j) · g_j − f'(z_j) / S · Σ_k g_k,   S = Σ_j f(z_j)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - order: as given to `logTaylorSoftmax`.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself. 0 where z = −inf.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func logTaylorSoftmaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ order: Int32,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard order >= 2, order % 2 == 0 else { return .invalidParameter }
  return mapNormalizedVjp(
    TaylorPolynomial<S.Vector>(order: order), z, gradOutput, (outer, classes, inner), logarithm: true, gradZ: gradZ)
}

/// In double throughout: the terms of negative z cancel, the more the higher the order.
private struct TaylorPolynomial<V: Lanes>: NormalizedFunction {
  let order: Int32

  @inline(__always) func value(_ x: V, _: RowConstants<V>) -> V { polynomial(x, order) }

  /// The polynomial of the order below.
  @inline(__always) func derivative(_ x: V, _: RowConstants<V>) -> V { polynomial(x, order &- 1) }

  @inline(__always) func logarithmicDerivative(_ x: V, _ k: RowConstants<V>) -> V {
    V.select(x .== -V.infinity, V.zero, derivative(x, k) / value(x, k))
  }

  @inline(__always) private func polynomial(_ x: V, _ order: Int32) -> V {
    let (low, high) = x.doubles
    return V.select(x .== -V.infinity, V.zero, V(nested(low, order), nested(high, order)))
  }

  /// 1 + z (1 + z/2 (1 + z/3 (…)))
  @inline(__always) private func nested(_ z: DoubleLanes, _ order: Int32) -> DoubleLanes {
    var sum = DoubleLanes.one
    var i = order
    while i > 0 {
      sum = DoubleLanes.fma(z * DoubleLanes(1 / Double(i)), sum, DoubleLanes.one)
      i &-= 1
    }
    return sum
  }
}
