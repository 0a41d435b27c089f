/// Hessian-vector product of cross-entropy by the logits. The Hessian does not depend on the target.
///
///     H = diag(p) − p pᵀ,   out = H v = p ⊙ (v − ⟨p, v⟩),   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - v: shaped as `z`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default none, and sum does the same; mean divides by the number of rows.
///   - out: output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Kiselev and Grabovoy 2024, Unraveling the Hessian: A Key to Smooth Convergence in Loss Function Landscapes.
func softmaxCrossEntropyHvp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ v: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ reduction: Reduction,
  _ out: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows > 0 && out == nil { return .nullPointer }
  return rowLoss(HessianProduct<S.Vector>(), z, dense: v, (outer, classes, inner), reduction, nil, nil, out)
}

/// A loss without a value, of which the product is the gradient.
private struct HessianProduct<V: Lanes>: RowLoss {
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var usesSecond: Bool { true }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let (total, atMaximum) = tile.sums(k, keep: true) { e, k in
      let term = exponential(e.x - k.a)
      return RowTerms(first: term, second: V.select(e.x .== k.a, e.y, V.zero), kept: term)
    }
    let sum = V.definedSum(total)
    // v may be shifted by any number. By its entry at a class with p > ½, nothing cancels there.
    k.b = V.select(sum .< V(2), atMaximum, V.zero)
    k.c = V.one / sum
    k.d = k.c * tile.sum(k, keep: false) { e, k in e.kept * (e.y - k.b) }
    k.c = k.c * scale
    return V.zero
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    e.kept * k.c * ((e.y - k.b) - k.d)
  }
}
