/// Stablemax: a function that grows linearly instead of the exponential, and so never absorbs small scores.
///
///     p_i = f(z_i) / Σ_j f(z_j),   f(z) = z + 1 for z ≥ 0,  1 / (1 − z) for z < 0
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`, which are not shifted. −inf is a masked class (probability 0); a row with NaN
///     or +inf, or of −inf alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Prieto et al. 2025, Grokking at the Edge of Numerical Stability.
func stablemax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  mapNormalized(StableFunction<S.Vector>(), z, (outer, classes, inner), output: p)
}

/// Vector-Jacobian product of stablemax.
///
///     grad_j = f'(z_j) / S · (g_j − ⟨p, g⟩),   S = Σ_j f(z_j)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func stablemaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  mapNormalizedVjp(StableFunction<S.Vector>(), z, gradOutput, (outer, classes, inner), gradZ: gradZ)
}

/// Logarithm of stablemax.
///
///     log p_i = log(f(z_i) / Σ_j f(z_j)),   f(z) = z + 1 for z ≥ 0,  1 / (1 − z) for z < 0
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf gives −inf; a row with NaN or +inf, or of −inf alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - logP: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Prieto et al. 2025, Grokking at the Edge of Numerical Stability.
func logStablemax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ logP: UnsafeMutablePointer<S>?
) -> Status {
  mapNormalized(StableFunction<S.Vector>(), z, (outer, classes, inner), logarithm: true, output: logP)
}

/// Vector-Jacobian product of log_stablemax.
///
///     grad_j = f'(z_j) / f(z_j) · g_j − f'(z_j) / S · Σ_k g_k,   S = Σ_j f(z_j)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself. 0 where z = −inf.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func logStablemaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  mapNormalizedVjp(StableFunction<S.Vector>(), z, gradOutput, (outer, classes, inner), logarithm: true, gradZ: gradZ)
}

/// f = 1 + |z|, or its inverse where z < 0.
private struct StableFunction<V: Lanes>: NormalizedFunction {
  @inline(__always) func value(_ x: V, _: RowConstants<V>) -> V {
    let larger = V.one + x.magnitude
    return V.select(x .< V.zero, V.one / larger, larger)
  }

  @inline(__always) func derivative(_ x: V, _ k: RowConstants<V>) -> V {
    let inverse = logarithmicDerivative(x, k)
    return V.select(x .< V.zero, inverse * inverse, V.one)
  }

  @inline(__always) func logarithmicDerivative(_ x: V, _: RowConstants<V>) -> V { V.one / (V.one + x.magnitude) }
}
