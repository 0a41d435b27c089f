/// 1.5-entmax: between softmax and sparsemax.
///
///     p_i = max(z_i/2 − τ, 0)²,   τ such that Σ_i p_i = 1
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf has probability 0; a row with +inf, or of −inf alone, gives a row of
///     NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Peters et al. 2019, Sparse Sequence-to-Sequence Models.
func entmax15<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  mapToSimplex(
    SimplexThreshold<S.Vector, SecondPower, SecondPower>(alpha: 1.5), z, (outer, classes, inner), p)
}

/// Vector-Jacobian product of 1.5-entmax.
///
///     s = √p,   grad_z = s ⊙ (g − ⟨s, g⟩ / Σ s)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `entmax15` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func entmax15Vjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  supportVjp(SquareRoots<S.Vector>(), p, gradOutput, (outer, classes, inner), gradZ)
}

/// α-entmax: softmax for α → 1, sparsemax for α = 2, the sparser the larger α.
///
///     p_i = max((α − 1) z_i − τ, 0)^{1/(α − 1)},   τ such that Σ_i p_i = 1
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf has probability 0; a row with +inf, or of −inf alone, gives a row of
///     NaN.
///   - alpha: α > 1: one, or one for each row if `alphaPerRow`, in double precision.
///   - alphaPerRow: is there an α for each row, in the order of the rows?
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - nIter: ≥ 1, default 50: the most steps in the search for τ. Ten are more than most rows take.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Correia et al. 2019, Adaptively Sparse Transformers.
func entmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ alpha: UnsafePointer<Double>?, _ alphaPerRow: Bool, _ outer: Int, _ classes: Int,
  _ inner: Int, _ nIter: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard nIter >= 1 else { return .invalidParameter }
  if shape.rows == 0 && (alphaPerRow || alpha == nil) { return .ok }
  guard let alpha else { return .nullPointer }
  guard areExponents(alpha, alphaPerRow ? shape.rows : 1) else { return .invalidParameter }
  if !alphaPerRow {
    // With enough steps these give the same as the general form, faster.
    if alpha[0] == 2 && nIter >= 50 { return sparsemax(z, outer, classes, inner, p) }
    if alpha[0] == 1.5 && nIter >= 50 { return entmax15(z, outer, classes, inner, p) }
  }
  return mapToSimplex(
    SimplexThreshold<S.Vector, AnyPower<S.Vector>, AnyPower<S.Vector>>(
      alpha: alpha[0], alphas: alphaPerRow ? alpha : nil, steps: nIter), z, (outer, classes, inner), p)
}

/// Vector-Jacobian product of α-entmax, with respect to the logits and to α.
///
///     s_i = [p_i > 0] p_i^{2 − α},   q = s / Σ s,   grad_z = s ⊙ (g − ⟨q, g⟩)
///     grad_α = Σ_i g_i [(p_i − q_i) / (α − 1)² − (p_i log p_i − q_i Σ_j p_j log p_j) / (α − 1)]
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `entmax` returned.
///   - alpha: α > 1: one, or one for each row if `alphaPerRow`, in double precision.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - alphaPerRow: is there an α for each row, in the order of the rows?
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: optional output, shaped as `p`; may be `gradOutput` itself.
///   - gradAlpha: optional output, `[outer, inner]`: grad_α of each row, also where all share one α.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Correia et al. 2019, Adaptively Sparse Transformers.
func entmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ alpha: UnsafePointer<Double>?, _ gradOutput: UnsafePointer<S>?, _ alphaPerRow: Bool,
  _ outer: Int, _ classes: Int, _ inner: Int, _ gradZ: UnsafeMutablePointer<S>?, _ gradAlpha: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 && (alphaPerRow || alpha == nil) { return .ok }
  guard let alpha else { return .nullPointer }
  guard areExponents(alpha, alphaPerRow ? shape.rows : 1) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let p, let gradOutput else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: p, second: gradOutput, perClass: nil, output: gradZ),
    EntmaxVjp<S.Vector>(alpha: alpha[0], alphas: alphaPerRow ? alpha : nil, gradAlpha: gradAlpha))
  return .ok
}

/// Are all of them finite and > 1?
private func areExponents(_ alpha: UnsafePointer<Double>, _ count: Int) -> Bool {
  for i in 0..<count where !(alpha[i] > 1 && alpha[i] < .infinity) { return false }
  return true
}

private struct SquareRoots<V: Lanes>: SupportWeights {
  @inline(__always) func weight(_ p: V) -> V { p.squareRoot }
}

private struct EntmaxVjp<V: Lanes>: RowKernel {
  let alpha: Double
  let alphas: UnsafePointer<Double>?
  let gradAlpha: UnsafeMutablePointer<V.Element>?
  static var usesSecond: Bool { true }
  var empty: Void { () }

  /// k.c is 2 − α.
  @inline(__always) private func s(_ p: DoubleLanes, _ k: WideRow) -> DoubleLanes {
    AnyPower<V>.power(DoubleLanes.max(DoubleLanes.zero, p), k.c)
  }

  @inline(__always) private func entropy(_ p: DoubleLanes) -> DoubleLanes {
    DoubleLanes.select(p .<= DoubleLanes.zero, DoubleLanes.zero, p * DoubleLanes.log(p))
  }

  @inline(__always) private func times(_ s: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes {
    DoubleLanes.select((s .== DoubleLanes.zero) | (s .== -DoubleLanes.infinity), DoubleLanes.zero, s * g)
  }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    var k = SimplexThreshold<V, FirstPower, FirstPower>(alpha: alpha, alphas: alphas).start(V.zero, tile.rows)
    k.forEachHalf { half, _ in half.c = DoubleLanes.one - half.b }
    // k.d = ⟨q, g⟩
    tile.withSums(&k, { p, g, k in
      let s = self.s(p, k)
      return (s, times(s, g))
    }) { half, sums, _ in half.d = sums.second / sums.first }
    if let gradAlpha {
      // k.a = Σ_j p_j log p_j;  k.e = grad_α
      tile.withSums(&k, { p, _, _ in (entropy(p), DoubleLanes.zero) }) { half, sums, _ in half.a = sums.first }
      tile.withSums(&k, { p, g, _ in (times(p, g), times(entropy(p), g)) }) { half, sums, _ in
        half.e = ((sums.first - half.d) / half.b - (sums.second - half.d * half.a)) / half.b
      }
      k.narrowed { $0.e }.store(gradAlpha + tile.firstRow, lanes: tile.count)
    }
    tile.wideMap(k) { p, g, k in
      let s = self.s(p, k)
      return times(s, g - k.d)
    }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
