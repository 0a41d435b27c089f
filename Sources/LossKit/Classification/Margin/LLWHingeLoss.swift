/// Multi-class hinge loss of Lee, Lin and Wahba, for scores with the sum 0 (which is not enforced).
///
///     L = Σ_{k≠y} max(0, z_k + 1/(C − 1))
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`; 0 at the target and at kinks.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lee, Lin and Wahba 2004, Multicategory Support Vector Machines.
func llwHingeLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    LeeLinWahba<S.Vector>(shift: SplitParameter(1 / (Double(classes) - 1))), z, target, (outer, classes, inner),
    smallestClassCount: 2, reduction, sampleWeight, loss, grad)
}

private struct LeeLinWahba<V: Lanes>: RowLoss {
  let shift: SplitParameter<V>

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let sum = tile.sum(k, keep: false) { e, k in
      V.select(e.classes .== k.target, V.zero, V.max(V.zero, shift + e.x.definedLogit))
    }
    let value = sum.undefined(where: own)
    k.a = scale.undefined(where: value)
    k.b = V.zero.undefined(where: value)
    return value
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select((shift + e.x .> V.zero) & ~(e.classes .== k.target), k.a, k.b)
  }
}
