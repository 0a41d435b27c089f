// log(1 + x) = e·ln 2 + log(1 + f) with 1 + x = (1 + f)·2^e. The exponent comes from the rounded sum 1 + x, but f from
// x itself: f = x·2^−e + (2^−e − 1), in which nothing is rounded that matters. x·2^−e is an integer subtraction, because
// x is normal wherever e ≠ 0. The result has the sign of x, which also gives −0 at −0.

extension FloatLanes {
  /// At most 1 ulp.
  @inline(__always) static func log1p(_ x: Self) -> Self {
    let sum = one + x
    let exponentBits = (sum.bits &- Self(0.75 as Float).bits) & Integers(-0x0080_0000)
    let e = Self(exponentBits.shiftedRightArithmetic(23))
    let power = max(Self(bits: one.bits &- exponentBits), zero)  // 2^−e; 0 where it would be subnormal
    let f = Self(bits: x.bits &- exponentBits) + (power - one)
    return logarithmAtLimits(sum, logarithm(f, e)).copySign(x)
  }
}

extension DoubleLanes {
  /// At most 2 ulp.
  @inline(__always) static func log1p(_ x: Self) -> Self {
    let sum = one + x
    let exponentBits = (sum.bits &- Self(0.75).bits) & Integers(-0x0010_0000_0000_0000)
    let e = Self(exponentBits.shiftedRightArithmetic(52))
    let power = max(Self(bits: one.bits &- exponentBits), zero)
    let f = Self(bits: x.bits &- exponentBits) + (power - one)
    return logarithmAtLimits(sum, logarithm(f, e)).copySign(x)
  }
}

extension Lanes {
  /// At most 1 ulp (f32), 2 ulp (f64). Here e is 0 or 1, and f is exact.
  @inline(__always) static func log1pOfFraction(_ x: Self) -> Self {
    let half = Self(0.5)
    let isLarge = x .>= half
    return logarithm(select(isLarge, fma(x, half, -half), x), select(isLarge, one, zero))
  }
}
