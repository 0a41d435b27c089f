// Losses of rows of logits whose target is a distribution over the classes: given densely, or an integer target with
// label smoothing.

/// What the engine knows of one class of a row when the formula runs.
struct ClassProbability<V: Lanes> {
  /// p_k, the softmax probability.
  let probability: V
  /// 1 − p_k, computed without cancellation.
  let complement: V
  /// ν_k = −log p_k.
  let nu: V
}

/// A loss `L = Σ_k t_k v(p_k)`. Its gradient is `dL/dz_j = p_j Σ_k t_k ψ_k − t_j ψ_j` with `ψ_k = dv/dν_k`, so the formula
/// states v and ψ of one class and nothing else. A factor per class is part of t.
protocol DenseRowLoss {
  associatedtype V: Lanes
  func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V)
}

/// Where the target weight of a class comes from.
protocol TargetDistribution {
  associatedtype V: Lanes
  static var usesSecond: Bool { get }
  func weight(_ e: RowElements<V>, _ target: V.Integers) -> V
}

/// What label smoothing ls makes of a target: `keep · t + spread`.
private struct LabelSmoothing<V: Lanes> {
  let keep, spread: V

  init(_ labelSmoothing: Double, classes: Int) {
    keep = V(1 - labelSmoothing)
    spread = V(labelSmoothing / Double(classes))
  }
}

/// `(1 − ls) t + ls/C` of dense targets, the second input.
struct DenseTargets<V: Lanes>: TargetDistribution {
  private let smoothing: LabelSmoothing<V>
  static var usesSecond: Bool { true }

  init(labelSmoothing: Double, classes: Int) { smoothing = LabelSmoothing(labelSmoothing, classes: classes) }

  @inline(__always) func weight(_ e: RowElements<V>, _: V.Integers) -> V { V.fma(smoothing.keep, e.y, smoothing.spread) }
}

/// `(1 − ls) [k = y] + ls/C` of integer targets.
struct SmoothedTargets<V: Lanes>: TargetDistribution {
  private let smoothing: LabelSmoothing<V>
  static var usesSecond: Bool { false }

  init(labelSmoothing: Double, classes: Int) { smoothing = LabelSmoothing(labelSmoothing, classes: classes) }

  @inline(__always) func weight(_ e: RowElements<V>, _ target: V.Integers) -> V {
    V.select(e.classes .== target, smoothing.keep + smoothing.spread, smoothing.spread)
  }
}

/// Value and gradient of a loss of rows with a distribution as target.
///
/// - Parameters:
///   - second: the dense targets; nil with `SmoothedTargets`.
///   - targets: the integer targets, already checked; nil with `DenseTargets`.
@inline(__always)
func denseRowLoss<L: DenseRowLoss, D: TargetDistribution>(
  _ loss: L, _ distribution: D, _ shape: RowShape, _ z: UnsafePointer<L.V.Element>,
  second: UnsafePointer<L.V.Element>?, perClass: UnsafePointer<L.V.Element>?, targets: Targets<L.V.Element>?,
  denominator: Double, _ call: LossCall<L.V.Element>
) where D.V == L.V {
  LossSink.run(call, denominator: denominator) { sink in
    forEachRowTile(
      shape, RowArrays(first: z, second: second ?? z, perClass: perClass, output: call.grad),
      DenseRowKernel(loss: loss, distribution: distribution, targets: targets, sink: sink))
  }
}

private struct DenseRowKernel<L: DenseRowLoss, D: TargetDistribution>: RowKernel where D.V == L.V {
  typealias V = L.V
  let loss: L
  let distribution: D
  let targets: Targets<V.Element>?
  let sink: LossSink<V.Element>
  let exponential = ScaledExponential<V>(temperature: 1)
  static var usesSecond: Bool { D.usesSecond }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run<Tile: RowTile>(_ tile: Tile, _ partial: inout LossSink<V.Element>.Partial) where Tile.V == V {
    var row = RowTargets<V>()
    if let targets {
      row = targets.load(tile.rows, sink.call.sampleWeight)
    } else {
      row.counts = ~row.counts
      row.sampleWeight = sink.weights(tile.rows)
    }
    var k = RowConstants<V>(target: row.target)
    let excess = tile.excess(&k, keep: false)
    let sum = V.definedSum(excess + V.one)
    k.b = V.select(sum .== sum, V.log1p(excess), V.nan)
    k.c = V.one / sum

    let value = tile.sum(k, keep: false) { e, k in
      let t = weight(e, k)
      return V.select(t .== V.zero, V.zero, t * loss.evaluate(statistics(e, k)).value)
    }
    // A row without probabilities has no loss, even if no class counts.
    let counted = V.select(row.counts, (value + k.c * V.zero) * row.sampleWeight, V.zero)
    sink.deposit(counted, first: tile.firstRow, count: tile.count, &partial)

    if sink.call.grad == nil { return }
    // dL/dz_j = p_j Σ_{k≠j} t_k ψ_k − (1 − p_j) t_j ψ_j. Where p_j > ½ the common form p_j Σ_k t_k ψ_k − t_j ψ_j would lose
    // digits, so that such a class stays out of the sum. It has the maximum to itself.
    let isMostLikely = excess .< V.one
    k.d = V.select(isMostLikely, k.a, V.nan)
    var ownWeight = V.zero
    if isMostLikely.any {
      ownWeight = tile.sum(k, keep: false) { e, k in
        V.select(e.x .== k.d, weight(e, k), V.zero)
      }
    }
    let rest = tile.sum(k, keep: true) { e, k in
      let t = V.select(e.x .== k.d, V.zero, weight(e, k))
      return V.select(t .== V.zero, V.zero, t * loss.evaluate(statistics(e, k)).psi)
    }
    let complement = excess * k.c
    let mostLikely = ClassProbability(probability: k.c, complement: complement, nu: k.b)
    let own = V.select(ownWeight .== V.zero, V.zero, ownWeight * loss.evaluate(mostLikely).psi)
    let atOwn = rest * k.c - own * complement
    let scale = row.sampleWeight * sink.gradientScale
    k.b = (rest + own) * k.c
    k.c = V.select(row.counts, scale, V.nan)  // NaN marks an ignored row
    k.d = V.select(isMostLikely, atOwn, k.b)
    tile.map(k) { e, k in
      let share = V.select(e.x .== k.a, k.d, exponential(e.x - k.a) * k.b)
      return V.select(k.c .== k.c, (share - e.kept) * k.c, V.zero)
    }
  }

  /// What a class weighs. Where that is 0 the term is skipped, whatever its logit.
  @inline(__always) private func weight(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    distribution.weight(e, k.target) * e.perClass
  }

  /// k: the shift, log Σ e^{z − shift} and 1 / Σ e^{z − shift}.
  @inline(__always) private func statistics(_ e: RowElements<V>, _ k: RowConstants<V>) -> ClassProbability<V> {
    let x = e.x - k.a
    let probability = exponential(x) * k.c
    // Only the maximum can come close to probability 1. Its complement is (Σ − 1)/Σ; Σ − 1 comes back from log Σ.
    let complement = V.select(x .== V.zero, -V.expm1(-k.b), V.one - probability)
    return ClassProbability(probability: probability, complement: complement, nu: k.b - x)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}

extension RowTile {
  /// Σ e^{z − shift} − 1, the shift being the row's maximum, which it leaves in `k.a`. The maximum's term, 1, stays out
  /// of the sum: so 1 − p of the most likely class and log Σ come without cancellation. Where several classes share the
  /// maximum, the others count.
  ///
  /// - Parameter keep: keep `e^{z − shift}` in the output; 0 at the maximum.
  @inline(__always) func excess(_ k: inout RowConstants<V>, keep: Bool) -> V {
    let exponential = ScaledExponential<V>(temperature: 1)
    let highest = maximum { $0.x }
    k.a = V.shift(highest)
    var found = V.Integers(0)
    let below = sum(k, keep: keep) { e, k in
      let isMaximum = e.x .== k.a
      found = found &- isMaximum
      return V.select(isMaximum, V.zero, exponential(e.x - k.a))
    }
    // As many maxima as rows: one each, and the pass that counts them is spared.
    let areFinite = !(V.infinity .<= highest.magnitude).any
    if areFinite && V(found).sum == V.Element(count) { return below }
    let atMaximum = sum(k, keep: false) { e, k in V.select(e.x .== k.a, V.one, V.zero) }
    return below + (atMaximum - V.one)
  }
}
