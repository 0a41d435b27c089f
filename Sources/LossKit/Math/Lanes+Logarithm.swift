// log x = e·ln 2 + log(1 + f) with x = (1 + f)·2^e and 1 + f in [¾, 1½): with this cut f is exact, also where it is
// made from the x of log(1 + x).

extension FloatLanes {
  /// At most 1 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    return logarithmAtLimits(x, logarithm(f, e))
  }

  /// The f and e of x = (1 + f)·2^e for 0 < x < inf.
  @inline(__always) static func decomposed(_ x: Self) -> (f: Self, e: Self) {
    // Subnormals are scaled into the normal range first.
    let isSmall = x .< Self(0x1p-126 as Float)
    let scaled = select(isSmall, x * Self(0x1p23 as Float), x)
    let bias = select(isSmall, Self(23 as Float), zero)
    let exponentBits = (scaled.bits &- Self(0.75 as Float).bits) & Integers(-0x0080_0000)
    let e = Self(exponentBits.shiftedRightArithmetic(23)) - bias
    return (Self(bits: scaled.bits &- exponentBits) - one, e)
  }

  /// `e·ln 2 + log(1 + f)` for −¼ ≤ f < ½. What is rounded is small beside e·ln 2 + f, whose own rounding
  /// error is kept.
  @inline(__always) static func logarithm(_ f: Self, _ e: Self) -> Self {
    let low = fma(e, Self(-0x1.05c61p-29 as Float), logarithmTail(f))
    let high = fma(e, Self(0x1.62e43p-1 as Float), f)
    let highError = f - fma(e, Self(-0x1.62e43p-1 as Float), high)
    return high + (highError + low)
  }

  /// `log(1 + f) − f = f²·p(f)`, p a minimax polynomial with the constant −½. Its pairs of terms are independent of each
  /// other, because what waits for a logarithm waits for the longest chain; the last step alone decides the rounding.
  @inline(__always) static func logarithmTail(_ f: Self) -> Self {
    let f2 = f * f
    let f4 = f2 * f2
    let p12 = fma(Self(-0x1.000056p-2 as Float), f, Self(0x1.555556p-2 as Float))
    let p34 = fma(Self(-0x1.5522aap-3 as Float), f, Self(0x1.99995ep-3 as Float))
    let p56 = fma(Self(-0x1.041df4p-3 as Float), f, Self(0x1.24450ep-3 as Float))
    let p78 = fma(Self(-0x1.7aeba4p-4 as Float), f, Self(0x1.dfaa46p-4 as Float))
    let upper = fma(Self(0x1.3f2cap-5 as Float), f4, fma(p78, f2, p56))
    let p = fma(upper, f4, fma(p34, f2, p12))
    return f2 * fma(p, f, Self(-0.5 as Float))
  }
}

extension DoubleLanes {
  /// At most 2 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    return logarithmAtLimits(x, logarithm(f, e))
  }

  /// The f and e of x = (1 + f)·2^e for 0 < x < inf.
  @inline(__always) static func decomposed(_ x: Self) -> (f: Self, e: Self) {
    let isSmall = x .< Self(0x1p-1022)
    let (f, e) = decomposedNormal(select(isSmall, x * Self(0x1p52), x))
    return (f, e - select(isSmall, Self(52), zero))
  }

  /// The same where x is not subnormal.
  @inline(__always) static func decomposedNormal(_ x: Self) -> (f: Self, e: Self) {
    let exponentBits = (x.bits &- Self(0.75).bits) & Integers(-0x0010_0000_0000_0000)
    return (Self(bits: x.bits &- exponentBits) - one, Self(exponentBits.shiftedRightArithmetic(52)))
  }

  /// `e·ln 2 + log(1 + f)` for −¼ ≤ f < ½. What is rounded is small beside e·ln 2 + f, whose own rounding
  /// error is kept.
  @inline(__always) static func logarithm(_ f: Self, _ e: Self) -> Self {
    let low = fma(e, Self(0x1.abc9e3b39803fp-56), logarithmTail(f))
    let high = fma(e, Self(0x1.62e42fefa39efp-1), f)
    let highError = f - fma(e, Self(-0x1.62e42fefa39efp-1), high)
    return high + (highError + low)
  }

  /// `log(1 + f) − f = −s·(f − s²·p(s²))` with s = f / (2 + f): without the division the polynomial would be more
  /// than twice as long.
  @inline(__always) static func logarithmTail(_ f: Self) -> Self {
    let s = f / (Self(2) + f)
    let u = s * s
    var p = Self(0x1.3abe5fc1fa14ap-3)
    p = fma(p, u, Self(0x1.3852ce9bcae9ap-3))
    p = fma(p, u, Self(0x1.7474e337f6f7ep-3))
    p = fma(p, u, Self(0x1.c71c0160d604p-3))
    p = fma(p, u, Self(0x1.249249b228b01p-2))
    p = fma(p, u, Self(0x1.99999998f0b81p-2))
    p = fma(p, u, Self(0x1.5555555555776p-1))
    return -s * fma(-u, p, f)
  }
}

extension Lanes {
  /// The values of log x outside (0, inf), else `result`.
  @inline(__always) static func logarithmAtLimits(_ x: Self, _ result: Self) -> Self {
    let positive = select(x .== infinity, infinity, result)
    let atZero = select(x .== zero, -infinity, positive)
    return select(x .>= zero, atZero, nan)
  }
}
