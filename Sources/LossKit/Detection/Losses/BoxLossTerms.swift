// Terms that several box losses have, each with its gradient.

extension BoxPair {
  /// log IoU, from the side that does not cancel.
  @inline(__always) var logarithmOfOverlap: V {
    V.select(overlap .< V(0.5), V.log(overlap), V.log1p(-complement))
  }
}

/// (C − U) / (C + ε)
struct EnclosingGap<V: Lanes> {
  let value: V
  fileprivate let inverse: V

  @inline(__always) init(_ pair: BoxPair<V>) {
    inverse = V.one / (pair.enclosingArea + pair.epsilon)
    value = pair.gap * inverse
  }
}

/// ρ² / c²,  ρ² = dx² + dy²,  c² = cw² + ch² + ε
struct CentreDistance<V: Lanes> {
  let value: V
  fileprivate let x, y: (byOffset: V, byEnclosing: V)

  @inline(__always) init(_ pair: BoxPair<V>) {
    let diagonal = pair.x.enclosing * pair.x.enclosing + pair.y.enclosing * pair.y.enclosing + pair.epsilon
    let ratio = (pair.x.offset * pair.x.offset + pair.y.offset * pair.y.offset) / diagonal
    @inline(__always) func slopes(_ axis: BoxPairAxis<V>) -> (byOffset: V, byEnclosing: V) {
      let double = V(2) / diagonal
      return (axis.offset * double, -(axis.enclosing * double * ratio))
    }
    value = ratio
    x = slopes(pair.x)
    y = slopes(pair.y)
  }
}

/// v = (4/π²) Δ²,  Δ = atan2(w2, h2) − atan2(w1, h1)
struct AspectDifference<V: Lanes> {
  let value: V
  fileprivate let bySize1, bySize2: (width: V, height: V)

  @inline(__always) init(_ pair: BoxPair<V>) {
    let delta = V.atan2(pair.x.size2, pair.y.size2) - V.atan2(pair.x.size1, pair.y.size1)
    let slope = V(8 / (Double.pi * Double.pi)) * delta
    value = V(0.5) * slope * delta
    bySize1 = Self.slopes(-slope, pair.x.size1, pair.y.size1)
    bySize2 = Self.slopes(slope, pair.x.size2, pair.y.size2)
  }

  /// The gradient of atan2(w, h), scaled: h / (w² + h²) and −w / (w² + h²), 0 for a point.
  @inline(__always) private static func slopes(_ scale: V, _ w: V, _ h: V) -> (width: V, height: V) {
    let square = w * w + h * h
    let factor = V.select(square .== V.zero, V.zero, scale / square)
    return (factor * h, -(factor * w))
  }

  /// α = v / (1 − IoU + v + ε)
  @inline(__always) func weight(_ pair: BoxPair<V>) -> V { value / (pair.complement + value + pair.epsilon) }
}

extension BoxPartials {
  @inline(__always) mutating func add(_ term: EnclosingGap<V>, scale: V = V.one) {
    let factor = scale * term.inverse
    gap = gap + factor
    enclosingArea = enclosingArea - factor * term.value
  }

  @inline(__always) mutating func add(_ term: CentreDistance<V>, scale: V = V.one) {
    x.offset = x.offset + scale * term.x.byOffset
    y.offset = y.offset + scale * term.y.byOffset
    x.enclosing = x.enclosing + scale * term.x.byEnclosing
    y.enclosing = y.enclosing + scale * term.y.byEnclosing
  }

  @inline(__always) mutating func add(_ term: AspectDifference<V>, scale: V) {
    x.size1 = x.size1 + scale * term.bySize1.width
    y.size1 = y.size1 + scale * term.bySize1.height
    x.size2 = x.size2 + scale * term.bySize2.width
    y.size2 = y.size2 + scale * term.bySize2.height
  }
}
