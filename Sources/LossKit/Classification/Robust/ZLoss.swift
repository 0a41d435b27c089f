/// Z-loss: the softplus of the standardised target logit, invariant to shift and positive scale of the logits.
///
///     μ = mean(z),  σ² = mean((z − μ)²),  z̃ = (z_y − μ)/(σ + ε)   (0 where σ = 0)
///     L = log(1 + e^{a (b − z̃)})/a
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. A row with NaN or an infinity gives NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - a: > 0, default 1.
///   - b: the score at which the loss bends, default 0.
///   - eps: ε ≥ 0, default 1e-12.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: de Brébisson and Vincent 2016, The Z-loss: a shift and scale invariant classification loss belonging
///   to the Spherical Family.
func zLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ a: Double,
  _ b: Double, _ eps: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(a), b.isFinite, eps >= 0, eps < .infinity else { return .invalidParameter }
  return rowLoss(
    ZLoss<S.Vector>(classes: classes, a: a, b: b, eps: eps), z, target, (outer, classes, inner), reduction, sampleWeight,
    loss, grad)
}

private struct ZLoss<V: Lanes>: RowLoss {
  static var derivesTargetApart: Bool { true }
  /// C, 1/C, and 1/(C − 1), or 0.
  private let classes, inverse, inverseOthers: V
  private let a, b, eps: V

  init(classes: Int, a: Double, b: Double, eps: Double) {
    self.classes = V(Double(classes))
    inverse = V(1 / Double(classes))
    inverseOthers = V(classes > 1 ? 1 / Double(classes &- 1) : 0)
    self.a = V(a)
    self.b = V(b)
    self.eps = V(eps)
  }

  /// With d_k = z_k − z_y, the mean d̄ of the other classes and W = Σ_{k≠y} (d_k − d̄)²:
  ///
  ///     z_y − μ = −(C − 1)/C d̄,   C σ² = W + (C − 1)/C d̄²
  ///
  /// Of dL/dz_j = −sigmoid(a (b − z̃))/(σ + ε) [[j = y] − 1/C − z̃ (z_j − μ)/(C σ)] that leaves sums without cancellation.
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = tile.inputs(at: k.target)
    let mean = inverseOthers * tile.sum(k, keep: false) { e, k in e.x - k.a }
    k.b = mean
    let spread = tile.sum(k, keep: false) { e, k in
      let d = (e.x - k.a) - k.b
      return V.select(e.classes .== k.target, V.zero, d * d)
    }
    let below = (V.one - inverse) * mean  // μ − z_y
    let variance = V.fma(below, mean, spread) * inverse
    let deviation = variance.squareRoot
    let isFlat = variance .== V.zero
    let width = deviation + eps
    let u = a * (b - V.select(isFlat, V.zero, -below / width))
    let logistic = Logistic(u)

    // C ([j = y] − 1/C − z̃ (z_j − μ)/(C σ)) = below (d_j − d̄)/(σ (σ + ε)) − lost for j ≠ y, (C − 1) lost for j = y
    let lost = (eps + spread * inverse / deviation) / width
    let g = -logistic.positive / width * (inverse * scale)
    k.c = V.select(isFlat, V.zero, g * (below / (deviation * width)))
    k.d = V.select(isFlat, V.zero, -g * lost)
    k.atTarget = V.select(isFlat, V.zero, g * (classes - V.one) * lost)
    let value = (V.max(u, V.zero) + logistic.tail) / a
    return V.select(variance .== variance, value, V.nan)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.fma(k.c, (e.x - k.a) - k.b, k.d)
  }
}
