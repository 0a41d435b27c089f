// Terms that several box losses have, each with its gradient.

extension BoxPair {
  /// log IoU, from the side that does not cancel.
  @inline(__always) var logarithmOfOverlap: V {
    V.select(overlap .< V(0.5), V.log(overlap), V.log1p(-complement))
  }
}

/// A term of a loss, a function of the pieces of a pair of boxes.
protocol BoxLossTerm {
  associatedtype V: Lanes
  init(_ pair: BoxPair<V>)
  var value: V { get }
  /// Adds the term's derivatives, scaled.
  func add(to partials: inout BoxPartials<V>, scale: V)
}

/// L = 1 − IoU + term
struct OverlapLoss<Term: BoxLossTerm>: BoxLoss {
  typealias V = Term.V

  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    let term = Term(pair)
    var partials = BoxPartials<V>()
    partials.subtractOverlap(pair)
    term.add(to: &partials, scale: V.one)
    return (pair.complement + term.value, partials)
  }
}

/// (C − U) / (C + ε)
struct EnclosingGap<V: Lanes>: BoxLossTerm {
  let value: V
  private let inverse, unionFraction: V

  @inline(__always) init(_ pair: BoxPair<V>) {
    inverse = V.one / (pair.enclosingArea + pair.epsilon)
    value = pair.gap * inverse
    unionFraction = pair.union * inverse
  }

  @inline(__always) func add(to partials: inout BoxPartials<V>, scale: V) {
    let factor = scale * inverse
    // ∂/∂C at fixed G is −G / (C + ε)², at fixed U it is (U + ε) / (C + ε)²: the smaller of them does not cancel.
    let isWide = V(0.5) .< value
    partials.gap = partials.gap + V.select(isWide, V.zero, factor)
    partials.union = partials.union - V.select(isWide, factor, V.zero)
    partials.enclosingArea = partials.enclosingArea + factor * V.select(isWide, unionFraction, -value)
  }
}

/// ρ² / c²,  ρ² = dx² + dy²,  c² = cw² + ch² + ε
struct CentreDistance<V: Lanes>: BoxLossTerm {
  let value: V
  private let x, y: (byOffset: V, byEnclosing: V)

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

  @inline(__always) func add(to partials: inout BoxPartials<V>, scale: V) {
    partials.x.offset = partials.x.offset + scale * x.byOffset
    partials.y.offset = partials.y.offset + scale * y.byOffset
    partials.x.addEnclosing(scale * x.byEnclosing)
    partials.y.addEnclosing(scale * y.byEnclosing)
  }
}

/// v = (4/π²) Δ²,  Δ = atan2(w2, h2) − atan2(w1, h1)
struct AspectDifference<V: Lanes>: BoxLossTerm {
  let value: V
  private let bySize1, bySize2: (width: V, height: V)

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

  @inline(__always) func add(to partials: inout BoxPartials<V>, scale: V) {
    partials.x.addSizes(scale * bySize1.width, scale * bySize2.width)
    partials.y.addSizes(scale * bySize1.height, scale * bySize2.height)
  }

  /// α = v / (1 − IoU + v + ε)
  @inline(__always) func weight(_ pair: BoxPair<V>) -> V { value / (pair.complement + value + pair.epsilon) }
}
