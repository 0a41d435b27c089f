/// Normmax: the probabilities that maximise ⟨p, z⟩ − ‖p‖_α.
///
///     u_i = max(z_i − τ, 0)^{1/(α − 1)},   τ such that Σ_i u_i^α = 1,   p = u / Σ u
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf has probability 0; a row with +inf, or of −inf alone, gives a row of
///     NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 1, default 2.
///   - nIter: ≥ 1, default 50: the most steps in the search for τ. Ten are more than most rows take.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func normmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ alpha: Double, _ nIter: Int,
  _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(outer, classes, inner) != nil else { return .invalidShape }
  guard alpha > 1, alpha < .infinity, nIter >= 1 else { return .invalidParameter }
  if alpha == 2 {
    return mapToSimplex(
      SimplexThreshold<S.Vector, SecondPower, FirstPower>(alpha: 2, isNorm: true, steps: nIter), z,
      (outer, classes, inner), p)
  }
  return mapToSimplex(
    SimplexThreshold<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(alpha: alpha, isNorm: true, steps: nIter), z,
    (outer, classes, inner), p)
}

/// Vector-Jacobian product of normmax.
///
///     b_i = [p_i > 0] p_i^{2 − α},   P = (Σ p^α)^{(α − 1)/α}
///     grad_z = P/(α − 1) · (g ⊙ b − ⟨g, b⟩ p − ⟨g, p⟩ (b − p Σ b))
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `normmax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α > 1, as given to `normmax`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses.
func normmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard alpha > 1, alpha < .infinity else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let p, let gradOutput, let gradZ else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: p, second: gradOutput, perClass: nil, output: gradZ), NormmaxVjp<S.Vector>(alpha: alpha))
  return .ok
}

private struct NormmaxVjp<V: Lanes>: RowKernel {
  let alpha: Double
  static var usesSecond: Bool { true }
  var empty: Void { () }

  @inline(__always) private func b(_ p: DoubleLanes) -> DoubleLanes {
    AnyPower<V>.power(p, DoubleLanes(2 - alpha))
  }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    let zero = DoubleLanes.zero
    var k = WideConstants<V>()
    // k.a = ⟨g, b⟩, k.b = Σ b
    tile.withSums(&k, { p, g, _ in
      let b = self.b(DoubleLanes.max(zero, p))
      return (DoubleLanes.select(b .== zero, zero, b * g), b)
    }) { half, sums, _ in
      half.a = sums.first
      half.b = sums.second
    }
    // k.c = ⟨g, p⟩, k.d = P/(α − 1)
    tile.withSums(&k, { p, g, _ in
      let p = DoubleLanes.max(zero, p)
      return (DoubleLanes.select(p .== zero, zero, p * g), p * AnyPower<V>.power(p, DoubleLanes(alpha - 1)))
    }) { half, sums, _ in
      half.c = sums.first
      half.d = DoubleLanes.pow(sums.second, DoubleLanes((alpha - 1) / alpha)) / DoubleLanes(alpha - 1)
    }
    tile.wideMap(k) { p, g, k in
      let b = self.b(p)
      return DoubleLanes.select(b .== zero, zero, k.d * (b * (g - k.c) - p * (k.a - k.c * k.b)))
    }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
