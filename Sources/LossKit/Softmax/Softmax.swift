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
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(temperature) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  mapRows(Softmax<S.Vector>(exponential: ScaledExponential(temperature: temperature)), shape, z, output: p)
  return .ok
}

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
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(temperature) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let p, let gradOutput, let gradZ else { return .nullPointer }
  mapRows(SoftmaxVjp(inverseTemperature: S.Vector.inverse(temperature)), shape, p, gradOutput, output: gradZ)
  return .ok
}

private struct Softmax<V: Lanes>: RowMap {
  let exponential: ScaledExponential<V>
  static var keepsTerms: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { exponential(e.x - m) }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (V.one / V.definedSum(sum), V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.kept * k.0 }
}

private struct SoftmaxVjp<V: Lanes>: RowMap {
  let inverseTemperature: V
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.x * e.y }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.x * (e.y - k.0) * inverseTemperature }
}
