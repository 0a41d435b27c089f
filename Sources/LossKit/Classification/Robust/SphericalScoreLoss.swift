/// Spherical score loss: one minus the cosine of softmax probabilities and target, a proper scoring rule in [0, 1).
///
///     L = 1 − p_y/|p|,   p = softmax(z),   |p|² = Σ_k p_k²
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Good 1971, Comment on Measuring Information and Uncertainty.
func sphericalScoreLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    SphericalScore<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct SphericalScore<V: Lanes>: RowLoss {
  private let squaredExponential = ScaledExponential<V>(temperature: 0.5)
  static var derivesTargetApart: Bool { true }

  /// dL/dz_j = p_y/|p| (p_j²/|p|² − [j = y])
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let others = tile.sum(k, keep: keep) { e, k in
      V.select(e.classes .== k.target, V.zero, squaredExponential(e.x - k.a))
    }
    let own = OwnLogit(tile.inputs(at: k.target), shift: k.a).exponential
    let square = V.definedSum(V.fma(own, own, others))
    let norm = square.squareRoot
    k.b = own / norm / square * scale
    k.atTarget = -k.b * others
    // 1 − p_y/|p| = (|p|² − p_y²) / (|p| (|p| + p_y))
    return others / (norm * (norm + own))
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { e.kept * k.b }
}
