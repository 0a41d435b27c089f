/// `e^{t/T}` for `t ≤ 0` (or NaN): the exponential inside a softmax with temperature T.
///
/// The division by T costs nothing, because it is folded into the constant that turns powers of e into powers of two:
/// with c = 1/(T·ln 2), held in two parts, `e^{t/T} = 2^n · 2^f`, `n = round(c·t)`, `f = c·t − n`. At most 1 ulp from
/// e^{c·t·ln 2}; e^0 is exactly 1.
struct ScaledExponential<V: Lanes> {
  private let high, low, floor: V

  /// - Parameter temperature: T > 0.
  @inline(__always) init(temperature: Double) {
    let log2e = 1.4426950408889634, log2eRest = 2.0355273740931033e-17
    // Temperatures near the end of the range must not make the constant infinite.
    let largest = V.Element.greatestFiniteMagnitude
    let c = Swift.min(log2e / temperature, largest.double)
    let rest = (DoubleLanes.fma(DoubleLanes(-c), DoubleLanes(temperature), DoubleLanes(log2e))[0] + log2eRest) / temperature
    let rounded = Swift.min(V.Element(c), largest)
    high = V(rounded)
    low = V(V.Element(Swift.max(-largest.double, Swift.min(largest.double, (c - rounded.double) + rest))))
    floor = V(Swift.max(-largest, V.Element(V.leastExponent) / rounded))
  }

  @inline(__always) func callAsFunction(_ t: V) -> V {
    let t = V.max(floor, t)
    let n = V.fma(t, high, V.roundingShift) - V.roundingShift
    let f = V.fma(t, low, V.fma(t, high, -n))
    return V.exp2OfFraction(f).scaled(n)
  }
}

extension FloatLanes {
  /// Added and subtracted again, it rounds to the nearest integer.
  @inline(__always) static var roundingShift: Self { Self(0x1.8p23 as Float) }
  /// 2 to a lower power is 0.
  static var leastExponent: Double { -151 }

  /// `2^f` for |f| ≤ ½: minimax polynomial, 1 at 0.
  @inline(__always) static func exp2OfFraction(_ f: Self) -> Self {
    var q = Self(0x1.44138ap-13 as Float)
    q = fma(q, f, Self(0x1.5f089p-10 as Float))
    q = fma(q, f, Self(0x1.3b2a54p-7 as Float))
    q = fma(q, f, Self(0x1.c6af6cp-5 as Float))
    q = fma(q, f, Self(0x1.ebfbep-3 as Float))
    q = fma(q, f, Self(0x1.62e43p-1 as Float))
    return fma(q, f, one)
  }
}

extension DoubleLanes {
  @inline(__always) static var roundingShift: Self { Self(0x1.8p52) }
  static var leastExponent: Double { -1076 }

  @inline(__always) static func exp2OfFraction(_ f: Self) -> Self {
    var q = Self(0x1.e9d3fe3952179p-32)
    q = fma(q, f, Self(0x1.e6063f7217bc6p-28))
    q = fma(q, f, Self(0x1.b524fae627834p-24))
    q = fma(q, f, Self(0x1.62bfd47773353p-20))
    q = fma(q, f, Self(0x1.ffcbfc670dcd4p-17))
    q = fma(q, f, Self(0x1.430913096fd9fp-13))
    q = fma(q, f, Self(0x1.5d87fe78a5276p-10))
    q = fma(q, f, Self(0x1.3b2ab6fba1ddap-7))
    q = fma(q, f, Self(0x1.c6b08d704a0c2p-5))
    q = fma(q, f, Self(0x1.ebfbdff82c598p-3))
    q = fma(q, f, Self(0x1.62e42fefa39efp-1))
    return fma(q, f, one)
  }
}
