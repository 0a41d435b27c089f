/// Squentropy: cross-entropy and the mean square of the logits of the other classes.
///
///     L = −log p_y + Σ_{j≠y} z_j²/(C − 1),   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class, which adds nothing.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Hui et al. 2023, Cut your Losses with Squentropy.
func squentropyLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    Squentropy<S.Vector>(inverse: S.Vector(classes > 1 ? 1 / Double(classes &- 1) : 0)), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct Squentropy<V: Lanes>: RowLoss {
  /// 1/(C − 1), or 0.
  let inverse: V
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var derivesTargetApart: Bool { true }

  init(inverse: V) { self.inverse = inverse }

  /// dL/dz_j = p_j − [j = y] + [j ≠ y] 2 z_j/(C − 1)
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let (others, squares) = tile.sums(k, keep: keep) { e, k in
      let isTarget = e.classes .== k.target
      let term = V.select(isTarget, V.zero, exponential(e.x - k.a))
      return RowTerms(
        first: term, second: V.select(isTarget, V.zero, V.squareUnlessMasked(e.x)), kept: term)
    }
    let softmax = tile.targetSoftmax(k, others: others)
    k.b = softmax.reciprocal * scale
    k.c = (inverse + inverse) * scale
    k.atTarget = -softmax.complement * scale
    return V.fma(inverse, squares, softmax.nu)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.fma(e.kept, k.b, k.c * V.zeroIfMasked(e.x))
  }
}
