/// Logarithm of the (weighted) sum of exponentials of each row.
///
///     lse = m + log Σ_j w_j e^{z_j − m},   m = max {z_j : w_j > 0}
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. Entries of weight 0 do not count, whatever they hold. A row of −inf (or of
///     weights 0) gives −inf, a row with +inf gives +inf.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weights: optional, ≥ 0, default 1: one per class, or one per element if `weightsPerElement`.
///   - weightsPerElement: is there a weight for each element, in the order of `z`?
///   - lse: output, one per row.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative or NaN weight.
/// - Reference: torch.logsumexp; scipy.special.logsumexp.
func logsumexp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ weights: UnsafePointer<S>?,
  _ weightsPerElement: Bool, _ lse: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let lse else { return .nullPointer }
  if let weights, !areNonNegative(weights, weightsPerElement ? shape.rows &* classes : classes) { return .invalidValue }
  if let weights, weightsPerElement {
    forEachRowTile(
      shape, RowArrays(first: z, second: weights, perClass: nil, output: nil),
      LogSumExp<S.Vector, ElementWeights<S.Vector>>(lse: lse))
  } else {
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: weights, output: nil),
      LogSumExp<S.Vector, ClassWeights<S.Vector>>(lse: lse))
  }
  return .ok
}

/// Vector-Jacobian product of logsumexp.
///
///     grad_z_j = g w_j e^{z_j − lse}     (0 where lse = −inf)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`.
///   - lse: one per row, what `logsumexp` returned.
///   - gradOutput: g, one per row: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weights: optional, ≥ 0, default 1: one per class, or one per element if `weightsPerElement`.
///   - weightsPerElement: is there a weight for each element, in the order of `z`?
///   - gradZ: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative or NaN weight.
func logsumexpVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ lse: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int,
  _ inner: Int, _ weights: UnsafePointer<S>?, _ weightsPerElement: Bool, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let lse, let gradOutput, let gradZ else { return .nullPointer }
  if let weights, !areNonNegative(weights, weightsPerElement ? shape.rows &* classes : classes) { return .invalidValue }
  if let weights, weightsPerElement {
    mapRows(
      LogSumExpVjp<S.Vector, ElementWeights<S.Vector>>(lse: lse, gradOutput: gradOutput), shape, z, weights,
      output: gradZ)
  } else {
    mapRows(
      LogSumExpVjp<S.Vector, ClassWeights<S.Vector>>(lse: lse, gradOutput: gradOutput), shape, z, perClass: weights,
      output: gradZ)
  }
  return .ok
}

/// Where the weight of an element comes from.
private protocol Weights {
  associatedtype V: Lanes
  static var perElement: Bool { get }
  static func of(_ e: RowElements<V>) -> V
}

private enum ElementWeights<V: Lanes>: Weights {
  static var perElement: Bool { true }
  @inline(__always) static func of(_ e: RowElements<V>) -> V { e.y }
}

private enum ClassWeights<V: Lanes>: Weights {
  static var perElement: Bool { false }
  @inline(__always) static func of(_ e: RowElements<V>) -> V { e.perClass }
}

private struct LogSumExp<V: Lanes, W: Weights>: RowVisitor where W.V == V {
  let lse: UnsafeMutablePointer<V.Element>
  static var usesSecond: Bool { W.perElement }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let k = RowConstants<V>(a: V.shift(tile.maximum { e in V.select(W.of(e) .> V.zero, e.x, -V.infinity) }))
    let sum = tile.sum(k, keep: false) { e, k in
      V.select(W.of(e) .> V.zero, W.of(e) * V.exp(e.x - k.a), V.zero)
    }
    (k.a + V.log(sum)).store(lse + tile.firstRow, first: tile.count)
  }
}

private struct LogSumExpVjp<V: Lanes, W: Weights>: RowMap where W.V == V {
  let lse, gradOutput: UnsafePointer<V.Element>
  static var usesMaximum: Bool { false }
  static var usesSum: Bool { false }
  static var usesSecond: Bool { W.perElement }

  @inline(__always) func constants(_: V, _: V, _ rows: RowSlice) -> (V, V) { (rows.load(lse), rows.load(gradOutput)) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V {
    let counts = (W.of(e) .> V.zero) & (k.0 .!= -V.infinity)
    return V.select(counts, k.1 * W.of(e) * V.exp(e.x - k.0), V.zero)
  }
}
