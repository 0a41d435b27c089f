// e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2. e^r = 1 + r·(1 + r·q(r)), q a minimax polynomial: evaluated
// in this order the roundings before the last one are small. ln 2 is split in two so that n·(high part) is exact even
// without FMA.

extension FloatLanes {
  /// At most 1 ulp. Below −103.98 the result is 0, above 88.73 it is inf.
  @inline(__always) static func exp(_ x: Self) -> Self {
    expInRange(max(Self(-104 as Float), min(Self(89 as Float), x)))
  }

  @inline(__always) static func expOfNonPositive(_ x: Self) -> Self { expInRange(max(Self(-104 as Float), x)) }

  @inline(__always) private static func expInRange(_ x: Self) -> Self {
    let toInteger = Self(0x1.8p23 as Float)  // adding it rounds to the nearest integer, ties to even
    let n = fma(x, Self(0x1.715476p0 as Float), toInteger) - toInteger
    var r = fma(n, Self(-0x1.63p-1 as Float), x)
    r = fma(n, Self(0x1.bd0106p-13 as Float), r)
    var q = Self(0x1.6a5fdcp-10 as Float)
    q = fma(q, r, Self(0x1.123ab6p-7 as Float))
    q = fma(q, r, Self(0x1.5558ap-5 as Float))
    q = fma(q, r, Self(0x1.55549p-3 as Float))
    q = fma(q, r, Self(0x1.fffffcp-2 as Float))
    return fma(fma(q, r, one), r, one).scaled(n)
  }
}

extension DoubleLanes {
  /// At most 1 ulp. Below −745.14 the result is 0, above 709.79 it is inf.
  @inline(__always) static func exp(_ x: Self) -> Self {
    expInRange(max(Self(-746), min(Self(710), x)))
  }

  @inline(__always) static func expOfNonPositive(_ x: Self) -> Self { expInRange(max(Self(-746), x)) }

  /// `e^{x + correction}` for a correction below the last place of x.
  @inline(__always) static func exp(_ x: Self, plus correction: Self) -> Self {
    expInRange(max(Self(-746), min(Self(710), x)), plus: correction)
  }

  @inline(__always) private static func expInRange(_ x: Self, plus correction: Self? = nil) -> Self {
    let toInteger = Self(0x1.8p52)
    let n = fma(x, Self(0x1.71547652b82fep0), toInteger) - toInteger
    var r = fma(n, Self(-0x1.62e42feep-1), x)
    if let correction { r = r + correction }
    r = fma(n, Self(-0x1.a39ef35793c76p-33), r)
    return fma(fma(exponentialTail(r), r, one), r, one).scaled(n)
  }

  /// `(e^r − 1 − r) / r²` for |r| ≤ ln 2 / 2.
  @inline(__always) static func exponentialTail(_ r: Self) -> Self {
    var q = Self(0x1.ad9c04431ec4p-26)
    q = fma(q, r, Self(0x1.28ae1f00a64b4p-22))
    q = fma(q, r, Self(0x1.71df1339d26c3p-19))
    q = fma(q, r, Self(0x1.a019993e31368p-16))
    q = fma(q, r, Self(0x1.a01a01327e9f7p-13))
    q = fma(q, r, Self(0x1.6c16c18480f7cp-10))
    q = fma(q, r, Self(0x1.1111111126382p-7))
    q = fma(q, r, Self(0x1.555555555069ep-5))
    q = fma(q, r, Self(0x1.55555555555p-3))
    return fma(q, r, Self(0x1.000000000000ap-1))
  }
}
