// An odd function: the result has the sign of x, which also gives −0 at −0.

extension FloatLanes {
  /// At most 1 ulp. E / (E + 2) with E = e^{2x} − 1, in double precision, half a vector at a time.
  @inline(__always) static func tanh(_ x: Self) -> Self {
    let inRange = max(Self(-10 as Float), min(Self(10 as Float), x))  // ±1 to the last bit at ±10
    let (low, high) = (inRange + inRange).doubles
    let (a, b) = (DoubleLanes.expm1ToFloat(low), DoubleLanes.expm1ToFloat(high))
    let two = DoubleLanes(2)
    return Self(a / (a + two), b / (b + two)).copySign(x)
  }
}

extension DoubleLanes {
  /// At most 2 ulp. x + x³·p(x²) up to ⅝, and 1 − 2 / (e^{2x} + 1) above, where the second term is small.
  @inline(__always) static func tanh(_ x: Self) -> Self {
    let inRange = min(Self(20), x.magnitude)  // ±1 to the last bit at ±20
    let square = inRange * inRange
    var p = Self(-0x1.0da2123006dfbp-16)
    p = fma(p, square, Self(0x1.438e60a6df1dfp-14))
    p = fma(p, square, Self(-0x1.df542fda64be5p-13))
    p = fma(p, square, Self(0x1.3365e737ced0bp-11))
    p = fma(p, square, Self(-0x1.7d689bfe9bed5p-10))
    p = fma(p, square, Self(0x1.d6cf274bae439p-9))
    p = fma(p, square, Self(-0x1.226e162550d68p-7))
    p = fma(p, square, Self(0x1.664f477a9249ap-6))
    p = fma(p, square, Self(-0x1.ba1ba1b5047e5p-5))
    p = fma(p, square, Self(0x1.111111110ac9fp-3))
    p = fma(p, square, Self(-0x1.55555555554ffp-2))
    let fromZero = fma(square * p, inRange, inRange)
    let fromOne = one - Self(2) / (exp(inRange + inRange) + one)
    return select(inRange .< Self(0.625), fromZero, fromOne).copySign(x)
  }
}
