/// Categorical hinge loss: the best other class, but at least 0, should stay 1 below the target.
///
///     L = max(0, 1 + max(0, max_{k≠y} z_k) − z_y)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`. Derivatives at kinks are 0; of equal classes the lowest one counts.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: keras.losses.CategoricalHinge.
func categoricalHinge<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(CategoricalHinge<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct CategoricalHinge<V: Lanes>: SparseRowLoss {
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let rival = tile.bestRival(k.target)
    let difference = V.exactSum(V.max(V.zero, rival.logit), -own)
    let value = V.max(V.zero, (difference.sum + V.one) + difference.error)
    if keep {
      let slope = V.select(value .> V.zero, scale, V.zero).undefined(where: value)
      let rivalSlope = V.select(rival.logit .<= V.zero, V.zero, slope).undefined(where: value)
      tile.writeTwoClassGradient(k.target, rival: rival.class, slope: slope, rivalSlope: rivalSlope)
    }
    return value
  }
}
