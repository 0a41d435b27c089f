/// `e^{t/T}` for `t ≤ 0` (or NaN): the exponential inside a softmax with temperature T.
///
/// The division by T costs nothing, because it is folded into the constant that turns powers of e into powers of two:
/// with c = 1/(T·ln 2), held in two parts, `e^{t/T} = 2^n · 2^f`, `n = round(c·t)`, `f = c·t − n`. At most 1 ulp from
/// e^{c·t·ln 2}; e^0 is exactly 1.
struct ScaledExponential<V: Lanes> {
  private let high, low, floor: V

  /// - Parameter temperature: T > 0; what lies beyond `V.usable` counts as its ends.
  @inline(__always) init(temperature: Double) {
    let log2e = 1.4426950408889634, log2eRest = 2.0355273740931033e-17
    let temperature = V.usable(temperature)
    let c = log2e / temperature
    let rest = (DoubleLanes.fma(DoubleLanes(-c), DoubleLanes(temperature), DoubleLanes(log2e))[0] + log2eRest) / temperature
    let rounded = V.Element(c)
    high = V(rounded)
    low = V(V.Element((c - rounded.double) + rest))
    floor = V(V.Element(V.leastExponent) / rounded)
  }

  @inline(__always) func callAsFunction(_ t: V) -> V {
    let t = V.max(floor, t)
    let n = V.fma(t, high, V.roundingShift) - V.roundingShift
    let f = V.fma(t, low, V.fma(t, high, -n))
    return V.exp2OfFraction(f).scaled(n)
  }

  // The same for any t, held as v·2^n: n is exact up to `V.largestExactExponent`, and no maximum has to be known.

  /// v and n of `e^{t/T} = v·2^n`, with 1/√2 ≤ v ≤ √2.
  @inline(__always) func parts(_ t: V) -> (mantissa: V, exponent: V) {
    let n = exponent(t)
    let half = V(0.5)
    let f = V.fma(t, low, V.fma(t, high, -n))
    return (V.exp2OfFraction(V.max(-half, V.min(half, f))), n)
  }

  /// The exponent of the largest t of some, as what they are measured by.
  @inline(__always) func base(_ largest: V) -> ExponentialBase<V> {
    let e = exponent(V.max(V(-V.largestExactExponent) / high, largest))
    return ExponentialBase(exponent: e, floor: floor(below: e))
  }

  /// Where `e^{t/T}` is 0 beside 2^e.
  @inline(__always) func floor(below e: V) -> V { (e + V(V.leastExponent)) / high }

  /// `e^{t/T} / 2^e` for t/T up to about e·ln 2; `factor` may change the v of v·2^n.
  @inline(__always)
  func callAsFunction(_ t: V, over base: ExponentialBase<V>, _ factor: (V) -> V = { $0 }) -> V {
    let t = V.max(base.floor, t)
    let n = exponent(t)
    return factor(V.exp2OfFraction(V.fma(t, low, V.fma(t, high, -n)))).scaled(n - base.exponent)
  }

  @inline(__always) private func exponent(_ t: V) -> V { V.fma(t, high, V.roundingShift) - V.roundingShift }
}

/// A power of two that exponentials are divided by, and where they become 0 beside it.
struct ExponentialBase<V: Lanes> {
  let exponent, floor: V
}

extension Lanes {
  /// A temperature that has an inverse, and for which a finite t has e^{t/T} = 0: e^{−inf/T} has to be 0, and t = 0 must
  /// not meet an infinite 1/T.
  static func usable(_ temperature: Double) -> Double {
    let largest = Element.greatestFiniteMagnitude.double / -leastExponent
    return Swift.max(Element.leastNormalMagnitude.double, Swift.min(largest, temperature))
  }

  /// 1/T, of a usable T.
  static func inverse(_ temperature: Double) -> Self { Self(1 / usable(temperature)) }
}

extension FloatLanes {
  /// Added and subtracted again, it rounds to the nearest integer.
  @inline(__always) static var roundingShift: Self { Self(0x1.8p23 as Float) }
  /// 2 to a lower power is 0.
  static var leastExponent: Double { -151 }
  /// Up to here the fraction of x·log₂ e is good to the last bits, from x·log₂ e in two parts.
  static var largestExactExponent: Double { 0x1p19 }

  /// `2^f` for |f| ≤ ½: minimax polynomial, 1 at 0.
  @inline(__always) static func exp2OfFraction(_ f: Self) -> Self {
    var q = Self(0x1.3ec222p-13 as Float)
    q = fma(q, f, Self(0x1.5f0ca6p-10 as Float))
    q = fma(q, f, Self(0x1.3b31fcp-7 as Float))
    q = fma(q, f, Self(0x1.c6af74p-5 as Float))
    q = fma(q, f, Self(0x1.ebfbd6p-3 as Float))
    q = fma(q, f, Self(0x1.62e43p-1 as Float))
    return fma(q, f, one)
  }
}

extension DoubleLanes {
  @inline(__always) static var roundingShift: Self { Self(0x1.8p52) }
  static var leastExponent: Double { -1076 }
  static var largestExactExponent: Double { 0x1p40 }

  @inline(__always) static func exp2OfFraction(_ f: Self) -> Self {
    var q = Self(0x1.e95229fbeff4ap-32)
    q = fma(q, f, Self(0x1.e61afedb84c74p-28))
    q = fma(q, f, Self(0x1.b525379d95a82p-24))
    q = fma(q, f, Self(0x1.62bfc7d27475ep-20))
    q = fma(q, f, Self(0x1.ffcbfc5d48a31p-17))
    q = fma(q, f, Self(0x1.4309130ec040bp-13))
    q = fma(q, f, Self(0x1.5d87fe78a03b5p-10))
    q = fma(q, f, Self(0x1.3b2ab6fba01adp-7))
    q = fma(q, f, Self(0x1.c6b08d704a126p-5))
    q = fma(q, f, Self(0x1.ebfbdff82c5a4p-3))
    q = fma(q, f, Self(0x1.62e42fefa39efp-1))
    return fma(q, f, one)
  }
}
