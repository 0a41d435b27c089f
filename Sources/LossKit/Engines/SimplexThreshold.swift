// Projections onto the simplex: each row's threshold τ with Σ_j [b z_j − τ]_+^γ = 1, and what is left above it.
//
//     entmax:   b = α − 1,  γ = 1/(α − 1),  p_j = u_j^γ             (sparsemax is α = 2, entmax15 α = 1.5)
//     normmax:  b = 1,      γ = α/(α − 1),  p_j ∝ u_j^{1/(α − 1)}
//
// with u_j = [b z_j − τ]_+. The unknown is the largest u of the row, `top`, which is in (0, 1]: then
// u_j = [b (z_j − max z) + top]_+, in which nothing large is cancelled, and only logits above max z − 1/b can count.
// Newton's method runs on the γ-norm ‖u‖_γ = 1. That is convex for γ ≥ 1, so that steps from top = 1 on never go past the
// root, and linear where all logits are the same. Of fewer logits `top` is higher: that of the maxima of some parts of a row
// shows which of its logits need not be looked at.

/// The powers of a kind of threshold.
protocol SimplexPower {
  /// `u^exponent` for u ≥ 0.
  static func power(_ u: DoubleLanes, _ exponent: DoubleLanes) -> DoubleLanes
  /// `u^γ` and `u^{γ − 1}`, both 0 where u is.
  static func terms(_ u: DoubleLanes, _ gamma: DoubleLanes) -> (DoubleLanes, DoubleLanes)
  /// `g^{1 − 1/γ}`.
  static func dual(_ g: DoubleLanes, _ gamma: DoubleLanes) -> DoubleLanes
  /// Does the rounding of powers show in the sum of what they give?
  static var isRounded: Bool { get }
  /// Does a step leave an error of no more than its square?
  static var isSmooth: Bool { get }
  /// Is the power a polynomial, which is this one?
  static var isPolynomial: Bool { get }
  static func polynomial<L: Lanes>(_ u: L) -> L
  /// The terms and the dual of a polynomial, in any precision.
  static func polynomialTerms<L: Lanes>(_ u: L) -> (L, L)
  static func polynomialDual<L: Lanes>(_ g: L) -> L
}

extension SimplexPower {
  static var isSmooth: Bool { false }
  static var isPolynomial: Bool { true }
  @inline(__always) static func terms(_ u: DoubleLanes, _: DoubleLanes) -> (DoubleLanes, DoubleLanes) { polynomialTerms(u) }
  @inline(__always) static func dual(_ g: DoubleLanes, _: DoubleLanes) -> DoubleLanes { polynomialDual(g) }
}

/// γ = 1.
enum FirstPower: SimplexPower {
  @inline(__always) static func power(_ u: DoubleLanes, _: DoubleLanes) -> DoubleLanes { u }
  static var isRounded: Bool { false }
  @inline(__always) static func polynomial<L: Lanes>(_ u: L) -> L { u }
  @inline(__always) static func polynomialTerms<L: Lanes>(_ u: L) -> (L, L) { (u, L.select(u .> L.zero, L.one, L.zero)) }
  @inline(__always) static func polynomialDual<L: Lanes>(_: L) -> L { L.one }
}

/// γ = 2.
enum SecondPower: SimplexPower {
  @inline(__always) static func power(_ u: DoubleLanes, _: DoubleLanes) -> DoubleLanes { u * u }
  static var isRounded: Bool { false }
  static var isSmooth: Bool { true }
  @inline(__always) static func polynomial<L: Lanes>(_ u: L) -> L { u * u }
  @inline(__always) static func polynomialTerms<L: Lanes>(_ u: L) -> (L, L) { (u * u, u) }
  @inline(__always) static func polynomialDual<L: Lanes>(_ g: L) -> L { g.squareRoot }
}

/// Any γ > 0, with as many digits as V needs.
enum AnyPower<V: Lanes>: SimplexPower {
  @inline(__always) static func power(_ u: DoubleLanes, _ exponent: DoubleLanes) -> DoubleLanes {
    let isPositive = u .> DoubleLanes.zero
    let nothing = u * DoubleLanes.zero  // or NaN
    if !isPositive.any { return nothing }
    let power = V.count > DoubleLanes.count ? DoubleLanes.powerToFloat(u, exponent) : DoubleLanes.pow(u, exponent)
    return DoubleLanes.select(isPositive, power, nothing)
  }
  @inline(__always) static func terms(_ u: DoubleLanes, _ gamma: DoubleLanes) -> (DoubleLanes, DoubleLanes) {
    let lower = power(u, gamma - DoubleLanes.one)
    return (u * lower, lower)
  }
  @inline(__always) static func dual(_ g: DoubleLanes, _ gamma: DoubleLanes) -> DoubleLanes {
    DoubleLanes.pow(g, DoubleLanes.one - DoubleLanes.one / gamma)
  }
  static var isRounded: Bool { true }
  static var isPolynomial: Bool { false }
  @inline(__always) static func polynomial<L: Lanes>(_ u: L) -> L { u }
  @inline(__always) static func polynomialTerms<L: Lanes>(_ u: L) -> (L, L) { (u, u) }
  @inline(__always) static func polynomialDual<L: Lanes>(_ g: L) -> L { g }
}

/// The threshold of rows. `P` has the power γ, `W` that of the weights, which are `k.e · u^{k.c}` with
/// `u = [k.b (z − k.a) + k.d]_+`.
struct SimplexThreshold<V: Lanes, P: SimplexPower, W: SimplexPower> {
  /// α, or one for each row.
  let alpha: Double
  var alphas: UnsafePointer<Double>?
  /// normmax, or else entmax.
  var isNorm = false
  /// The most steps of Newton's method.
  var steps = 100

  /// What is known of a tile's rows at the beginning; and the logits that can count.
  @inline(__always)
  private func start(_ tile: RowTile<V>) -> (constants: WideConstants<V>, few: Candidates<V>?) {
    let parts = P.isPolynomial ? tile.partialMaxima() : nil
    var k = start(parts?.maximum() ?? tile.maximum(), tile.rows)
    if let parts {
      approach(parts, rows: tile.count, &k, steps: 1)
      // The least of all that rounding may have made of it.
      k.forEachHalf { half, _ in half.d = half.d * DoubleLanes(1 + 0x1p-16) }
    }
    let width = k.narrowed { $0.d / $0.b } * V(Element(1) + 4 * Element.ulpOfOne)
    return (k, tile.candidates(atLeast: k.narrowed { $0.a } - width, placed: !W.isPolynomial))
  }

  /// What is known of rows with these maxima.
  @inline(__always)
  func start(_ maximum: V, _ rows: RowSlice) -> WideConstants<V> {
    var k = WideConstants<V>()
    k.forEachHalf(maximum) { half, m in half.a = m }
    k.forEachHalf { half, first in
      let n = Swift.max(0, Swift.min(DoubleLanes.count, rows.count &- first))
      let alpha = alphas.map { DoubleLanes.load($0 + (rows.first &+ first), first: n, fill: 2) } ?? DoubleLanes(self.alpha)
      let rest = alpha - DoubleLanes.one
      half.b = isNorm ? DoubleLanes.one : rest
      half.c = isNorm ? alpha / rest : DoubleLanes.one / rest
      half.d = DoubleLanes.one
      half.e = DoubleLanes.one
    }
    return k
  }

  typealias Element = V.Element

  @inline(__always) static func u(_ x: DoubleLanes, _ k: WideRow) -> DoubleLanes {
    DoubleLanes.max(DoubleLanes.zero, signedU(x, k))
  }

  @inline(__always) static func signedU(_ x: DoubleLanes, _ k: WideRow) -> DoubleLanes {
    DoubleLanes.fma(x - k.a, k.b, k.d)
  }

  @inline(__always) static func weight(_ x: DoubleLanes, _ k: WideRow) -> DoubleLanes { k.e * W.power(u(x, k), k.c) }

  /// Newton's steps in the precision of the elements, until they are short. For lines across rows.
  @inline(__always)
  private func approach(_ tile: RowTile<V>, rows: Int, _ k: inout WideConstants<V>, steps: Int) {
    let a = k.narrowed { $0.a }, b = k.narrowed { $0.b }
    var top = k.narrowed { $0.d }
    for _ in 0..<steps {
      var first = V.zero, second = V.zero
      for c in 0..<tile.classes {
        let x = V.load(tile.arrays.first + c &* tile.classStride, lanes: tile.count)
        let terms = P.polynomialTerms(V.max(V.zero, V.fma(x - a, b, top)))
        first = first + terms.0
        second = second + terms.1
      }
      let step = (first - P.polynomialDual(first)) / second
      top = top - step
      if !((V(Element(0x1p-10)) * top .< step.magnitude) & V.Integers.first(rows)).any { break }
    }
    k.forEachHalf(top) { half, top in half.d = top }
  }

  /// The thresholds of a tile's rows, `top` in `k.d`, with the weights' exponent in `k.c` and their factor in `k.e`; and
  /// the logits that can count, if they are few.
  @inline(never)
  func solve(_ tile: RowTile<V>) -> (constants: WideConstants<V>, few: Candidates<V>?) {
    // By way of functions that are inlined: closures of one that is not would stay apart, with all that they call.
    var (k, few) = start(tile)
    find(few?.tile ?? tile, rows: tile.count, classes: tile.classes, &k)
    return (k, few)
  }

  /// - Parameters:
  ///   - tile: the rows, or their candidates.
  ///   - classes: of the rows.
  @inline(__always)
  private func find(_ tile: RowTile<V>, rows: Int, classes: Int, _ k: inout WideConstants<V>) {
    let isFloat = V.count > DoubleLanes.count
    let tolerance = DoubleLanes(isFloat ? P.isSmooth ? 0x1p-20 : 0x1p-27 : 0x1p-48)
    if P.isPolynomial && tile.isAcross { approach(tile, rows: rows, &k, steps: Swift.min(steps, 10)) }
    // a ≤ top ≤ b; c: how far the last step went.
    var bracket = WideConstants<V>()
    var isDone = false
    var step = 0
    while !isDone, step < steps {
      isDone = true
      let sums = tile.wideSums(k) { x, _, k in P.terms(Self.u(x, k), k.c) }
      advance(&k.low, &bracket.low, sums.low, classes, isFirst: step == 0, rows, tolerance, &isDone)
      if WideConstants<V>.hasHigh {
        advance(
          &k.high, &bracket.high, sums.high, classes, isFirst: step == 0, rows &- DoubleLanes.count, tolerance, &isDone)
      }
      step &+= 1
    }
    if isNorm { k.forEachHalf { half, _ in half.c = half.c - DoubleLanes.one } }
    if isNorm || P.isRounded {
      tile.withSums(&k, { x, _, k in (W.power(Self.u(x, k), k.c), DoubleLanes.zero) }) { half, sums, _ in
        half.e = DoubleLanes.one / sums.first
      }
    }
  }

  /// One step for eight rows, of which the first `count` matter.
  @inline(__always)
  private func advance(
    _ k: inout WideRow, _ bracket: inout WideRow, _ sums: WideSums, _ classes: Int, isFirst: Bool, _ count: Int,
    _ tolerance: DoubleLanes, _ isDone: inout Bool
  ) {
    var next = k.d - (sums.first - P.dual(sums.first, k.c)) / sums.second
    if P.isRounded {
      // γ < 1 needs a bracket, halved where Newton's steps go astray or do not get shorter.
      if isFirst {
        let least = DoubleLanes.pow(DoubleLanes(Double(classes)), -DoubleLanes.one / k.c) * DoubleLanes(1 - 1e-9)
        bracket.a = DoubleLanes.max(DoubleLanes(1e-300), least)
        bracket.b = DoubleLanes.one
        bracket.c = DoubleLanes.infinity
      }
      let isLow = sums.first .< DoubleLanes.one
      bracket.a = DoubleLanes.select(isLow, k.d, bracket.a)
      bracket.b = DoubleLanes.select(isLow, bracket.b, k.d)
      let isSlow = (k.c .< DoubleLanes.one) & (DoubleLanes(0.5) * bracket.c .< (next - k.d).magnitude)
      let isBetween = (bracket.a .<= next) & (next .<= bracket.b) & ~isSlow
      let isNumber = sums.first .== sums.first
      next = DoubleLanes.select(isBetween | ~isNumber, next, (bracket.a * bracket.b).squareRoot)
      bracket.c = (next - k.d).magnitude
    }
    // Where weights have a power below 1, a logit just above the threshold has much of a weight.
    let near = P.isRounded ? DoubleLanes.select(k.c .< DoubleLanes(isNorm ? 2 : 1), DoubleLanes(0x1p-51), tolerance) : tolerance
    let isFar = near * k.d .< (next - k.d).magnitude
    let matters = DoubleLanes.Integers.first(Swift.max(0, Swift.min(count, DoubleLanes.count)))
    if (isFar & matters).any { isDone = false }
    k.d = next
  }
}

/// The maps: weights of all elements of each row.
struct SimplexMap<V: Lanes, P: SimplexPower, W: SimplexPower>: RowVisitor {
  let threshold: SimplexThreshold<V, P, W>
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var (k, few) = threshold.solve(tile)
    k.forEachHalf { half, _ in half.f = DoubleLanes.one }
    threshold.write(tile, few, k)
  }
}

extension SimplexThreshold {
  /// Writes the weights of a tile, which may have candidates: those of each row times `k.f`.
  @inline(__always) func write(_ tile: RowTile<V>, _ few: Candidates<V>?, _ k: WideConstants<V>) {
    if W.isPolynomial {
      // What counts of a row lies less than `top` below its maximum: no digits that matter are lost without doubles.
      let constants = RowConstants<V>(
        a: k.narrowed { $0.a }, b: k.narrowed { $0.b }, c: k.narrowed { $0.e * $0.f }, d: k.narrowed { $0.d })
      tile.specialized {
        $0.map(constants, isCommon: true) { e, k in W.polynomial(V.max(V.zero, V.fma(e.x - k.a, k.b, k.d))) * k.c }
      }
      return
    }
    (few?.tile ?? tile).wideMap(k) { x, _, k in Self.weight(x, k) * k.f }
    if let few { tile.put(few, background: k.narrowed { $0.d * DoubleLanes.zero }) }
  }
}

/// A simplex map with the checks that every exported one makes.
@inline(__always)
func mapToSimplex<V: Lanes, P: SimplexPower, W: SimplexPower>(
  _ threshold: SimplexThreshold<V, P, W>, _ z: UnsafePointer<V.Element>?,
  _ shape: (outer: Int, classes: Int, inner: Int), _ p: UnsafeMutablePointer<V.Element>?
) -> Status {
  guard let rows = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if rows.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  if hasNaN(z, rows.rows &* rows.classes) { return .invalidValue }
  forEachRowTile(rows, RowArrays(first: z, second: z, perClass: nil, output: p), SimplexMap(threshold: threshold))
  return .ok
}
