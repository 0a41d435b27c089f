/// Softmax of the negated scores: the smallest takes most.
///
///     p_i = e^{(m − z_i)/T} / Σ_j e^{(m − z_j)/T},   m = min z
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. +inf is a masked class (probability 0); a row with NaN or −inf, or of +inf
///     alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, default 1.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torch.nn.functional.softmin.
func softmin<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ temperature: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(SoftmaxMap<NegatedScore<S.Vector>>(temperature: temperature), (outer, classes, inner), z, output: p)
}

/// Vector-Jacobian product of softmin.
///
///     grad_z = −p ⊙ (g − ⟨p, g⟩) / T
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `softmin` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, as given to `softmin`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func softminVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ temperature: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(
    SoftmaxVjpMap(scale: -S.Vector.inverse(temperature)), (outer, classes, inner), p, gradOutput, output: gradZ)
}

private struct NegatedScore<V: Lanes>: SoftmaxScore {
  @inline(__always) static func of(_ e: RowElements<V>) -> V { -e.x }
}
