// e^x − 1 = 2^n·(e^r − 1) + (2^n − 1) with n = round(x / ln 2) and |r| ≤ ln 2 / 2. 2^n − 1 is exact where it matters.
// The result has the sign of x, which also gives −0 at −0.

extension FloatLanes {
  /// At most 1 ulp. Evaluated in double precision, half a vector at a time: the cancellation for −1 < x < 1 would
  /// cost as many instructions to undo.
  @inline(__always) static func expm1(_ x: Self) -> Self {
    let (low, high) = max(Self(-104 as Float), min(Self(89 as Float), x)).doubles
    return Self(DoubleLanes.expm1ToFloat(low), DoubleLanes.expm1ToFloat(high)).copySign(x)
  }
}

extension DoubleLanes {
  /// `e^x − 1` for |x| < 500, with 30 good bits: more than a float needs.
  @inline(__always) static func expm1ToFloat(_ x: Self) -> Self {
    let toInteger = Self(0x1.8p52)
    let shifted = fma(x, Self(0x1.71547652b82fep0), toInteger)
    let r = fma(shifted - toInteger, Self(-0x1.62e42fefa39efp-1), x)
    var q = Self(0x1.a0343dba9239fp-13)
    q = fma(q, r, Self(0x1.6d7379344e90dp-10))
    q = fma(q, r, Self(0x1.1111a84d33312p-7))
    q = fma(q, r, Self(0x1.5554ad82ed796p-5))
    q = fma(q, r, Self(0x1.555554c5c5cabp-3))
    q = fma(q, r, Self(0x1.0000002832a7bp-1))
    q = fma(q, r, Self(0x1.00000000226a1p0))
    let power = Self(bits: one.bits &+ shifted.bits.shiftedLeft(52))  // 2^n: n is in the low bits
    return fma(power, q * r, power - one)
  }

  /// At most 2 ulp. The error of r is carried along, and halves keep 2^n finite up to the overflow of the result.
  @inline(__always) static func expm1(_ x: Self) -> Self {
    let inRange = max(Self(-50), min(Self(710), x))
    let toInteger = Self(0x1.8p52)
    let n = fma(inRange, Self(0x1.71547652b82fep0), toInteger) - toInteger
    let rHigh = fma(n, Self(-0x1.62e42feep-1), inRange)
    let r = fma(n, Self(-0x1.a39ef35793c76p-33), rHigh)
    let rError = fma(n, Self(-0x1.a39ef35793c76p-33), rHigh - r)
    let e = r + fma(exponentialTail(r), r * r, rError)
    let halfPower = Self(0.5).scaled(n)
    return (Self(2) * fma(halfPower, e, halfPower - Self(0.5))).copySign(x)
  }
}
