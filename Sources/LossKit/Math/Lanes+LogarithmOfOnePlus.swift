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

extension FloatLanes {
  /// At most 2 ulp. x + x²·q(x): a polynomial over the whole range costs half of what its reduction would.
  @inline(__always) static func log1pOfFraction(_ x: Self) -> Self {
    var q = Self(-0x1.b104dep-9 as Float)
    q = fma(q, x, Self(0x1.49f812p-6 as Float))
    q = fma(q, x, Self(-0x1.d76afap-5 as Float))
    q = fma(q, x, Self(0x1.b4ffcap-4 as Float))
    q = fma(q, x, Self(-0x1.3a5786p-3 as Float))
    q = fma(q, x, Self(0x1.9350cap-3 as Float))
    q = fma(q, x, Self(-0x1.ff249ep-3 as Float))
    q = fma(q, x, Self(0x1.554dd4p-2 as Float))
    q = fma(q, x, Self(-0x1.ffffd2p-2 as Float))
    return fma(x * x, q, x)
  }
}

extension DoubleLanes {
  /// At most 2 ulp. Here e is 0 or 1, and f is exact.
  @inline(__always) static func log1pOfFraction(_ x: Self) -> Self {
    let half = Self(0.5)
    let isLarge = x .>= half
    return logarithm(select(isLarge, fma(x, half, -half), x), select(isLarge, one, zero))
  }
}
