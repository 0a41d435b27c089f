/// Softmax of each row.
///
///     p_i = e^{(z_i − m)/T} / Σ_j e^{(z_j − m)/T},   m = max z
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf, or of −inf
///     alone, gives a row of NaN.
///   - outer: see ROWS, ≥ 0.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, default 1.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_PARAMETER.
/// - Reference: torch.nn.functional.softmax.
func softmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ temperature: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(temperature) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  mapRows(Softmax<S.Vector>(exponential: ScaledExponential(temperature: temperature)), shape, z, z, p)
  return .ok
}

private struct Softmax<V: Lanes>: RowMap {
  let exponential: ScaledExponential<V>
  static var keepsTerms: Bool { true }

  @inline(__always) func term(_ z: V, _: V, _ m: V) -> V { exponential(z - m) }
  @inline(__always) func constants(_: V, _ sum: V) -> (V, V) { (V.reciprocalOfSum(sum), V.zero) }
  @inline(__always) func output(_: V, _: V, _ term: V, _ k: (V, V)) -> V { term * k.0 }
}
