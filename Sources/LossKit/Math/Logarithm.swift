// log x = e·ln 2 + log(1 + f) with x = (1 + f)·2^e and 1 + f in [¾, 1½): with this cut f is exact, also where it is
// made from the x of log(1 + x).

extension FloatLanes {
  /// At most 1 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    // Subnormals are scaled into the normal range first.
    let isSmall = x .< Self(0x1p-126 as Float)
    let scaled = select(isSmall, x * Self(0x1p23 as Float), x)
    let bias = select(isSmall, Self(23 as Float), zero)
    let exponentBits = (scaled.bits &- Self(0.75 as Float).bits) & Integers(-0x0080_0000)
    let e = Self(exponentBits.shiftedRightArithmetic(23)) - bias
    let f = Self(bits: scaled.bits &- exponentBits) - one
    return logarithmAtLimits(x, logarithm(f, e))
  }

  /// `e·ln 2 + log(1 + f)` for −¼ ≤ f < ½. With log(1 + f) = f − f²/2 + f³·p(f), what is rounded is small beside
  /// e·ln 2 + f, whose own rounding error is kept.
  @inline(__always) static func logarithm(_ f: Self, _ e: Self) -> Self {
    var p = Self(0x1.328c88p-5 as Float)
    p = fma(p, f, Self(-0x1.743814p-4 as Float))
    p = fma(p, f, Self(0x1.df0e92p-4 as Float))
    p = fma(p, f, Self(-0x1.04bbfap-3 as Float))
    p = fma(p, f, Self(0x1.24658p-3 as Float))
    p = fma(p, f, Self(-0x1.55190ep-3 as Float))
    p = fma(p, f, Self(0x1.999752p-3 as Float))
    p = fma(p, f, Self(-0x1.00007p-2 as Float))
    p = fma(p, f, Self(0x1.55555ap-2 as Float))
    p = fma(p, f, Self(-0.5 as Float))
    let low = fma(f * f, p, e * Self(-0x1.05c61p-29 as Float))
    let high = fma(e, Self(0x1.62e43p-1 as Float), f)
    let highError = f - fma(e, Self(-0x1.62e43p-1 as Float), high)
    return high + (highError + low)
  }
}

extension DoubleLanes {
  /// At most 1 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    let isSmall = x .< Self(0x1p-1022)
    let scaled = select(isSmall, x * Self(0x1p52), x)
    let bias = select(isSmall, Self(52), zero)
    let exponentBits = (scaled.bits &- Self(0.75).bits) & Integers(-0x0010_0000_0000_0000)
    let e = Self(exponentBits.shiftedRightArithmetic(52)) - bias
    let f = Self(bits: scaled.bits &- exponentBits) - one
    return logarithmAtLimits(x, logarithm(f, e))
  }

  /// `e·ln 2 + log(1 + f)` for −¼ ≤ f < ½. With s = f / (2 + f), log(1 + f) = f − s·(f − s²·p(s²)): the polynomial
  /// would be more than twice as long without the division.
  @inline(__always) static func logarithm(_ f: Self, _ e: Self) -> Self {
    let s = f / (Self(2) + f)
    let u = s * s
    var p = Self(0x1.3abe5fc1fa14ap-3)
    p = fma(p, u, Self(0x1.3852ce9bcae9ap-3))
    p = fma(p, u, Self(0x1.7474e337f6f7ep-3))
    p = fma(p, u, Self(0x1.c71c0160d604p-3))
    p = fma(p, u, Self(0x1.249249b228b01p-2))
    p = fma(p, u, Self(0x1.99999998f0b81p-2))
    p = fma(p, u, Self(0x1.5555555555776p-1))
    let low = fma(-s, fma(-u, p, f), e * Self(0x1.abc9e3b39803fp-56))
    let high = fma(e, Self(0x1.62e42fefa39efp-1), f)
    let highError = f - fma(e, Self(-0x1.62e42fefa39efp-1), high)
    return high + (highError + low)
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
