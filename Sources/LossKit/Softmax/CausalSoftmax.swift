/// Softmax of attention scores in which a query sees the keys up to its own place; later keys are 0, and never read.
///
///     p_ij = e^{scale·(z_ij − m_i)} / Σ_k e^{scale·(z_ik − m_i)}   over the keys j ≤ i + offset
///
/// - Parameters:
///   - z: scores, `[batch, queries, keys]`. A query that sees no key, or only −inf, gets zeros; a NaN or +inf that it sees
///     makes what it sees NaN.
///   - batch: ≥ 0.
///   - queries: ≥ 0.
///   - keys: ≥ 1.
///   - scale: > 0, default 1.
///   - offset: default 0, which aligns the first query with the first key; keys − queries aligns the last ones, as decoding
///     with a cache wants it.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func causalSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ batch: Int, _ queries: Int, _ keys: Int, _ scale: Double, _ offset: Int64,
  _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(scale) else { return .invalidParameter }
  return mapPrefixes(
    SoftmaxMap<VisibleScore<S.Vector>>(temperature: 1 / scale), z, z, (batch, queries, keys), offset, output: p)
}

/// Vector-Jacobian product of causal_softmax; the gradient at keys that a query does not see is 0.
///
///     grad_z = scale · p ⊙ (g − ⟨p, g⟩)
///
/// - Parameters:
///   - p: `[batch, queries, keys]`, what `causalSoftmax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient; not read at keys that a query does not see.
///   - batch: ≥ 0.
///   - queries: ≥ 0.
///   - keys: ≥ 1.
///   - scale: > 0, as given to `causalSoftmax`.
///   - offset: as given to `causalSoftmax`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func causalSoftmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ batch: Int, _ queries: Int, _ keys: Int, _ scale: Double,
  _ offset: Int64, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(scale) else { return .invalidParameter }
  return mapPrefixes(
    SoftmaxVjpMap(scale: S.Vector(scale)), p, gradOutput, (batch, queries, keys), offset, output: gradZ)
}

/// All of a prefix takes part; as with a mask, a row of −inf gives zeros.
private struct VisibleScore<V: Lanes>: SoftmaxScore {
  static var isMasked: Bool { true }
}
