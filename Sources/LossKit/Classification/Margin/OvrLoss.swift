/// One-versus-rest loss: a logistic loss of every class.
///
///     L = softplus(−z_y) + Σ_{k≠y} softplus(z_k)
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
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Kanai et al. 2023, One-vs-the-Rest Loss to Focus on Important Samples in Adversarial Training.
func ovrLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(OneVersusRest<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// dL/dz_j = σ(z_j) − [j = y]
private struct OneVersusRest<V: Lanes>: ScaledRowLoss {
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let constants = k
    let others = tile.specialized { tile in
      tile.sumWithLogarithms(constants, keep: keep, isCommon: true) { e, k in
        let exponential = V.expOfNonPositive(-e.x.magnitude)
        let isOther = ~(e.classes .== k.target)
        return (
          V.select(isOther, V.max(e.x, V.zero), V.zero), V.select(isOther, exponential, V.zero),
          Logistic(e.x, exponential: exponential).positive
        )
      }
    }
    let s = Logistic(own)
    let value = others.definedLogit + (V.max(-own, V.zero) + s.tail)  // only a logit of +inf makes the others infinite
    k.a = scale.undefined(where: value)
    k.atTarget = -s.negative * k.a
    return value
  }
}
