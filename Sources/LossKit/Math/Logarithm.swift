// log x = e·ln 2 + log m with x = m·2^e and m in [√½, √2). With f = m − 1 and s = f / (2 + f):
// log m = f − s·(f − s²·R(s²)), R a minimax polynomial: the leading term f is exact, the rest is small.

extension FloatLanes {
  /// At most 1 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    // Subnormals are scaled into the normal range first.
    let isSmall = x .< Self(0x1p-126 as Float)
    let scaled = select(isSmall, x * Self(0x1p23 as Float), x)
    let bias = select(isSmall, Self(23 as Float), zero)
    // The exponent of x/√½: an integer subtraction moves the cut from 1 to √½.
    let shifted = scaled.bits &- Integers(0x3f35_04f3)
    let e = Self(shifted.shiftedRightArithmetic(23)) - bias
    let m = Self(bits: (shifted & Integers(0x007f_ffff)) &+ Integers(0x3f35_04f3))
    let f = m - one
    let s = f / (Self(2 as Float) + f)
    let u = s * s
    var r = Self(0x1.ddcedp-3 as Float)
    r = fma(r, u, Self(0x1.245c44p-2 as Float))
    r = fma(r, u, Self(0x1.9999ecp-2 as Float))
    r = fma(r, u, Self(0x1.555556p-1 as Float))
    let logM = f - s * (f - u * r)
    let result = fma(e, Self(0x1.62e43p-1 as Float), fma(e, Self(-0x1.05c61p-29 as Float), logM))
    return special(x, result)
  }

  /// The logarithm's values outside (0, inf).
  @inline(__always) private static func special(_ x: Self, _ result: Self) -> Self {
    let positive = select(x .== infinity, infinity, result)
    let atZero = select(x .== zero, -infinity, positive)
    return select(x .>= zero, atZero, nan)
  }
}

extension DoubleLanes {
  /// At most 1 ulp.
  @inline(__always) static func log(_ x: Self) -> Self {
    let isSmall = x .< Self(0x1p-1022)
    let scaled = select(isSmall, x * Self(0x1p52), x)
    let bias = select(isSmall, Self(52), zero)
    let shifted = scaled.bits &- Integers(0x3fe6_a09e_667f_3bcd)
    let e = Self(shifted.shiftedRightArithmetic(52)) - bias
    let m = Self(bits: (shifted & Integers(0x000f_ffff_ffff_ffff)) &+ Integers(0x3fe6_a09e_667f_3bcd))
    let f = m - one
    let s = f / (Self(2) + f)
    let u = s * s
    var r = Self(0x1.2b584aae78a57p-3)
    r = fma(r, u, Self(0x1.39fe606542ddep-3))
    r = fma(r, u, Self(0x1.7462b4ab2ef6bp-3))
    r = fma(r, u, Self(0x1.c71c62e5800a1p-3))
    r = fma(r, u, Self(0x1.2492492df148dp-2))
    r = fma(r, u, Self(0x1.99999999952e2p-2))
    r = fma(r, u, Self(0x1.5555555555558p-1))
    let logM = f - s * (f - u * r)
    let result = fma(e, Self(0x1.62e42fefa39efp-1), fma(e, Self(0x1.abc9e3b39803fp-56), logM))
    return special(x, result)
  }

  @inline(__always) private static func special(_ x: Self, _ result: Self) -> Self {
    let positive = select(x .== infinity, infinity, result)
    let atZero = select(x .== zero, -infinity, positive)
    return select(x .>= zero, atZero, nan)
  }
}
