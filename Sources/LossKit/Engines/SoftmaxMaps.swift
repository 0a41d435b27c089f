// Softmax of a score of each element, and its vector-Jacobian products: the maps that softmax and its relatives share.

/// What a softmax is taken of.
protocol SoftmaxScore {
  associatedtype V: Lanes
  /// Which elements take part: all, unless stated. The others are 0, and so are rows in which nothing takes part or all
  /// that does is −inf.
  static var isMasked: Bool { get }
  static func takesPart(_ e: RowElements<V>) -> V.Integers
  /// Is it the element itself?
  static var isElement: Bool { get }
  static func of(_ e: RowElements<V>) -> V
}

extension SoftmaxScore {
  static var isMasked: Bool { false }
  static var isElement: Bool { false }
  @inline(__always) static func takesPart(_ e: RowElements<V>) -> V.Integers { V.Integers(-1) }
  @inline(__always) static func of(_ e: RowElements<V>) -> V { e.x }
}

/// p = e^{(s − m)/T} / Σ e^{(s − m)/T},  m = max s
struct SoftmaxMap<Score: SoftmaxScore>: RowMap {
  typealias V = Score.V
  let exponential: ScaledExponential<V>
  static var keepsTerms: Bool { true }
  static var hasScore: Bool { Score.isMasked || !Score.isElement }
  static var isCommon: Bool { !hasScore }

  init(temperature: Double) { exponential = ScaledExponential(temperature: temperature) }

  @inline(__always) func score(_ e: RowElements<V>) -> V {
    Score.isMasked ? V.select(Score.takesPart(e), Score.of(e), -V.infinity) : Score.of(e)
  }

  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { exponential(score(e) - m) }

  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) {
    let inverse = V.one / V.definedSum(sum)
    return (Score.isMasked ? V.select(sum .== V.zero, V.zero, inverse) : inverse, V.zero)
  }

  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V {
    let p = e.kept * k.0
    return Score.isMasked ? V.select(Score.takesPart(e), p, V.zero) : p
  }
}

/// scale · p ⊙ (g − ⟨p, g⟩);  x is p, y is g.
struct SoftmaxVjpMap<V: Lanes>: RowMap {
  let scale: V
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.x * e.y }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.x * (e.y - k.0) * scale }
}

/// The score that is the element itself.
struct PlainScore<V: Lanes>: SoftmaxScore {
  static var isElement: Bool { true }
}
