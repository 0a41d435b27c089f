// Fenchel-Young losses of the regularisers whose maximisers are sparse: Tsallis entropies and norms.
//
//     L(z; t) = Ω*(z) + Ω(t) − ⟨z, t⟩,   dL/dz = p − t,   p = argmax ⟨z, p⟩ − Ω(p) over the simplex
//
// With u_j = b z_j − τ, of which the positive part gives p (see SimplexThreshold), the large terms cancel on paper:
//
//     Tsallis:  L = (1/(α − 1)) [τ (1 − Σ t) + Σ_j B(p_j, t_j) + Σ_j t_j [−u_j]_+],
//               B(p, t) = (1 − 1/α) p^α + t^α/α − t p^{α − 1} ≥ 0
//     norm:     L = τ (1 − Σ t) + ‖t‖_α − Σ_j t_j u_j

/// The part of a Tsallis entropy's loss that depends on its power.
protocol TsallisPower: SimplexPower {
  /// B(1 − ε, 1), with u = (1 − ε)^b.
  static func toOne(_ epsilon: DoubleLanes, _ u: DoubleLanes, _ b: DoubleLanes) -> DoubleLanes
  /// B(p, t), with u = p^b.
  static func between(_ p: DoubleLanes, _ u: DoubleLanes, _ t: DoubleLanes, _ b: DoubleLanes) -> DoubleLanes
}

extension FirstPower: TsallisPower {
  @inline(__always)
  static func toOne(_ epsilon: DoubleLanes, _: DoubleLanes, _: DoubleLanes) -> DoubleLanes {
    DoubleLanes(0.5) * epsilon * epsilon
  }
  @inline(__always)
  static func between(_ p: DoubleLanes, _: DoubleLanes, _ t: DoubleLanes, _: DoubleLanes) -> DoubleLanes {
    DoubleLanes(0.5) * (p - t) * (p - t)
  }
}

extension SecondPower: TsallisPower {
  /// (1 − u)² (2 + u) / 3
  @inline(__always)
  static func toOne(_ epsilon: DoubleLanes, _ u: DoubleLanes, _: DoubleLanes) -> DoubleLanes {
    let rest = epsilon / (DoubleLanes.one + u)
    return rest * rest * (DoubleLanes(2) + u) / DoubleLanes(3)
  }
  @inline(__always)
  static func between(_: DoubleLanes, _ u: DoubleLanes, _ t: DoubleLanes, _: DoubleLanes) -> DoubleLanes {
    let root = t.squareRoot
    return (u - root) * (u - root) * (u + DoubleLanes(2) * root) / DoubleLanes(3)
  }
}

extension AnyPower: TsallisPower {
  @inline(__always)
  static func toOne(_ epsilon: DoubleLanes, _: DoubleLanes, _ b: DoubleLanes) -> DoubleLanes {
    let alpha = DoubleLanes.one + b
    let logarithm = DoubleLanes.log1p(-epsilon)
    let whole = b / alpha * DoubleLanes.expm1(alpha * logarithm) - DoubleLanes.expm1(b * logarithm)
    // Σ_n (n − 1)/n! (α − 1) … (α − n + 1) (−ε)^n, n ≥ 2
    var term = b * epsilon * epsilon * DoubleLanes(0.5)
    var series = term
    for n in 3...9 {
      let n = Double(n)
      term = -term * epsilon * (alpha - DoubleLanes(n - 1)) * DoubleLanes((n - 1) / ((n - 2) * n))
      series = series + term
    }
    return DoubleLanes.select(epsilon .< DoubleLanes(0x1p-7), series, whole)
  }
  @inline(__always)
  static func between(_ p: DoubleLanes, _ u: DoubleLanes, _ t: DoubleLanes, _ b: DoubleLanes) -> DoubleLanes {
    let alpha = DoubleLanes.one + b
    return (b * p * u + power(t, alpha)) / alpha - t * u
  }
}

/// The loss of one class a row.
struct SimplexTargetLoss<V: Lanes, P: SimplexPower, W: TsallisPower>: SparseRowLoss {
  let threshold: SimplexThreshold<V, P, W>
  static var memory: KernelMemory { .candidates }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let logit = tile.inputs(at: k.target)
    var (wide, few) = threshold.solve(tile)
    wide.forEachHalf(scale) { half, scale in half.f = scale }
    let (value, complement) = values(few?.tile ?? tile, logit, wide)
    if keep {
      // As if no class were the target; then the target.
      threshold.write(tile, few, wide)
      tile.setOutputs(at: k.target, -complement * scale)
    }
    return value
  }

  /// The losses and 1 − p_y.
  @inline(__always)
  private func values(
    _ few: RowTile<V>, _ logit: V, _ k: WideConstants<V>
  ) -> (value: V, complement: V) {
    // What is below the maximum is summed by itself: in it 1 − p_y comes without cancellation.
    let sums = few.wideSums(k) { x, _, k in
      let u = SimplexThreshold<V, P, W>.u(x, k)
      let weight = DoubleLanes.select(x .== k.a, DoubleLanes.zero, W.power(u, k.c))
      return (weight * u, weight)
    }
    let logits = logit.doubles
    let low = value(logits.0, k.low, sums.low)
    let high = WideConstants<V>.hasHigh ? value(logits.1, k.high, sums.high) : low
    return (V(low.value, high.value), V(low.complement, high.complement))
  }

  @inline(__always)
  private func value(
    _ logit: DoubleLanes, _ k: WideRow, _ sums: WideSums
  ) -> (value: DoubleLanes, complement: DoubleLanes) {
    let zero = DoubleLanes.zero, one = DoubleLanes.one
    let highest = k.e * W.power(k.d, k.c)
    let below = k.e * sums.second
    // How many classes share the maximum, besides one of them.
    let others = ((one - below) / highest - one + DoubleLanes.roundingShift) - DoubleLanes.roundingShift
    let isMaximum = logit .== k.a
    let signedU = SimplexThreshold<V, P, W>.signedU(logit, k)
    let u = DoubleLanes.max(zero, signedU)
    let probability = k.e * W.power(u, k.c)
    let complement = DoubleLanes.select(isMaximum, below + others * highest, one - probability)
    if threshold.isNorm {
      // 1 − max u, from the other terms of Σ u^α = 1
      let atMaximum = k.d * W.power(k.d, k.c)
      let rest = sums.first + others * atMaximum
      let distance = -DoubleLanes.expm1(DoubleLanes.log1p(-rest) / (k.c + one))
      let missing = DoubleLanes.select(rest .< DoubleLanes(0.5), distance, one - k.d)
      return (missing - (logit - k.a), complement)
    }
    let powers = k.e * sums.first + others * highest * k.d
    let own = DoubleLanes.select(isMaximum, zero, highest * k.d - probability * u)
    let value = (powers + own) / (one + k.b) + (W.toOne(complement, u, k.b) + DoubleLanes.max(zero, -signedU)) / k.b
    return (value, complement)
  }
}

/// The loss of dense targets.
struct SimplexDenseLoss<V: Lanes, P: SimplexPower, W: TsallisPower>: SparseRowLoss {
  let threshold: SimplexThreshold<V, P, W>
  static var memory: KernelMemory { .candidates }
  static var usesSecond: Bool { true }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    var (wide, _) = threshold.solve(tile)
    wide.forEachHalf(scale) { half, scale in half.f = scale }
    let value = values(tile, wide)
    if keep { tile.wideMap(wide) { x, t, k in (SimplexThreshold<V, P, W>.weight(x, k) - t) * k.f } }
    return value
  }

  @inline(__always)
  private func values(_ tile: RowTile<V>, _ constants: WideConstants<V>) -> V {
    var k = constants
    let zero = DoubleLanes.zero, one = DoubleLanes.one
    let isNorm = threshold.isNorm
    tile.withSums(&k, { x, t, k in
      let signedU = SimplexThreshold<V, P, W>.signedU(x, k)
      let u = DoubleLanes.max(zero, signedU)
      let beyond = isNorm ? signedU : signedU - u
      let slack = DoubleLanes.select(t .== zero, zero, t * beyond)
      return (t, isNorm ? -slack : W.between(k.e * W.power(u, k.c), u, t, k.b) - slack)
    }) { half, sums, _ in
      half.f = sums.second / half.b + (half.a - half.d / half.b) * (one - sums.first)
    }
    if isNorm {
      let alpha = DoubleLanes(threshold.alpha)
      tile.withSums(&k, { _, t, _ in (AnyPower<V>.power(t, alpha), zero) }) { half, sums, _ in
        half.f = half.f + DoubleLanes.pow(sums.first, one / alpha)
      }
    }
    return k.narrowed { $0.f }
  }
}
