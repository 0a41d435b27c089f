// Losses that are divided by their sum over all targets.

/// What a normalized loss is made of: of every class v(p) and ψ = dv/dν with ν = −log p.
protocol NormalizableLoss: DenseRowLoss {
  /// Is it cheaper to keep ψ, and to compute p once more, than the other way round?
  static var keepsPsi: Bool { get }
  /// Does it take p, or ν alone?
  static var usesProbability: Bool { get }
  /// The same for p ≤ ½, where it may be had for less.
  func evaluateUnlikely(_ c: ClassProbability<V>) -> (value: V, psi: V)
}

extension NormalizableLoss {
  static var keepsPsi: Bool { true }
  static var usesProbability: Bool { true }
  @inline(__always) func evaluateUnlikely(_ c: ClassProbability<V>) -> (value: V, psi: V) { evaluate(c) }
}

extension CrossEntropy: NormalizableLoss {
  static var keepsPsi: Bool { false }
}

extension FocalLoss: NormalizableLoss {}

struct NormalizablePower<V: Lanes>: NormalizableLoss {
  static var usesProbability: Bool { false }
  private let power: PowerLoss<V>
  private let exponential: ScaledExponential<V>
  private let inverse: V
  /// Is q so small that p^q is close to 1 for most p?
  private let isFlat: Bool

  init(_ q: Double) {
    power = PowerLoss(q)
    exponential = ScaledExponential(temperature: 1 / q)
    inverse = V(1 / q)
    isFlat = q < 0.1
  }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) { power.evaluate(c) }

  @inline(__always) func evaluateUnlikely(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    if isFlat { return power.evaluate(c) }
    let psi = exponential(-c.nu)
    return ((V.one - psi) * inverse, psi)
  }
}

/// L = v_y/A with A = Σ_k v_k; with a weight, and with another loss of p_y added.
///
///     dL/dz_j = [(1 − L) ψ_y (p_j − [j = y]) − L (p_j Σ_{k≠y} ψ_k − [j ≠ y] ψ_j)] / A
struct NormalizedLoss<F: NormalizableLoss>: RowLoss {
  typealias V = F.V
  private let formula: F
  private let weight: V
  private let added: ProbabilityTerm<V>?
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var derivesTargetApart: Bool { true }

  init(_ formula: F, weight: Double = 1, added: ProbabilityTerm<V>? = nil) {
    self.formula = formula
    self.weight = V(weight)
    self.added = added
  }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let softmax = tile.leadingSoftmax(&k, keep: keep && (F.usesProbability || !F.keepsPsi))
    let target = softmax.target(tile, k)
    k.setSoftmax(softmax, besides: target)
    let rest = tile.sums(k, keep: keep && F.keepsPsi) { e, k in
      let c = formula.evaluateUnlikely(exponential.statistics(e, k, isKept: keep && F.usesProbability))
      let isApart = (e.classes .== k.target) | (e.x .== k.d)
      return RowTerms(
        first: V.select(isApart, V.zero, c.value), second: V.select(isApart, V.zero, c.psi), kept: c.psi)
    }
    let quotient = NormalizedQuotient(formula, softmax, target, k, rest)
    let other: (value: V, psi: V) = added.map { $0.evaluate(target) } ?? (V.zero, V.zero)
    let share = quotient.scaled(weight * scale), psi = other.psi * scale
    k.e = (share.probability + psi) * softmax.reciprocal
    k.f = share.psi
    k.h = share.atLeading + psi * softmax.reciprocal
    k.atTarget = share.atTarget - psi * target.complement
    return V.fma(weight, quotient.value, other.value)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let term = F.keepsPsi ? exponential(e.x - k.a) : e.kept
    let psi = F.keepsPsi ? e.kept : formula.evaluateUnlikely(exponential.statistics(e, k, isKept: true)).psi
    return V.select(e.x .== k.d, k.h, V.fma(term, k.e, psi * k.f))
  }
}

extension RowConstants {
  /// The shift is in `a`; log Σ e^{z − shift}, 1 / Σ e^{z − shift}, and in `d` the most likely class, if it has more than
  /// half of the probability and is not the target: there 1 − p must not be formed by a subtraction.
  @inline(__always) mutating func setSoftmax(_ softmax: LeadingSoftmax<V>, besides target: ClassProbability<V>) {
    b = softmax.mostLikely.nu
    c = softmax.reciprocal
    let isOther = softmax.isMostLikely & (target.probability .< softmax.reciprocal)
    d = V.select(isOther, a, V.nan)
  }
}

extension ScaledExponential {
  /// What `setSoftmax` has made ready, of an element; 1 − p for p ≤ ½.
  @inline(__always)
  func statistics(_ e: RowElements<V>, _ k: RowConstants<V>, isKept: Bool) -> ClassProbability<V> {
    let x = e.x - k.a
    let p = (isKept ? e.kept : self(x)) * k.c
    return ClassProbability(probability: p, complement: V.one - p, nu: k.b - x)
  }
}

/// v_y / Σ_k v_k of a tile's rows, and what its gradient is made of.
struct NormalizedQuotient<V: Lanes> {
  let value: V
  private let inverse: V
  /// The factors of p_j and ψ_j; the gradient at the target and at the class of `RowConstants.setSoftmax`.
  private let probability, atTarget, atLeading: V

  /// - Parameter rest: Σ v and Σ ψ of the other classes.
  @inline(__always)
  init<F: DenseRowLoss>(
    _ formula: F, _ softmax: LeadingSoftmax<V>, _ target: ClassProbability<V>, _ k: RowConstants<V>, _ rest: (V, V)
  ) where F.V == V {
    let own = formula.evaluate(target)
    let leading = formula.evaluate(softmax.mostLikely)
    let isLeading = k.d .== k.d
    let others = rest.0 + V.select(isLeading, leading.value, V.zero)
    let psi = rest.1 + V.select(isLeading, leading.psi, V.zero)
    let sum = own.value + others
    // A masked class has v = ∞: as a target it is the whole sum.
    value = V.select(own.value .== V.infinity, V.one, own.value / sum)
    let complement = V.select(others .== V.infinity, V.one, others / sum)
    inverse = V.one / sum
    let slope = complement * own.psi
    probability = slope - value * psi
    atTarget = -(slope * target.complement + value * (target.probability * psi))
    let p = softmax.reciprocal
    atLeading = V.fma(slope, p, value * (softmax.mostLikely.complement * leading.psi - p * rest.1))
  }

  @inline(__always) func scaled(_ scale: V) -> (probability: V, psi: V, atTarget: V, atLeading: V) {
    let scale = scale * inverse
    return (probability * scale, value * scale, atTarget * scale, atLeading * scale)
  }
}
