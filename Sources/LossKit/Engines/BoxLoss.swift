// Losses of pairs of boxes, row by row: a loss states its value and its partial derivatives by the pieces that all are
// made of; the engine has the pieces, the chain rule down to the eight coordinates, weights and reduction.

/// One axis of a pair of boxes. Differences of sizes are sums of differences of coordinates, which cancel least.
struct BoxPairAxis<V: Lanes> {
  let size1, size2: V
  /// size1 − size2, in which the roundings of the sizes are made good.
  let sizeDifference: V
  /// Extent of the intersection, negative where the boxes lie apart; and of the enclosing box.
  let overlap, enclosing: V
  /// By how much each box extends beyond the intersection: size − overlap.
  let excess1, excess2: V
  /// From the first centre to the second.
  let offset: V
  /// The part that box 1 has in the intersection's sides, 1/2 at ties; box 2 has the rest, and in the sides of the
  /// enclosing box it is the other way round.
  let lowShare, highShare: V

  @inline(__always)
  init(_ low1: V, _ high1: V, _ low2: V, _ high2: V) {
    let lowest = V.min(low1, low2), greatestLow = V.max(low1, low2)
    let leastHigh = V.min(high1, high2), highest = V.max(high1, high2)
    let exact1 = V.exactSum(high1, -low1), exact2 = V.exactSum(high2, -low2)
    size1 = exact1.sum
    size2 = exact2.sum
    sizeDifference = (size1 - size2) + (exact1.error - exact2.error)
    overlap = leastHigh - greatestLow
    enclosing = highest - lowest
    excess1 = (high1 - leastHigh) + (greatestLow - low1)
    excess2 = (high2 - leastHigh) + (greatestLow - low2)
    offset = V(0.5) * ((low2 - low1) + (high2 - high1))
    lowShare = Self.share(low2, low1)
    highShare = Self.share(high1, high2)
  }

  /// [a < b] + [a = b] / 2
  @inline(__always) private static func share(_ a: V, _ b: V) -> V {
    V.select(a .< b, V.one, V.select(a .== b, V(0.5), V.zero))
  }
}

/// The pieces of a pair of boxes.
///
///     I    area of the intersection, 0 unless both of its extents are positive
///     D    what the boxes do not share: A1 + A2 − 2I, without that cancellation. U = I + D
///     G    what the enclosing box holds besides them: C − U, likewise
struct BoxPair<V: Lanes> {
  let x, y: BoxPairAxis<V>
  let intersection, difference, gap: V
  /// C.
  let enclosingArea: V
  /// U + ε.
  let union: V
  let epsilon: V
  /// I / (U + ε), and 1 less it.
  let overlap, complement: V
  /// The extents of the intersection, 0 without one.
  fileprivate let width, height: V

  @inline(__always)
  init(_ first: Quads<V>, _ second: Quads<V>, epsilon: V) {
    x = BoxPairAxis(first.a, first.c, second.a, second.c)
    y = BoxPairAxis(first.b, first.d, second.b, second.d)
    let meets = (V.zero .< x.overlap) & (V.zero .< y.overlap)
    width = V.select(meets, x.overlap, V.zero)
    height = V.select(meets, y.overlap, V.zero)
    intersection = width * height
    difference = V.select(
      meets, (x.excess1 * y.size1 + width * y.excess1) + (x.excess2 * y.size2 + width * y.excess2),
      x.size1 * y.size1 + x.size2 * y.size2)
    // Two empty corners; where the boxes lie apart, also what lies between them.
    let corners = x.excess2 * y.excess1 + x.excess1 * y.excess2
    gap = V.select(meets, corners, corners - x.overlap * y.overlap)
    enclosingArea = x.enclosing * y.enclosing
    union = intersection + difference + epsilon
    self.epsilon = epsilon
    overlap = intersection / union
    complement = V.select(union .< V.infinity, (difference + epsilon) / union, V.one - overlap)
  }
}

/// ∂L by the pieces.
struct BoxPartials<V: Lanes> {
  /// By I at fixed D, and by D at fixed I.
  var intersection = V.zero
  var difference = V.zero
  /// By C at fixed G, and by G; or by C at fixed U, and by U.
  var gap = V.zero
  var union = V.zero
  var enclosingArea = V.zero
  var x = BoxPartialsAxis<V>()
  var y = BoxPartialsAxis<V>()

  /// Adds the gradient of −IoU, scaled.
  @inline(__always)
  mutating func subtractOverlap(_ pair: BoxPair<V>, scale: V = V.one) {
    let slope = scale / pair.union
    intersection = intersection - pair.complement * slope
    difference = difference + pair.overlap * slope
  }
}

struct BoxPartialsAxis<V: Lanes> {
  /// By the size of a box, with and without the enclosing box growing as it does: where the two nearly cancel, a loss
  /// can state their sum as it is.
  var inner1 = V.zero
  var outer1 = V.zero
  var inner2 = V.zero
  var outer2 = V.zero
  var offset = V.zero

  /// Adds derivatives by the sizes of the boxes.
  @inline(__always) mutating func addSizes(_ first: V, _ second: V) {
    inner1 = inner1 + first
    outer1 = outer1 + first
    inner2 = inner2 + second
    outer2 = outer2 + second
  }

  /// Adds a derivative by the size of the enclosing box.
  @inline(__always) mutating func addEnclosing(_ slope: V) {
    outer1 = outer1 + slope
    outer2 = outer2 + slope
  }
}

protocol BoxLoss {
  associatedtype V: Lanes
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>)
}

extension BoxPair {
  /// The gradients of both boxes from the partial derivatives.
  @inline(__always)
  fileprivate func gradients(_ p: BoxPartials<V>) -> (Quads<V>, Quads<V>) {
    let (left, right) = slopes(p, p.x, x, across: y, height)
    let (top, bottom) = slopes(p, p.y, y, across: x, width)
    return (Quads(left.0, top.0, right.0, bottom.0), Quads(left.1, top.1, right.1, bottom.1))
  }

  /// By the low and the high coordinates of one axis, each of box 1 and of box 2.
  @inline(__always)
  private func slopes(
    _ p: BoxPartials<V>, _ own: BoxPartialsAxis<V>, _ axis: BoxPairAxis<V>, across: BoxPairAxis<V>, _ overlap: V
  ) -> (low: (V, V), high: (V, V)) {
    /// Of a side that is moved outwards, of the box with this size across; `share` is its part in the intersection's.
    @inline(__always) func outwards(_ share: V, _ size: V, _ inner: V, _ outer: V) -> V {
      let rest = V.one - share
      let inside = share * overlap
      let byOverlap = inside * p.intersection + (size - (inside + inside)) * p.difference
      let outside = rest * across.enclosing
      let byGap = ((outside + inside) - size) * p.gap + (size - inside) * p.union
      let byAreas = byGap + outside * p.enclosingArea
      return (byOverlap + byAreas) + (share * inner + rest * outer)
    }
    let shift = V(0.5) * own.offset
    return (
      (
        -outwards(axis.lowShare, across.size1, own.inner1, own.outer1) - shift,
        shift - outwards(V.one - axis.lowShare, across.size2, own.inner2, own.outer2)
      ),
      (
        outwards(axis.highShare, across.size1, own.inner1, own.outer1) - shift,
        outwards(V.one - axis.highShare, across.size2, own.inner2, own.outer2) + shift
      )
    )
  }
}

/// Value and gradients of a box loss with the arguments of a public function, which are checked first.
@inline(__always)
func boxLoss<L: BoxLoss>(
  _ formula: L, _ boxes1: UnsafePointer<L.V.Element>?, _ boxes2: UnsafePointer<L.V.Element>?, _ count: Int,
  _ epsilon: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<L.V.Element>?,
  _ loss: UnsafeMutablePointer<L.V.Element>?, _ gradBoxes1: UnsafeMutablePointer<L.V.Element>?,
  _ gradBoxes2: UnsafeMutablePointer<L.V.Element>?
) -> Status {
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: nil)
  if let status = answerWithoutWork(boxes1, boxes2, count, epsilon, call) { return status }
  LossSink.run(call, denominator: sumOfSampleWeights(sampleWeight, count)) { sink in
    let split = Split(count, smallest: smallestBoxRowsPart, multiple: L.V.count)
    parallel(
      split.parts,
      BoxLossJob(
        formula: formula, boxes1: boxes1.unsafelyUnwrapped, boxes2: boxes2.unsafelyUnwrapped,
        epsilon: L.V(epsilon), gradBoxes1: gradBoxes1, gradBoxes2: gradBoxes2, sink: sink, split: split))
  }
  return .ok
}

/// What a call returns that is refused, or that has no boxes; nil where there is work to do.
@inline(never)
private func answerWithoutWork<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ epsilon: Double, _ call: LossCall<S>
) -> Status? {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard epsilon >= 0, epsilon < .infinity else { return .invalidParameter }
  if count == 0 { return call.empty }
  guard boxes1 != nil, boxes2 != nil else { return .nullPointer }
  return areWeights(call.sampleWeight, count) ? nil : .invalidValue
}

private struct BoxLossJob<L: BoxLoss>: ParallelJob {
  typealias V = L.V
  let formula: L
  let boxes1, boxes2: UnsafePointer<V.Element>
  let epsilon: V
  let gradBoxes1, gradBoxes2: UnsafeMutablePointer<V.Element>?
  let sink: LossSink<V.Element>
  let split: Split

  @inline(__always) func run(part: Int) {
    var partial = sink.empty
    forEachVector(V.self, split.range(part)) { row, n in
      let pair = BoxPair(Quads(boxes1 + 4 &* row, rows: n), Quads(boxes2 + 4 &* row, rows: n), epsilon: epsilon)
      let (value, partials) = formula.evaluate(pair)
      let weight = sink.call.sampleWeight.map { V.load($0 + row, lanes: n) } ?? V.one
      sink.deposit(value * weight, first: row, count: n, &partial)
      if gradBoxes1 == nil && gradBoxes2 == nil { return }
      let gradients = pair.gradients(partials)
      let scale = weight * sink.gradientScale
      if let gradBoxes1 { gradients.0.scaled(by: scale).store(gradBoxes1 + 4 &* row, rows: n) }
      if let gradBoxes2 { gradients.1.scaled(by: scale).store(gradBoxes2 + 4 &* row, rows: n) }
    }
    sink.finish(partial, part: part)
  }
}
