/// Two different normalized losses, weighted and added: a rare pair, chosen at run time.
struct NormalizedPair<V: Lanes>: RowLoss {
  let first, second: ProbabilityTerm<V>
  private let exponential = ScaledExponential<V>(temperature: 1)
  static var derivesTargetApart: Bool { true }

  init(first: ProbabilityTerm<V>, second: ProbabilityTerm<V>) {
    self.first = first
    self.second = second
  }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let softmax = tile.leadingSoftmax(&k, keep: keep)
    let target = softmax.target(tile, k)
    k.setSoftmax(softmax, besides: target)
    let a = quotient(first, tile, softmax, target, k, keep)
    let b = quotient(second, tile, softmax, target, k, keep)
    let shareA = a.scaled(first.weight * scale), shareB = b.scaled(second.weight * scale)
    k.e = (shareA.probability + shareB.probability) * softmax.reciprocal
    k.f = shareA.psi
    k.g = shareB.psi
    k.h = shareA.atLeading + shareB.atLeading
    k.atTarget = shareA.atTarget + shareB.atTarget
    return V.fma(first.weight, a.value, second.weight * b.value)
  }

  @inline(__always)
  private func quotient(
    _ term: ProbabilityTerm<V>, _ tile: RowTile<V>, _ softmax: LeadingSoftmax<V>, _ target: ClassProbability<V>,
    _ k: RowConstants<V>, _ keep: Bool
  ) -> NormalizedQuotient<V> {
    let formula = UnweightedTerm(term: term)
    let rest = tile.sums(k, keep: false) { e, k in
      let c = formula.evaluate(exponential.statistics(e, k, kept: keep ? e.kept : nil))
      let isApart = (e.classes .== k.target) | (e.x .== k.d)
      return RowTerms(first: V.select(isApart, V.zero, c.value), second: V.select(isApart, V.zero, c.psi))
    }
    return NormalizedQuotient(formula, softmax, target, k, rest)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let c = exponential.statistics(e, k, kept: e.kept)
    let a = first.evaluateUnweighted(c).psi, b = second.evaluateUnweighted(c).psi
    return V.select(e.x .== k.d, k.h, V.fma(e.kept, k.e, V.fma(a, k.f, b * k.g)))
  }
}

private struct UnweightedTerm<V: Lanes>: DenseRowLoss {
  let term: ProbabilityTerm<V>
  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) { term.evaluateUnweighted(c) }
}
