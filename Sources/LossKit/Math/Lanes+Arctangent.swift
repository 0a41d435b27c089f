// atan x = base + atan r, |r| ≤ tan(π/8): r = x up to there, (x − 1)/(x + 1) about π/4, −1/x about π/2. An odd function: the
// result has the sign of x, which also gives −0 at −0.

extension Lanes {
  /// At most 2 ulp.
  @inline(__always) static func atan(_ x: Self) -> Self {
    let a = x.magnitude
    let isLarge = Self(2.414213562373095) .< a
    let isSmall = a .<= Self(0.41421356237309503)
    // Of the three quotients one is divided.
    let numerator = select(isLarge, -one, select(isSmall, a, a - one))
    let denominator = select(isLarge, a, select(isSmall, one, a + one))
    let r = numerator / denominator
    let halfPi = 1.5707963267948966, halfPiRest = 6.123233995736766e-17
    let high = Element(halfPi)
    let low = Element((halfPi - high.double) + halfPiRest)
    let base = select(isLarge, Self(high), select(isSmall, zero, Self(high / 2)))
    let baseRest = select(isLarge, Self(low), select(isSmall, zero, Self(low / 2)))
    let square = r * r
    return (base + (fma(r, square * arctangentTail(square), baseRest) + r)).copySign(x)
  }
}

extension FloatLanes {
  /// `(atan r / r − 1) / r²` from r², for |r| ≤ tan(π/8): minimax polynomial.
  @inline(__always) static func arctangentTail(_ u: Self) -> Self {
    var p = Self(-0x1.f2e5a6p-5 as Float)
    p = fma(p, u, Self(0x1.b22456p-4 as Float))
    p = fma(p, u, Self(-0x1.23b9a2p-3 as Float))
    p = fma(p, u, Self(0x1.9991e2p-3 as Float))
    return fma(p, u, Self(-0x1.55554ap-2 as Float))
  }
}

extension DoubleLanes {
  @inline(__always) static func arctangentTail(_ u: Self) -> Self {
    var p = Self(-0x1.2565a5ced82d4p-6)
    p = fma(p, u, Self(0x1.37d3821eedfa6p-5))
    p = fma(p, u, Self(-0x1.9cd1e84174302p-5))
    p = fma(p, u, Self(0x1.df0f1cf7d55afp-5))
    p = fma(p, u, Self(-0x1.10ebb535e4f9fp-4))
    p = fma(p, u, Self(0x1.3b1118db64872p-4))
    p = fma(p, u, Self(-0x1.745cf8d9250e7p-4))
    p = fma(p, u, Self(0x1.c71c70e5f75d8p-4))
    p = fma(p, u, Self(-0x1.24924922ad347p-3))
    p = fma(p, u, Self(0x1.9999999995867p-3))
    return fma(p, u, Self(-0x1.555555555553dp-2))
  }
}
