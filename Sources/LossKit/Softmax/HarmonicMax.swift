/// Harmonic max: probabilities from distances, by their inverse powers. It does not change with the distances' scale.
///
///     p_i = d_i^{−n} / Σ_j d_j^{−n} = (m / d_i)^n / Σ_j (m / d_j)^n,   m = min d
///
/// - Parameters:
///   - d: distances, `[outer, classes, inner]`, ≥ 0. Those that are 0 share the mass equally; +inf has probability 0; a row
///     with NaN, or of +inf alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - n: > 0, default 2.
///   - p: output, shaped as `d`; may be `d` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative distance.
/// - Reference: Baek et al. 2025, Harmonic Loss Trains Interpretable AI Models.
func harmonicMax<S: Scalar>(
  _ d: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ n: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(n) else { return .invalidParameter }
  if let d, hasNegative(d, shape.rows &* classes) { return .invalidValue }
  return mapRows(InversePowers<S.Vector>(n: n), (outer, classes, inner), d, output: p)
}

/// Vector-Jacobian product of harmonic_max.
///
///     grad_j = −(n / d_j) p_j (g_j − ⟨p, g⟩)     (0 in rows with d = 0)
///
/// - Parameters:
///   - d: distances, `[outer, classes, inner]`, ≥ 0.
///   - p: shaped as `d`, what `harmonicMax` returned.
///   - gradOutput: g, shaped as `d`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - n: as given to `harmonicMax`.
///   - gradD: output, shaped as `d`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative distance.
func harmonicMaxVjp<S: Scalar>(
  _ d: UnsafePointer<S>?, _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int,
  _ inner: Int, _ n: Double, _ gradD: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(n) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let d, let p, let gradOutput, let gradD else { return .nullPointer }
  if hasNegative(d, shape.rows &* classes) { return .invalidValue }
  mapRows(SoftmaxVjpMap(scale: S.Vector(-n)), shape, p, gradOutput, output: gradD)
  return mapElements(DividedByDistance<S.Vector>(), UnsafePointer(gradD), d, shape.rows &* classes, gradD)
}

/// The shift is −min d.
private struct InversePowers<V: Lanes>: RowMap {
  let n: Double
  static var keepsTerms: Bool { true }

  static var hasScore: Bool { true }
  @inline(__always) func score(_ e: RowElements<V>) -> V { -e.x }
  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V {
    V.select(e.x .== -m, V.one, V.power(ofRatio: -m, e.x, n))
  }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (V.one / sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.kept * k.0 }
}

private struct DividedByDistance<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _ d: V) -> V { V.select(d .== V.zero, V.zero, x / d) }
}
