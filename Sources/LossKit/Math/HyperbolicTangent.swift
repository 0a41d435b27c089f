// tanh x = E / (E + 2) with E = e^{2x} − 1. The result has the sign of x, which also gives −0 at −0.

extension FloatLanes {
  /// At most 1 ulp. Evaluated in double precision, half a vector at a time.
  @inline(__always) static func tanh(_ x: Self) -> Self {
    let inRange = max(Self(-10 as Float), min(Self(10 as Float), x))  // ±1 to the last bit at ±10
    let (low, high) = (inRange + inRange).doubles
    let (a, b) = (DoubleLanes.expm1ToFloat(low), DoubleLanes.expm1ToFloat(high))
    let two = DoubleLanes(2)
    return Self(a / (a + two), b / (b + two)).copySign(x)
  }
}

extension DoubleLanes {
  /// At most 2 ulp. For |x| > ½ it is 1 − 2 / (E + 2), in which the errors of E and of the sum fade.
  @inline(__always) static func tanh(_ x: Self) -> Self {
    let inRange = min(Self(20), x.magnitude)
    let e = expm1(inRange + inRange)
    let isLarge = inRange .> Self(0.5)
    let quotient = select(isLarge, Self(2), e) / (e + Self(2))
    return select(isLarge, one - quotient, quotient).copySign(x)
  }
}
