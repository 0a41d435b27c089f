// Fenchel-Young losses of the regularisers that do not make probabilities sparse.

/// Where the target of an element is found.
protocol TargetSource {
  associatedtype V: Lanes
  static var isDense: Bool { get }
  static func target(_ e: RowElements<V>, _ k: RowConstants<V>) -> V
}

enum OneHotTarget<V: Lanes>: TargetSource {
  static var isDense: Bool { false }
  @inline(__always) static func target(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(e.classes .== k.target, V.one, V.zero)
  }
}

enum DenseTarget<V: Lanes>: TargetSource {
  static var isDense: Bool { true }
  @inline(__always) static func target(_ e: RowElements<V>, _: RowConstants<V>) -> V { e.y }
}

/// A loss of every output by itself, summed over the row.
protocol OutputFormula {
  associatedtype V: Lanes
  /// - Parameter isOneHot: is t 0 or 1?
  func value(_ z: V, _ t: V, isOneHot: Bool) -> V
  func derivative(_ z: V, _ t: V) -> V
}

/// |z − t|²/2
struct SquaredError<V: Lanes>: OutputFormula {
  /// A masked class takes no part.
  @inline(__always) private func difference(_ z: V, _ t: V) -> V {
    V.select((z .== -V.infinity) & (t .== V.zero), V.zero, z - t)
  }
  @inline(__always) func value(_ z: V, _ t: V, isOneHot: Bool) -> V {
    let d = difference(z, t)
    return V(V.Element(0.5)) * d * d
  }
  @inline(__always) func derivative(_ z: V, _ t: V) -> V { difference(z, t) }
}

/// t log(t/σ(z)) + (1 − t) log((1 − t)/σ(−z))
struct BinaryDivergence<V: Lanes>: OutputFormula {
  @inline(__always) private func times(_ t: V, _ x: V) -> V { V.select(t .== V.zero, V.zero, t * x) }
  @inline(__always) func value(_ z: V, _ t: V, isOneHot: Bool) -> V {
    if isOneHot { return V.softplus(V.select(t .== V.zero, z, -z)) }
    let rest = V.one - t
    return times(t, V.softplus(-z) + V.log(t)) + times(rest, V.softplus(z) + V.log(rest))
  }
  @inline(__always) func derivative(_ z: V, _ t: V) -> V {
    V.select(t .== V.one, -V.sigmoid(-z), V.sigmoid(z) - t)
  }
}

/// The formula as a loss of rows. A row with +inf, or of −inf alone, has none.
struct OutputLoss<F: OutputFormula, T: TargetSource>: RowLoss where F.V == T.V {
  typealias V = F.V
  let formula: F
  static var usesSecond: Bool { T.isDense }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let isDefined = tile.maximum().magnitude .< V.infinity
    let sum = tile.sum(k, keep: false) { e, k in formula.value(e.x, T.target(e, k), isOneHot: !T.isDense) }
    // One NaN makes all of a row's gradient NaN.
    let isSum = isDefined & (sum .== sum)
    k.a = V.select(isSum, scale, V.nan)
    return V.select(isSum, sum, V.nan)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    k.a * formula.derivative(e.x, T.target(e, k))
  }
}

/// log Σ e^z + Σ t log t − ⟨z, t⟩ of dense targets.
struct ShannonDenseLoss<V: Lanes>: RowLoss {
  let exponential = ScaledExponential<V>(temperature: 1)
  static var usesSecond: Bool { true }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(tile.maximum())
    let sum = V.definedSum(tile.sum(k, keep: keep) { e, k in exponential(e.x - k.a) })
    k.b = V.one / sum
    k.c = scale
    var wide = WideConstants<V>()
    wide.forEachHalf(k.a) { half, shift in half.a = shift }
    wide.forEachHalf(sum) { half, sum in half.b = DoubleLanes.log(sum) }
    let zero = DoubleLanes.zero
    tile.withSums(&wide, { z, t, k in
      (t, DoubleLanes.select(t .== zero, zero, t * (DoubleLanes.log(t) - (z - k.a) + k.b)))
    }) { half, sums, _ in half.c = sums.second + (DoubleLanes.one - sums.first) * (half.a + half.b) }
    return wide.narrowed { $0.c }
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    k.c * (e.kept * k.b - e.y)
  }
}

/// Cross-entropy: the entropy of one class is 0.
struct ShannonTargetLoss<V: Lanes>: TargetRowLoss {
  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) { (row.nu, V.one) }
}
