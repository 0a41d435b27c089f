// What the margin losses share: powers of a hinge, and rows that no logits can be.

/// The power of max(0, u) in a margin loss.
enum HingePower: Int32 {
  /// max(0, u).
  case linear = 1
  /// max(0, u)².
  case squared = 2
}

/// The power of h = max(0, u) and its derivative, which is 0 at the kink.
protocol PowerOfHinge {
  associatedtype V: Lanes
  static func value(_ h: V) -> V
  static func slope(_ h: V) -> V
}

enum LinearHinge<V: Lanes>: PowerOfHinge {
  @inline(__always) static func value(_ h: V) -> V { h }
  @inline(__always) static func slope(_ h: V) -> V { V.select(h .> V.zero, V.one, V.zero) }
}

enum SquaredHinge<V: Lanes>: PowerOfHinge {
  @inline(__always) static func value(_ h: V) -> V { h * h }
  @inline(__always) static func slope(_ h: V) -> V { h + h }
}

extension Lanes {
  /// A logit of +inf is undefined, as NaN is; −inf is a masked class.
  @inline(__always) var definedLogit: Self { Self.select(self .< Self.infinity, self, Self.nan) }

  /// +inf for what is undefined, so that a row's maximum shows it: maxima ignore NaN.
  @inline(__always) var orUndefined: Self { Self.select(self .< Self.infinity, self, Self.infinity) }

  /// NaN where `value` is: what the gradient of an undefined row is multiplied with.
  @inline(__always) func undefined(where value: Self) -> Self { Self.select(value .== value, self, Self.nan) }
}

extension RowTile {
  /// The logits of the rows' targets; NaN where they are undefined, or where all classes of the row are masked.
  @inline(__always) func targetLogits(_ target: V.Integers) -> V {
    var x = V.zero
    for r in 0..<count { x[r] = input(row: r, class: target[r]) }
    x = x.definedLogit
    let isMasked = x .== -V.infinity
    return isMasked.any ? V.select(isMasked & rowsWithoutClasses(self), V.nan, x) : x
  }
  /// The best logit of each row beside the target's: −inf where there is none, NaN where a logit is undefined.
  @inline(__always) func bestRival(_ k: RowConstants<V>) -> V {
    maximum(k) { e, k in V.select(e.classes .== k.target, -V.infinity, e.x.orUndefined) }.definedLogit
  }

  /// The lowest class beside the target that has this logit.
  @inline(__always) func lowestRival(_ k: inout RowConstants<V>, of best: V) -> V.Integers {
    k.a = best
    return lowestClass(k, where: { e, k in (e.x .== k.a) & ~(e.classes .== k.target) })
  }
}

/// Which rows are all −inf? Out of line, because it is rare.
@inline(never) private func rowsWithoutClasses<V: Lanes>(_ tile: RowTile<V>) -> V.Integers {
  tile.maximum { $0.x.orUndefined } .== -V.infinity
}

/// The gradient of a loss that depends on two classes of a row: the target and a rival.
struct TwoClassGradient<V: Lanes> {
  /// Leaves in k what `derivative` needs.
  ///
  /// - Parameters:
  ///   - rival: its class; the target itself where there is none.
  ///   - slope: the derivative for the rival, and less that for the target; NaN makes the whole row NaN.
  ///   - rivalSlope: where that of the rival is another.
  @inline(__always)
  static func prepare(_ k: inout RowConstants<V>, rival: V.Integers, slope: V, rivalSlope: V? = nil) {
    k.a = V.zero - slope
    k.b = V(bits: rival)
    k.c = rivalSlope ?? slope
    k.d = V.zero.undefined(where: slope)
  }

  @inline(__always) static func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(e.classes .== k.target, k.a, V.select(e.classes .== k.b.bits, k.c, k.d))
  }
}
