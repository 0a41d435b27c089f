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

extension RowElements {
  /// The logits, but of the target −inf, and +inf for what is undefined.
  @inline(__always) fileprivate func rival(_ target: V.Integers) -> V {
    V.select(classes .== target, -V.infinity, x.orUndefined)
  }
}

extension RowTile {
  /// The logits of the rows' targets; NaN where they are undefined, or where all classes of the row are masked.
  @inline(__always) func targetLogits(_ target: V.Integers) -> V {
    let x = inputs(at: target).definedLogit
    let isMasked = x .== -V.infinity
    return isMasked.any ? V.select(isMasked & rowsWithoutClasses(self), V.nan, x) : x
  }

  /// The best logit of each row beside the target's, and the lowest class that has it: −inf where there is none, NaN where
  /// a logit is undefined.
  @inline(never) func bestRival(_ target: V.Integers) -> (logit: V, class: V.Integers) {
    let best = specialized { tile in tile.highest(RowConstants(target: target)) { e, k in e.rival(k.target) } }
    return (best.value.definedLogit, best.class)
  }

  /// The same without its class.
  @inline(never) func bestRivalLogit(_ target: V.Integers) -> V {
    specialized { tile in
      tile.maximum(RowConstants(target: target), isCommon: true) { e, k in e.rival(k.target) }
    }.definedLogit
  }

  /// Writes the gradient of a loss that depends on two classes of a row: the target and a rival.
  ///
  /// - Parameters:
  ///   - slope: the derivative for the rival, and less that for the target; NaN makes the whole row NaN.
  ///   - rivalSlope: where that of the rival is another.
  @inline(never)
  func writeTwoClassGradient(_ target: V.Integers, rival: V.Integers, slope: V, rivalSlope: V? = nil) {
    let k = RowConstants<V>(a: V.zero.undefined(where: slope))
    specialized { $0.map(k, isCommon: true) { _, k in k.a } }
    scatter(rivalSlope ?? slope, at: rival)
    scatter(V.zero - slope, at: target)
  }
}

/// Which rows are all −inf? Out of line, because it is rare.
@inline(never) private func rowsWithoutClasses<V: Lanes>(_ tile: RowTile<V>) -> V.Integers {
  tile.maximum { $0.x.orUndefined } .== -V.infinity
}
