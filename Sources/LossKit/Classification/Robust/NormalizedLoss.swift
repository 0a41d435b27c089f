// Losses that are divided by their sum over all targets.

/// What a normalized loss is made of: of every class v(p) and ψ = dv/dν with ν = −log p.
protocol NormalizableLoss: DenseRowLoss {
  /// Is it cheaper to keep ψ, and to compute p once more, than the other way round?
  static var keepsPsi: Bool { get }
  /// v and ψ for p ≤ ½, where they may be had for less.
  associatedtype Unlikely: DenseRowLoss = Self where Unlikely.V == V
  /// nil where they may not.
  var unlikely: Unlikely? { get }
  /// Softmax and sums in one pass, for formulas that know how. With `keep`, keeps e^{z − shift}, and ψ/`psiScale` aside, or
  /// that alone if there is no room.
  func gather(_ tile: RowTile<V>, _ k: inout RowConstants<V>, keep: Bool) -> NormalizedSums<V>?
}

extension NormalizableLoss {
  static var keepsPsi: Bool { true }
  @inline(__always) var unlikely: Self? { nil }
  @inline(__always)
  func gather(_ tile: RowTile<V>, _ k: inout RowConstants<V>, keep: Bool) -> NormalizedSums<V>? { nil }
}

/// What is known of a tile's rows before the gradient: their softmax, the target's, and Σ v and Σ ψ of the classes with p ≤ ½
/// but the target.
struct NormalizedSums<V: Lanes> {
  let softmax: LeadingSoftmax<V>
  let target: ClassProbability<V>
  let rest: (V, V)
  let psiScale: V
}

extension CrossEntropy: NormalizableLoss {
  static var keepsPsi: Bool { false }
}

extension FocalLoss: NormalizableLoss {
  @inline(__always) var unlikely: UnlikelyRootFocalLoss<V>? {
    modulator.isRoot && !detachModulator ? UnlikelyRootFocalLoss() : nil
  }
}

/// √(1 − p) ν and √(1 − p) + ½ p ν / √(1 − p)
struct UnlikelyRootFocalLoss<V: Lanes>: DenseRowLoss {
  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    let inverse = V.reciprocalSquareRoot(ofComplement: c.probability)
    let product = c.probability * inverse
    let power = inverse - product
    // p ν → 0 as p → 0.
    let nu = V.min(V(V.Element.greatestFiniteMagnitude), c.nu)
    return (power * c.nu, V.fma(product, V(0.5) * nu, power))
  }
}

struct NormalizablePower<V: Lanes>: NormalizableLoss {
  private let formula: PowerLoss<V>
  private let power: ScaledExponential<V>
  private let inverse: V
  /// Is Σ p^q never close to the number of classes? Where q is small, p^q is close to 1 for most p.
  private let isSummable: Bool

  init(_ q: Double) {
    formula = PowerLoss(q)
    power = ScaledExponential(temperature: 1 / q)
    inverse = V(1 / q)
    isSummable = q >= 0.25
  }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) { formula.evaluate(c) }

  /// ψ_j = e^{q (z_j − shift)} S^{−q} and Σ v = (n − Σ ψ)/q: what is summed needs no S. One of the maxima, which are 1, may
  /// have more than half of the probability: they are counted.
  @inline(__always)
  func gather(_ tile: RowTile<V>, _ k: inout RowConstants<V>, keep: Bool) -> NormalizedSums<V>? {
    if !isSummable { return nil }
    k.a = V.shift(tile.maximum())
    let constants = k
    let (below, powers, maxima): (V, V, V)
    if keep, let aside = tile.aside {
      (below, powers, maxima) = tile.specialized { sums($0, constants, keep: true, aside: aside, isCommon: true) }
    } else {
      (below, powers, maxima) = sums(tile, k, keep: keep, aside: nil, isCommon: false)
    }
    let softmax = LeadingSoftmax(excess: below + (maxima - V.one))
    let target = softmax.target(tile, k)
    k.setSoftmax(softmax, besides: target)
    let isLeading = k.d .== k.d
    let otherMaxima = maxima - V.select(tile.inputs(at: k.target) .== k.a, V.one, V.zero)
    let psiScale = power(-softmax.mostLikely.nu)
    let psi = (powers + V.select(isLeading, V.zero, otherMaxima)) * psiScale
    let count = V(Double(tile.classes &- 1)) - V.select(isLeading, V.one, V.zero)
    return NormalizedSums(
      softmax: softmax, target: target, rest: ((count - psi) * inverse, psi), psiScale: psiScale)
  }

  /// Σ e^{z − shift} and Σ e^{q (z − shift)} without the maxima, the latter without the target, and how many maxima there are.
  @inline(__always)
  private func sums(
    _ tile: RowTile<V>, _ k: RowConstants<V>, keep: Bool, aside: UnsafeMutablePointer<V.Element>?, isCommon: Bool
  ) -> (V, V, V) {
    let exponential = ScaledExponential<V>(temperature: 1)
    return tile.sumsKeepingTwo(k, keep: keep, aside: aside, isCommon: isCommon) { e, k in
      let x = e.x - k.a
      let isMaximum = e.x .== k.a, isOther = ~(e.classes .== k.target)
      let term = exponential(x), powerOfTerm = power(x)
      return (
        RowTerms(
          first: V.select(isMaximum, V.zero, term), second: V.select(isOther & ~isMaximum, powerOfTerm, V.zero),
          kept: aside == nil ? powerOfTerm : term),
        third: V.select(isMaximum, V.one, V.zero), keptAside: powerOfTerm
      )
    }
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
  static var memory: KernelMemory { F.keepsPsi ? .aside : .none }

  init(_ formula: F, weight: Double = 1, added: ProbabilityTerm<V>? = nil) {
    self.formula = formula
    self.weight = V(weight)
    self.added = added
  }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let sums = formula.gather(tile, &k, keep: keep) ?? sums(tile, &k, keep: keep)
    let (softmax, target) = (sums.softmax, sums.target)
    let quotient = NormalizedQuotient(formula, softmax, target, k, sums.rest)
    let other: (value: V, psi: V) = added.map { $0.evaluate(target) } ?? (V.zero, V.zero)
    let share = quotient.scaled(weight * scale), psi = other.psi * scale
    k.e = (share.probability + psi) * softmax.reciprocal
    k.f = share.psi * sums.psiScale
    k.h = share.atLeading + psi * softmax.reciprocal
    k.atTarget = share.atTarget - psi * target.complement
    return V.fma(weight, quotient.value, other.value)
  }

  /// The softmax first, then the sums.
  @inline(__always)
  private func sums(_ tile: RowTile<V>, _ k: inout RowConstants<V>, keep: Bool) -> NormalizedSums<V> {
    let softmax = tile.leadingSoftmax(&k, keep: keep)
    let target = softmax.target(tile, k)
    k.setSoftmax(softmax, besides: target)
    // Out of the sums stay the target and a class with p > ½: the target gets such a probability.
    if keep && F.keepsPsi { tile.setOutputs(at: k.target, V.infinity) }
    let rest: (V, V)
    if let unlikely = formula.unlikely {
      let constants = k
      rest =
        keep
        ? tile.keepingAside.specialized { sums(unlikely, $0, constants, keep: true, isCommon: true) }
        : sums(unlikely, tile, k, keep: false, isCommon: false)
    } else {
      rest = sums(formula, F.keepsPsi ? tile.keepingAside : tile, k, keep: keep, isCommon: false)
    }
    return NormalizedSums(softmax: softmax, target: target, rest: rest, psiScale: V.one)
  }

  /// Σ v and Σ ψ of the classes with p ≤ ½ but the target.
  @inline(__always)
  private func sums<U: DenseRowLoss>(
    _ formula: U, _ tile: RowTile<V>, _ k: RowConstants<V>, keep: Bool, isCommon: Bool
  ) -> (V, V) where U.V == V {
    tile.sums(k, keep: keep && F.keepsPsi, isCommon: isCommon) { e, k in
      let c = formula.evaluate(exponential.statistics(e, k, kept: keep ? (F.keepsPsi ? e.y : e.kept) : nil))
      let counts = keep && F.keepsPsi ? e.y * k.c .<= V(0.5) : ~((e.classes .== k.target) | (e.x .== k.d))
      return RowTerms(first: V.select(counts, c.value, V.zero), second: V.select(counts, c.psi, V.zero), kept: c.psi)
    }
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let psi = F.keepsPsi ? e.kept : V.one
    return V.select(e.x .== k.d, k.h, V.fma(F.keepsPsi ? exponential(e.x - k.a) : e.kept, k.e, psi * k.f))
  }

  @inline(__always) func differentiate(_ tile: RowTile<V>, _ k: RowConstants<V>) {
    if F.keepsPsi && tile.aside != nil {
      tile.readingAside.addKept(k)
    } else {
      tile.map(k) { e, k in derivative(e, k) }
    }
    tile.setOutputs(at: k.target, k.atTarget)
  }
}

extension RowTile {
  /// What `NormalizedLoss.derivative` is, from e^{z − shift} in the output and ψ in the second input.
  @inline(never) fileprivate func addKept(_ constants: RowConstants<V>) {
    var k = constants
    // e^0: of the class in k.d.
    k.d = V.select(k.d .== k.d, V.one, V.nan)
    specialized { tile in
      tile.map(k, isCommon: true) { e, k in V.select(e.kept .== k.d, k.h, V.fma(e.kept, k.e, e.y * k.f)) }
    }
  }
}

extension RowConstants {
  /// The shift is in `a`; log Σ e^{z − shift}, 1 / Σ e^{z − shift}, and in `d` the most likely class, if it has more than
  /// half of the probability and is not the target: there 1 − p must not be formed by a subtraction.
  @inline(__always) mutating func setSoftmax(_ softmax: LeadingSoftmax<V>, besides target: ClassProbability<V>) {
    b = softmax.mostLikely.nu
    c = softmax.reciprocal
    let isOther = (softmax.reciprocal .> V(0.5)) & (target.probability .< softmax.reciprocal)
    d = V.select(isOther, a, V.nan)
  }
}

extension ScaledExponential {
  /// What `setSoftmax` has made ready, of an element; 1 − p for p ≤ ½.
  ///
  /// - Parameter kept: `e^{z − shift}`, if it is there.
  @inline(__always)
  func statistics(_ e: RowElements<V>, _ k: RowConstants<V>, kept: V?) -> ClassProbability<V> {
    let x = e.x - k.a
    let p = (kept ?? self(x)) * k.c
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
