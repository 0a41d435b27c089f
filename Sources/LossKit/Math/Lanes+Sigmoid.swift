extension FloatLanes {
  /// `1 / (1 + e^{−x})`, at most 1 ulp. Evaluated in double precision, half a vector at a time, where neither
  /// overflow nor the roundings of e^{−x} and of the sum matter.
  @inline(__always) static func sigmoid(_ x: Self) -> Self {
    let (low, high) = max(Self(-104 as Float), min(Self(104 as Float), x)).doubles
    return Self(DoubleLanes.sigmoidToFloat(low), DoubleLanes.sigmoidToFloat(high))
  }
}

extension DoubleLanes {
  /// The logistic function for |x| < 500, with 28 good bits: more than a float needs.
  @inline(__always) static func sigmoidToFloat(_ x: Self) -> Self {
    // e^{−x} = 2^n·e^{−r} with n = round(−x / ln 2) and r = x + n·ln 2.
    let toInteger = Self(0x1.8p52)
    let shifted = fma(x, Self(-0x1.71547652b82fep0), toInteger)
    let r = fma(shifted - toInteger, Self(0x1.62e42fefa39efp-1), x)
    var p = Self(0x1.6ac8efbbf8f2cp-10)
    p = fma(p, r, Self(-0x1.126de1a00ac46p-7))
    p = fma(p, r, Self(0x1.55589814bacdap-5))
    p = fma(p, r, Self(-0x1.555409bd04464p-3))
    p = fma(p, r, Self(0x1.fffffaac61cd1p-2))
    p = fma(p, r, Self(-0x1.0000009c807acp0))
    p = fma(p, r, Self(0x1.0000000263828p0))
    let e = Self(bits: p.bits &+ shifted.bits.shiftedLeft(52))  // p·2^n: n is in the low bits
    return one / (one + e)
  }

  /// `1 / (1 + e^{−x})`, at most 2 ulp. From e^{−|x|}, which cannot overflow; the roundings of 1 + e^{−|x|} and of the
  /// quotient are put right, for which a rough reciprocal is enough.
  @inline(__always) static func sigmoid(_ x: Self) -> Self {
    let e = expOfNonPositive(-x.magnitude)
    let sum = one + e
    let sumError = e - (sum - one)
    let numerator = select(x .< zero, e, one)
    let quotient = numerator / sum
    let remainder = fma(-quotient, sumError, fma(-quotient, sum, numerator))
    return fma(remainder, fma(sum, Self(-0.5), Self(1.457)), quotient)  // 1 / sum to 5 % for 1 ≤ sum ≤ 2
  }
}
