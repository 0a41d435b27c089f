/// Sigsoftmax: each exponential times the logistic function of its score, which breaks the softmax bottleneck.
///
///     p_i = e^{z_i} σ(z_i) / Σ_j e^{z_j} σ(z_j)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf, or of −inf
///     alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Kanai et al. 2018, Sigsoftmax: Reanalysis of the Softmax Bottleneck.
func sigsoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  mapRows(SigSoftmax<S.Vector>(), (outer, classes, inner), z, output: p)
}

/// Vector-Jacobian product of sigsoftmax.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩) ⊙ (2 − σ(z))
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`.
///   - p: shaped as `z`, what `sigsoftmax` returned.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func sigsoftmaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int,
  _ inner: Int, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let p, let gradOutput, let gradZ else { return .nullPointer }
  mapRows(SoftmaxVjpMap(scale: S.Vector.one), shape, p, gradOutput, output: gradZ)
  return mapElements(TimesScoreDerivative<S.Vector>(), UnsafePointer(gradZ), z, shape.rows &* classes, gradZ)
}

/// The softmax of z + log σ(z), which grows with z.
private struct SigSoftmax<V: Lanes>: RowMap {
  let exponential = ScaledExponential<V>(temperature: 1)
  static var keepsTerms: Bool { true }

  @inline(__always) func shift(_ maximum: V, _: RowSlice) -> V { V.shift(logit(maximum)) }
  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { exponential(logit(e.x) - m) }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (V.one / V.definedSum(sum), V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.kept * k.0 }

  /// z + log σ(z), rounded once.
  @inline(__always) private func logit(_ z: V) -> V {
    (z + V.min(z, V.zero)) - V.log1pOfFraction(V.expOfNonPositive(-z.magnitude))
  }
}

private struct TimesScoreDerivative<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _ z: V) -> V { x * (V.one + V.sigmoid(-z)) }
}
