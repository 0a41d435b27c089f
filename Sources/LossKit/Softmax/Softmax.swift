/// Softmax of each row.
///
///     p_i = e^{(z_i − m)/T} / Σ_j e^{(z_j − m)/T},   m = max z
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf, or of −inf
///     alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, default 1.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torch.nn.functional.softmax.
func softmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ temperature: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  if inner == 1, classes >= leastTwoPassRow(S.self), let shape = RowShape(outer, classes, inner), let z, let p {
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: nil, output: p), TwoPassSoftmax<S.Vector>(temperature: temperature))
    return .ok
  }
  return mapRows(SoftmaxMap<PlainScore<S.Vector>>(temperature: temperature), (outer, classes, inner), z, output: p)
}

/// Classes of a row from which two passes are faster than three. Measured with a second-level cache of 1 MB and a third-level
/// one of 32 MB: in float even from 131 072 to 262 144 classes, then 10% faster with 10^6, 23% with 4 · 10^6, 27% with
/// 1.6 · 10^7. In double, whose exponentials cost more than twice as much, 10% slower with 10^6, 4% faster with 8 · 10^6.
private func leastTwoPassRow<S: Scalar>(_ type: S.Type) -> Int { MemoryLayout<S>.stride == 4 ? 1 << 19 : 1 << 22 }

/// Vector-Jacobian product of softmax.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩) / T
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `softmax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, as given to `softmax`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func softmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ temperature: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(
    SoftmaxVjpMap(scale: S.Vector.inverse(temperature)), (outer, classes, inner), p, gradOutput, output: gradZ)
}
