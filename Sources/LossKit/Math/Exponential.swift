// e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2. e^r = 1 + r + r²·q(r), q a minimax polynomial; the
// sum is ordered so that the last rounding dominates. ln 2 is split in two so that n·(high part) is exact even
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
    var q = Self(0x1.6d10fcp-10 as Float)
    q = fma(q, r, Self(0x1.120b62p-7 as Float))
    q = fma(q, r, Self(0x1.55551ap-5 as Float))
    q = fma(q, r, Self(0x1.5554dep-3 as Float))
    q = fma(q, r, Self(0x1p-1 as Float))
    return (fma(q, r * r, r) + one).scaled(n)
  }
}

extension DoubleLanes {
  /// At most 1 ulp. Below −745.14 the result is 0, above 709.79 it is inf.
  @inline(__always) static func exp(_ x: Self) -> Self {
    expInRange(max(Self(-746), min(Self(710), x)))
  }

  @inline(__always) static func expOfNonPositive(_ x: Self) -> Self { expInRange(max(Self(-746), x)) }

  @inline(__always) private static func expInRange(_ x: Self) -> Self {
    let toInteger = Self(0x1.8p52)
    let n = fma(x, Self(0x1.71547652b82fep0), toInteger) - toInteger
    var r = fma(n, Self(-0x1.62e42feep-1), x)
    r = fma(n, Self(-0x1.a39ef35793c76p-33), r)
    return (fma(exponentialTail(r), r * r, r) + one).scaled(n)
  }

  /// `(e^r − 1 − r) / r²` for |r| ≤ ln 2 / 2.
  @inline(__always) static func exponentialTail(_ r: Self) -> Self {
    var q = Self(0x1.af389ecfc4b9cp-26)
    q = fma(q, r, Self(0x1.28917c89a43a7p-22))
    q = fma(q, r, Self(0x1.71de0db2f6b19p-19))
    q = fma(q, r, Self(0x1.a019b9149a41cp-16))
    q = fma(q, r, Self(0x1.a01a01a7c2efep-13))
    q = fma(q, r, Self(0x1.6c16c17889ef1p-10))
    q = fma(q, r, Self(0x1.11111111109b5p-7))
    q = fma(q, r, Self(0x1.5555555553d68p-5))
    q = fma(q, r, Self(0x1.5555555555556p-3))
    return fma(q, r, Self(0x1p-1))
  }
}
