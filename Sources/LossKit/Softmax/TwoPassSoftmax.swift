/// Softmax in two passes over the data instead of three: of rows that no cache holds each pass costs a trip to memory.
///
///     p_i = v_i / m · 2^{n_i − e},   e^{z_i} = v_i · 2^{n_i},   Σ_j e^{z_j} = m · 2^e
///
/// Exponentials are held as numbers with an exponent of their own, which cannot overflow, so that no maximum has to be known
/// before they are added.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf, or of −inf
///     alone, gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Dukhan & Ablavatski 2020, The Two-Pass Softmax Algorithm.
func twoPassSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  forEachRowTile(shape, RowArrays(first: z, second: z, perClass: nil, output: p), TwoPassSoftmax<S.Vector>(temperature: 1))
  return .ok
}

/// Sum of the exponentials of each row, as a number with an exponent of its own: nothing overflows.
///
///     Σ_j e^{z_j} = m · 2^e,   e = max_j round(z_j · log₂ e),   1/√2 ≤ m ≤ √2 · classes
///
/// log Σ e^{z} = ln m + e · ln 2.
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. A row of −inf gives (0, −inf); one with NaN or +inf gives NaN. Beyond 2^19 (f32)
///     or 2^40 (f64) the mantissa has fewer good digits, as z itself has after its point.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - mantissa: output, one per row: m.
///   - exponent: output, one per row: e, integral.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Dukhan & Ablavatski 2020, The Two-Pass Softmax Algorithm.
func extexpSum<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ mantissa: UnsafeMutablePointer<S>?,
  _ exponent: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let mantissa, let exponent else { return .nullPointer }
  forEachRowTile(
    shape, RowArrays(first: z, second: z, perClass: nil, output: nil),
    ExtendedSum<S.Vector>(mantissa: mantissa, exponent: exponent))
  return .ok
}

private struct ExtendedSum<V: Lanes>: RowVisitor {
  let mantissa, exponent: UnsafeMutablePointer<V.Element>

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let exponential = ScaledExponential<V>(temperature: 1)
    var total = tile.extendedSum(exponential)
    let isGood = total.isGood
    if !isGood.isTrue(first: tile.count) {
      // From the row's maximum m, as e^m · Σ e^{z − m}.
      let maximum = tile.maximum()
      let shift = V.shift(maximum)
      let sum = V.definedSum(tile.sum(RowConstants(a: shift), keep: false) { e, k in exponential(e.x - k.a) })
      let (v, n) = exponential.parts(shift)
      let isNothing = maximum .== -V.infinity
      let e = V.select(isNothing, -V.infinity, n)
      total.mantissa = V.select(isGood, total.mantissa, v * sum)
      total.exponent = V.select(isGood, total.exponent, V.select(sum.isNaN, V.nan, e))
    }
    tile.rows.store(total.mantissa, mantissa)
    tile.rows.store(total.exponent, exponent)
  }
}
