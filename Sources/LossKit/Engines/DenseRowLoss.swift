// Losses of rows of logits whose target is a distribution over the classes: given densely, or an integer target with
// label smoothing.

/// A loss `L = Σ_k t_k v(p_k)`. Its gradient is `dL/dz_j = p_j Σ_k t_k ψ_k − t_j ψ_j` with `ψ_k = dv/dν_k`, so the formula
/// states v and ψ of one class and nothing else. A factor per class is part of t.
protocol DenseRowLoss: ProbabilityFormula {}

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
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    var row = RowTargets<V>()
    if let targets {
      row = targets.load(tile.rows, sink.call.sampleWeight)
    } else {
      row.counts = ~row.counts
      row.sampleWeight = sink.weights(tile.rows)
    }
    let keep = sink.call.grad != nil
    var k = RowConstants<V>(target: row.target)
    let softmax = tile.leadingSoftmax(&k, keep: keep)
    k.b = softmax.mostLikely.nu
    k.c = softmax.reciprocal
    // dL/dz_j = p_j Σ_{k≠j} t_k ψ_k − (1 − p_j) t_j ψ_j. Where p_j > ½ the common form p_j Σ_k t_k ψ_k − t_j ψ_j would lose
    // digits, so that such a class stays out of the sum. It has the maximum to itself.
    k.d = V.select(softmax.isMostLikely, k.a, V.nan)
    k.e = softmax.mostLikely.complement
    let (value, rest) = tile.sums(k, keep: keep) { e, k in
      let t = weight(e, k)
      let result = loss.evaluate(statistics(e, k, isKept: keep))
      let psi = V.select(t .== V.zero, V.zero, t * result.psi)
      return RowTerms(
        first: V.select(t .== V.zero, V.zero, t * result.value), second: V.select(e.x .== k.d, V.zero, psi), kept: psi)
    }
    // A row without probabilities has no loss, even if no class counts.
    let counted = V.select(row.counts, (value + k.c * V.zero) * row.sampleWeight, V.zero)
    sink.deposit(counted, first: tile.firstRow, count: tile.count, &partial)

    if sink.call.grad == nil { return }
    var own = V.zero
    if softmax.isMostLikely.any {
      own = tile.sum(k, keep: false) { e, k in V.select(e.x .== k.d, e.kept, V.zero) }
    }
    k.f = rest * k.c - own * k.e
    k.b = (rest + own) * k.c
    k.c = V.select(row.counts, row.sampleWeight * sink.gradientScale, V.nan)  // NaN marks an ignored row
    tile.map(k) { e, k in
      let gradient = V.select(e.x .== k.d, k.f, exponential(e.x - k.a) * k.b - e.kept)
      return V.select(k.c .== k.c, gradient * k.c, V.zero)
    }
  }

  /// What a class weighs. Where that is 0 the term is skipped, whatever its logit.
  @inline(__always) private func weight(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let t = distribution.weight(e, k.target)
    return L.appliesFactor ? t : t * e.perClass
  }

  /// k: the shift, log Σ e^{z − shift}, 1 / Σ e^{z − shift}, and 1 − p where z is the shift.
  @inline(__always)
  private func statistics(_ e: RowElements<V>, _ k: RowConstants<V>, isKept: Bool) -> ClassProbability<V> {
    let x = e.x - k.a
    let probability = (isKept ? e.kept : exponential(x)) * k.c
    // Only the maximum can come close to probability 1.
    let complement = V.select(e.x .== k.a, k.e, V.one - probability)
    return ClassProbability(probability: probability, complement: complement, nu: k.b - x, factor: e.perClass)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}

/// The softmax of a tile's rows, from the side of the most likely class.
struct LeadingSoftmax<V: Lanes> {
  let mostLikely: ClassProbability<V>
  /// 1 / Σ e^{z − shift}; the shift is the row's maximum.
  let reciprocal: V
  /// Has one class more than half of the probability? It has the maximum to itself.
  let isMostLikely: V.Integers

  /// - Parameter excess: Σ e^{z − shift} − 1.
  @inline(__always) init(excess: V) {
    let sum = V.definedSum(excess + V.one)
    reciprocal = V.one / sum
    mostLikely = ClassProbability(
      probability: reciprocal, complement: excess * reciprocal, nu: V.select(sum .== sum, V.log1p(excess), V.nan))
    isMostLikely = excess .< V.one
  }

  /// The statistics at the rows' targets, `k.target`, with the shift in `k.a`.
  @inline(__always)
  func target(_ tile: RowTile<V>, _ k: RowConstants<V>) -> ClassProbability<V> {
    let own = OwnLogit(tile.inputs(at: k.target), shift: k.a)
    let probability = own.exponential * reciprocal
    let (nu, nuRest) = own.below(mostLikely.nu)
    // Only the maximum can come close to probability 1.
    let isLeading = own.exponential .== V.one
    return ClassProbability(
      probability: probability, complement: V.select(isLeading, mostLikely.complement, V.one - probability),
      nu: nu + V.zero * reciprocal, nuRest: nuRest)
  }
}

extension RowTile {
  /// The statistics of softmax. Leaves the shift in `k.a`.
  ///
  /// - Parameter keep: keep `e^{z − shift}` in the output.
  @inline(__always) func leadingSoftmax(_ k: inout RowConstants<V>, keep: Bool) -> LeadingSoftmax<V> {
    let softmax: LeadingSoftmax<V>
    (softmax, k.a) = leadingSoftmax(keep: keep)
    return softmax
  }

  @inline(never) private func leadingSoftmax(keep: Bool) -> (LeadingSoftmax<V>, shift: V) {
    var k = RowConstants<V>()
    let excess = excess(&k, keep: keep) { _, term in term }
    return (LeadingSoftmax(excess: excess), k.a)
  }

  /// Σ e^{z − shift} − 1, the shift being the row's maximum, which it leaves in `k.a`. The maximum's term, 1, stays out
  /// of the sum: so 1 − p of the most likely class and log Σ come without cancellation. Where several classes share the
  /// maximum, the others count.
  ///
  /// - Parameters:
  ///   - keep: keep something in the output?
  ///   - kept: what to keep of classes, of which it is told which have the maximum, and their terms.
  @inline(__always)
  func excess(_ k: inout RowConstants<V>, keep: Bool, _ kept: (V.Integers, V) -> V) -> V {
    let exponential = ScaledExponential<V>(temperature: 1)
    k.a = V.shift(maximum())
    let constants = k
    let (below, atMaximum) = specialized { tile in
      tile.sums(constants, keep: keep, isCommon: true) { e, k in
        let isMaximum = e.x .== k.a
        let term = exponential(e.x - k.a)
        return RowTerms(
          first: V.select(isMaximum, V.zero, term), second: V.select(isMaximum, V.one, V.zero),
          kept: kept(isMaximum, term))
      }
    }
    return below + (atMaximum - V.one)
  }
}
