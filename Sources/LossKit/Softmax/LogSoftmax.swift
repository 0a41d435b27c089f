/// Logarithm of the softmax of each row.
///
///     x = (z − max z)/T,   log p = x − log Σ_j e^{x_j}
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf gives −inf; a row with NaN or +inf, or of −inf alone, gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, default 1.
///   - logP: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torch.nn.functional.log_softmax.
func logSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ temperature: Double,
  _ logP: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(
    LogSoftmax<S.Vector>(
      exponential: ScaledExponential(temperature: temperature), inverseTemperature: S.Vector.inverse(temperature)),
    (outer, classes, inner), z, output: logP)
}

/// Vector-Jacobian product of log_softmax.
///
///     grad_z = (g − e^{log p} Σ_j g_j) / T
///
/// - Parameters:
///   - logP: `[outer, classes, inner]`, what `logSoftmax` returned.
///   - gradOutput: g, shaped as `logP`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, as given to `logSoftmax`.
///   - gradZ: output, shaped as `logP`; may be `gradOutput` itself. Where log p = −inf it is g/T, as in torch.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func logSoftmaxVjp<S: Scalar>(
  _ logP: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ temperature: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(
    LogSoftmaxVjp(inverseTemperature: S.Vector.inverse(temperature)), (outer, classes, inner), logP, gradOutput,
    output: gradZ)
}

private struct LogSoftmax<V: Lanes>: RowMap {
  let exponential: ScaledExponential<V>
  let inverseTemperature: V
  static var isCommon: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { exponential(e.x - m) }
  @inline(__always) func constants(_ m: V, _ sum: V, _: RowSlice) -> (V, V) { (m, V.log(V.definedSum(sum))) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { (e.x - k.0) * inverseTemperature - k.1 }
}

private struct LogSoftmaxVjp<V: Lanes>: RowMap {
  let inverseTemperature: V
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.y }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V {
    (e.y - V.exp(e.x) * k.0) * inverseTemperature
  }
}
