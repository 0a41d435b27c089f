/// Distribution focal loss: cross-entropy of a distribution over bins with a real number as target, which lies between
/// two of them.
///
///     l = min(⌊t⌋, R − 1),  a = l + 1 − t,  b = t − l
///     L = −(a log p_l + b log p_{l+1}),  dL/dz = p − a e_l − b e_{l+1},  p = softmax(z)
///
/// - Parameters:
///   - logits: z, `[rows, bins]`: bins 0 … R, R = bins − 1. −inf is a bin that is never taken; NaN or +inf makes loss
///     and gradient of its row NaN.
///   - target: t, one per row, in [0, R].
///   - rows: ≥ 0.
///   - bins: ≥ 2.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `logits`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Li et al. 2020, Generalized Focal Loss.
func distributionFocalLoss<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ rows: Int, _ bins: Int, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard RowShape(rows, bins, 1) != nil, bins >= 2 else { return .invalidShape }
  if let target {
    guard areWithin(target, rows, 0, S(bins &- 1)) else { return .invalidTarget }
  } else if rows > 0 {
    return .nullPointer
  }
  return rowLoss(
    DistributionFocalLoss<S.Vector>(target: target, lastPair: bins &- 2), logits, dense: logits, (rows, bins, 1),
    reduction, sampleWeight, loss, grad)
}

/// Are all numbers in [low, high] (and none NaN)?
private func areWithin<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int, _ low: S, _ high: S) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n, fill: low)
    bad = bad | ~((S.Vector(low) .<= x) & (x .<= S.Vector(high)))
  }
  return !bad.any
}

private struct DistributionFocalLoss<V: Lanes>: RowLoss {
  let target: UnsafePointer<V.Element>?
  let lastPair: Int

  /// With m = max z and r = Σ e^{z − m} over all but one bin at the maximum: p = e^{z − m} / (1 + r),
  /// L = log(1 + r) + a (m − z_l) + b (m − z_{l+1}), of which no part is negative.
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let t = tile.rows.load(target.unsafelyUnwrapped)
    let floor = t.truncated
    let lower = V.Integers.select(floor .< V.Integers(lastPair), floor, V.Integers(lastPair))
    let b = t - V(lower)
    let a = V(lower &+ V.Integers(1)) - t
    k.a = tile.maximum()
    k.f = V(bits: tile.lowestClass(k) { e, k in e.x .== k.a })
    let rest = tile.sum(k, keep: false) { e, k in V.select(e.classes .== k.f.bits, V.zero, V.exp(e.x - k.a)) }
    let lowerGap = k.a - tile.inputs(at: lower)
    let upperGap = k.a - tile.inputs(at: lower &+ V.Integers(1))
    let value =
      V.log1p(rest) + (V.select(a .== V.zero, V.zero, a * lowerGap) + V.select(b .== V.zero, V.zero, b * upperGap))
    // A maximum that is infinite.
    let defined = V.select(k.a.magnitude .< V.infinity, value, V.nan)
    let isDefined = defined .== defined
    // p − t at the maximum is (1 − t − t r) / (1 + r).
    let best = k.f.bits
    let (own, other) = (
      V.select(best .== lower, a, V.select(best .== lower &+ V.Integers(1), b, V.zero)),
      V.select(best .== lower, b, V.select(best .== lower &+ V.Integers(1), a, V.one))
    )
    let inverse = V.one / (V.one + rest)
    k.b = V.select(isDefined, inverse * scale, V.nan)
    k.c = a * scale
    k.d = b * scale
    k.e = V.select(isDefined, (other - own * rest) * inverse * scale, V.nan)
    k.target = lower
    return defined
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let weight = V.select(
      e.classes .== k.target, k.c, V.select(e.classes .== k.target &+ V.Integers(1), k.d, V.zero))
    return V.select(e.classes .== k.f.bits, k.e, V.exp(e.x - k.a) * k.b - weight)
  }
}
