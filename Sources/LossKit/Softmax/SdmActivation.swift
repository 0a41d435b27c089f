/// Similarity-distance-magnitude activation: a softmax whose base and scale say how well the training data know the input.
///
///     p = softmax(λ z),   λ = d · ln b,   b = q_offset + q;   with `logarithm` log p, or log_b p
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class; a row with NaN or +inf, or of −inf alone, gives a row of
///     NaN.
///   - q: similarity, one per row, ≥ 0 and finite; q_offset + q > 1.
///   - d: optional, closeness, one per row, in [0, 1], default 1; 0 gives a uniform row.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - logarithm: the logarithm of the probabilities instead of these; default false.
///   - changeOfBase: divide the logarithm by ln b; default true.
///   - qOffset: finite, default 2.
///   - out: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a q, d or base out of range.
/// - Reference: Schmaltz 2025, Similarity-Distance-Magnitude Activations.
func sdmActivation<S: Scalar>(
  _ z: UnsafePointer<S>?, _ q: UnsafePointer<S>?, _ d: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ logarithm: Bool, _ changeOfBase: Bool, _ qOffset: Double, _ out: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard qOffset.magnitude < .infinity else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let q, let out else { return .nullPointer }
  let scales = SdmScales<S.Vector>(q: q, d: d, offset: qOffset, changeOfBase: changeOfBase)
  guard scales.areValid(shape.rows) else { return .invalidValue }
  let arrays = RowArrays(first: z, second: z, perClass: nil, output: out)
  if logarithm {
    forEachRowTile(shape, arrays, SdmLogSoftmax(scales: scales))
  } else {
    forEachRowTile(shape, arrays, SdmSoftmax(scales: scales))
  }
  return .ok
}

/// Vector-Jacobian product of sdm_activation with respect to z.
///
///     grad_z = λ p ⊙ (g − ⟨p, g⟩);   with `logarithm` λ (g − p Σ_j g_j), divided by ln b with `changeOfBase`
///
/// - Parameters:
///   - q: similarity, one per row, as given to `sdmActivation`.
///   - d: optional, closeness, one per row, as given to `sdmActivation`.
///   - out: `[outer, classes, inner]`, what `sdmActivation` returned.
///   - gradOutput: g, shaped as `out`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - logarithm: as given to `sdmActivation`.
///   - changeOfBase: as given to `sdmActivation`.
///   - qOffset: as given to `sdmActivation`.
///   - gradZ: output, shaped as `out`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a q, d or base out of range.
func sdmActivationVjp<S: Scalar>(
  _ q: UnsafePointer<S>?, _ d: UnsafePointer<S>?, _ out: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?,
  _ outer: Int, _ classes: Int, _ inner: Int, _ logarithm: Bool, _ changeOfBase: Bool, _ qOffset: Double,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard qOffset.magnitude < .infinity else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let q, let out, let gradOutput, let gradZ else { return .nullPointer }
  let scales = SdmScales<S.Vector>(q: q, d: d, offset: qOffset, changeOfBase: changeOfBase)
  guard scales.areValid(shape.rows) else { return .invalidValue }
  let arrays = RowArrays(first: out, second: gradOutput, perClass: nil, output: gradZ)
  if logarithm {
    forEachRowTile(shape, arrays, SdmLogSoftmaxVjp(scales: scales))
  } else {
    forEachRowTile(shape, arrays, SdmSoftmaxVjp(scales: scales))
  }
  return .ok
}

/// What q and d make of each row.
private struct SdmScales<V: Lanes> {
  let q: UnsafePointer<V.Element>
  let d: UnsafePointer<V.Element>?
  let offset: Double
  let changeOfBase: Bool

  func areValid(_ rows: Int) -> Bool {
    for row in 0..<rows {
      let q = q[row].double, d = d.map { $0[row].double } ?? 1
      guard q >= 0, q < .infinity, d >= 0, d <= 1, offset + q > 1 else { return false }
    }
    return true
  }

  /// λ, and what log p is divided by: ln b, or 1. In double: of a base near 1 a float has lost the logarithm.
  @inline(__always) func load(_ rows: RowSlice) -> (lambda: V, divisor: V) {
    let (low, high) = rows.load(q).doubles
    let logarithm = V(base(low), base(high))
    let lambda = d.map { rows.load($0) * logarithm } ?? logarithm
    return (lambda, changeOfBase ? logarithm : V.one)
  }

  @inline(__always) private func base(_ q: DoubleLanes) -> DoubleLanes { DoubleLanes.log(DoubleLanes(offset) + q) }
}

extension RowTile {
  /// Leaves the shift in k.a and λ in k.b, and gives Σ e^{λ(z − m)} and the divisor of log p.
  @inline(__always)
  fileprivate func sdmSum(_ scales: SdmScales<V>, _ k: inout RowConstants<V>, keep: Bool) -> (sum: V, divisor: V) {
    k.a = V.shift(maximum())
    let divisor: V
    (k.b, divisor) = scales.load(rows)
    let sum = sum(k, keep: keep) { e, k in V.exp(sdmExponent(e.x, k)) }
    return (V.select(sum .== V.zero, V.nan, V.definedSum(sum)), divisor)
  }
}

/// λ(z − m); −inf for a masked class, whatever λ.
@inline(__always) private func sdmExponent<V: Lanes>(_ x: V, _ k: RowConstants<V>) -> V {
  V.select(x .== -V.infinity, x, k.b * (x - k.a))
}

private struct SdmSoftmax<V: Lanes>: RowVisitor {
  let scales: SdmScales<V>

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    k.c = V.one / tile.sdmSum(scales, &k, keep: true).sum
    tile.map(k) { e, k in e.kept * k.c }
  }
}

private struct SdmLogSoftmax<V: Lanes>: RowVisitor {
  let scales: SdmScales<V>

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    let (sum, divisor) = tile.sdmSum(scales, &k, keep: false)
    k.c = V.log(sum)
    k.d = divisor
    tile.map(k) { e, k in (sdmExponent(e.x, k) - k.c) / k.d }
  }
}

/// x is p, y is g.
private struct SdmSoftmaxVjp<V: Lanes>: RowVisitor {
  let scales: SdmScales<V>
  static var usesSecond: Bool { true }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>(b: scales.load(tile.rows).lambda)
    k.a = tile.sum(k, keep: false) { e, _ in e.x * e.y }
    tile.map(k) { e, k in k.b * e.x * (e.y - k.a) }
  }
}

/// x is log p times the divisor's inverse, y is g.
private struct SdmLogSoftmaxVjp<V: Lanes>: RowVisitor {
  let scales: SdmScales<V>
  static var usesSecond: Bool { true }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let (lambda, divisor) = scales.load(tile.rows)
    var k = RowConstants<V>(b: lambda / divisor, c: divisor)
    k.a = tile.sum(k, keep: false) { e, _ in e.y }
    tile.map(k) { e, k in k.b * (e.y - V.exp(e.x * k.c) * k.a) }
  }
}
