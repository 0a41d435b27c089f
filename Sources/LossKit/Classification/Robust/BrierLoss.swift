/// Brier loss: the squared distance of softmax probabilities to the target, a proper scoring rule in [0, 2].
///
///     L = Σ_k (p_k − [k = y])²,   p = softmax(z)
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
/// - Reference: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.
func brierLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    BrierLoss<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Brier loss with dense targets.
///
///     L = Σ_k (p_k − t_k)²,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: t, shaped as `z`: the weight of each class, usually probabilities. Not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.
func brierLossDense<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    DenseBrierLoss<S.Vector>(), z, dense: target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct BrierLoss<V: Lanes>: RowLoss {
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var derivesTargetApart: Bool { true }

  /// With E_k = e^{z_k − max}, their sums Σ = E_y + Σ_{k≠y} E_k and Q = Σ_{k≠y} E_k², and p = E/Σ:
  ///
  ///     L = (1 − p_y)² + Q/Σ²
  ///     dL/dz_j = 2 p_j (p_j + p_y (1 − p_y) − Q/Σ²),   dL/dz_y = −2 p_y L
  ///
  /// Where another class than the target has the maximum, its bracket is small. p_j − Q/Σ² is then formed of
  /// T = Σ_{k≠y} E_k (1 − E_k), which has no term of that class, as (E_j − 1)/Σ + (E_y + T)/Σ².
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let own = OwnLogit(tile.inputs(at: k.target), shift: k.a).exponential
    let isLeading = own .== V.one
    k.b = V.select(isLeading, V.zero, V.one)
    k.c = V.select(isLeading, V.one, -V.one)
    let (others, products) = tile.sums(k, keep: keep) { e, k in
      let term = V.select(e.classes .== k.target, V.zero, exponential(e.x - k.a))
      return RowTerms(first: term, second: term * V.fma(k.c, term, k.b), kept: term)
    }
    let softmax = tile.targetSoftmax(k, others: others)
    let r = softmax.reciprocal
    let squares = V.select(isLeading, products, others - products) * r * r
    let value = V.fma(softmax.complement, softmax.complement, squares)

    let isMistaken = (own .< V.one) & (others .< V(2))
    k.b = r
    k.c = V.select(isMistaken, V.one, V.zero)
    k.d = V.fma(
      softmax.probability, softmax.complement, V.select(isMistaken, (own + products) * r * r, -squares))
    k.e = (scale + scale) * r
    k.atTarget = -(scale + scale) * softmax.probability * value
    return value
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    k.e * e.kept * V.fma(k.b, e.kept - k.c, k.d)
  }
}

private struct DenseBrierLoss<V: Lanes>: RowLoss {
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var usesSecond: Bool { true }

  /// dL/dz_j = 2 p_j (δ_j − Σ_k p_k δ_k) with δ = p − t
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let softmax = tile.leadingSoftmax(&k, keep: keep)
    k.c = softmax.reciprocal
    // A class with p_j > ½ stays out of the sum: its bracket is (1 − p_j) δ_j − Σ_{k≠j} p_k δ_k.
    k.d = V.select(softmax.isMostLikely, k.a, V.nan)
    k.e = softmax.mostLikely.complement
    let (value, rest) = tile.sums(k, keep: false) { e, k in
      let (p, delta) = distance(e, k, isKept: keep)
      return RowTerms(first: delta * delta, second: V.select(e.x .== k.d, V.zero, p * delta))
    }
    var own = V.zero
    if softmax.isMostLikely.any {
      own = tile.sum(k, keep: false) { e, k in V.select(e.x .== k.d, distance(e, k, isKept: keep).delta, V.zero) }
    }
    k.b = V.fma(k.c, own, rest)
    k.f = scale + scale
    k.h = k.f * k.c * (k.e * own - rest)
    return value
  }

  /// k: the shift, 1 / Σ e^{z − shift}, and 1 − p where z is the shift.
  @inline(__always)
  private func distance(_ e: RowElements<V>, _ k: RowConstants<V>, isKept: Bool) -> (p: V, delta: V) {
    let p = (isKept ? e.kept : exponential(e.x - k.a)) * k.c
    return (p, V.select(e.x .== k.a, (V.one - e.y) - k.e, p - e.y))
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let (p, delta) = distance(e, k, isKept: true)
    return V.select(e.x .== k.d, k.h, k.f * p * (delta - k.b))
  }
}
