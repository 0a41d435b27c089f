/// Cross-entropy of probabilities, clamped, and integer targets.
///
///     L = −log clamp(r_y, eps, 1 − eps),   r = p / Σ_k p_k, or p itself
///
/// - Parameters:
///   - p: probabilities, `[outer, classes, inner]`, > 0. Not checked.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - eps: in (0, ½), default 1e-7: probabilities are clamped to [eps, 1 − eps], and have gradient 0 outside.
///   - normalize: divide by the sum of the row; default true. A row of sum 0 gives NaN.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `p`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: keras.losses.categorical_crossentropy with from_logits=False.
func crossEntropyFromProbs<S: Scalar>(
  _ p: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ eps: Double, _ normalize: Bool, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard eps > 0, eps < 0.5 else { return .invalidParameter }
  return rowLoss(
    IndexCrossEntropy<S.Vector>(clamped: ClampedLogarithm(eps), normalize: normalize), p, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Cross-entropy of probabilities, clamped, and dense targets.
///
///     L = −Σ_k t_k log clamp(r_k, eps, 1 − eps),   r = p / Σ_k p_k, or p itself
///
/// - Parameters:
///   - p: probabilities, `[outer, classes, inner]`, > 0. Not checked.
///   - target: t, shaped as `p`: the weight of each class, usually probabilities. Not checked.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - eps: in (0, ½), default 1e-7: probabilities are clamped to [eps, 1 − eps], and have gradient 0 outside.
///   - normalize: divide by the sum of the row; default true. A row of sum 0 gives NaN.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `p`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: keras.losses.categorical_crossentropy with from_logits=False.
func crossEntropyFromProbsDense<S: Scalar>(
  _ p: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ eps: Double,
  _ normalize: Bool, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard eps > 0, eps < 0.5 else { return .invalidParameter }
  return rowLoss(
    DenseCrossEntropy<S.Vector>(clamped: ClampedLogarithm(eps), normalize: normalize), p, dense: target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// −log clamp(r, eps, 1 − eps), from r and from 1 − r, which holds more digits where r > ½.
private struct ClampedLogarithm<V: Lanes> {
  private let eps: V

  init(_ eps: Double) { self.eps = V(eps) }

  @inline(__always) func callAsFunction(_ r: V, complement: V) -> V {
    let fromOne = -V.log1p(-V.max(eps, complement))
    return V.select(r .< V(0.5), fromZero(r), fromOne)
  }

  /// The same for r that is exact, or at most ½.
  @inline(__always) func fromZero(_ r: V) -> V { -V.log(V.max(eps, V.min(V.one - eps, r))) }

  @inline(__always) func isInside(_ r: V, complement: V) -> V.Integers { (eps .<= r) & (eps .<= complement) }
}

private struct IndexCrossEntropy<V: Lanes>: RowLoss {
  let clamped: ClampedLogarithm<V>
  let normalize: Bool
  static var derivesTargetApart: Bool { true }

  /// dL/dp_j = 1/S − [j = y]/p_y, or −[j = y]/p_y
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let others = tile.sum(k, keep: false) { e, k in V.select(e.classes .== k.target, V.zero, e.x) }
    let own = tile.inputs(at: k.target)
    let sum = own + others
    let undefined = V.zero * sum  // 0, or NaN
    let r = normalize ? own / sum : own
    let complement = normalize ? others / sum : V.one - own
    let inside = V.select(clamped.isInside(r, complement: complement), scale, V.zero) + undefined
    k.a = normalize ? inside / sum : undefined
    k.atTarget = normalize ? -inside * complement / own : -inside / own
    return clamped(r, complement: complement) + undefined
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { k.a }
}

private struct DenseCrossEntropy<V: Lanes>: RowLoss {
  let clamped: ClampedLogarithm<V>
  let normalize: Bool
  static var usesSecond: Bool { true }

  /// dL/dp_j = (T − t_j/r_j [r_j inside])/S with the sum T of the t inside, or −t_j/p_j
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = tile.maximum()
    let (below, atMaximum) = tile.sums(k, keep: false) { e, k in
      let isMaximum = e.x .== k.a
      return RowTerms(first: V.select(isMaximum, V.zero, e.x), second: V.select(isMaximum, V.one, V.zero))
    }
    let besides = V.fma(atMaximum - V.one, k.a, below)
    let sum = normalize ? besides + k.a : V.one
    k.b = V.one / sum
    k.c = normalize ? besides * k.b : V.one - k.a
    k.d = clamped(k.a * k.b, complement: k.c)
    let (value, inside) = tile.sums(k, keep: false) { e, k in
      let (r, complement) = share(e, k)
      let loss = V.select(e.x .== k.a, k.d, clamped.fromZero(r))
      return RowTerms(
        first: V.select(e.y .== V.zero, V.zero, e.y * loss),
        second: V.select(clamped.isInside(r, complement: complement), e.y, V.zero))
    }
    let undefined = V.zero * (besides + k.a)  // 0, or NaN
    k.e = scale * k.b + undefined
    k.f = normalize ? inside * k.e : undefined
    return value + undefined
  }

  @inline(__always) private func share(_ e: RowElements<V>, _ k: RowConstants<V>) -> (r: V, complement: V) {
    let r = e.x * k.b
    return (r, V.select(e.x .== k.a, k.c, V.one - r))
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let (r, complement) = share(e, k)
    let isInside = clamped.isInside(r, complement: complement) & (e.y .!= V.zero)
    return k.f - V.select(isInside, e.y / r, V.zero) * k.e
  }
}
