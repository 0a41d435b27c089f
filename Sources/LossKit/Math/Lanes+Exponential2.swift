// 2^x = 2^n · 2^r with n = round(x) and |r| ≤ ½, both exact. 2^r = 1 + r·p(r), p a minimax polynomial.

extension FloatLanes {
  /// At most 1 ulp. Below −150 the result is 0, from 128 on it is inf.
  @inline(__always) static func exp2(_ x: Self) -> Self {
    let inRange = max(Self(-151 as Float), min(Self(129 as Float), x))
    let toInteger = Self(0x1.8p23 as Float)
    let n = (inRange + toInteger) - toInteger
    let r = inRange - n
    var p = Self(0x1.3ec222p-13 as Float)
    p = fma(p, r, Self(0x1.5f0ca6p-10 as Float))
    p = fma(p, r, Self(0x1.3b31fcp-7 as Float))
    p = fma(p, r, Self(0x1.c6af74p-5 as Float))
    p = fma(p, r, Self(0x1.ebfbd6p-3 as Float))
    p = fma(p, r, Self(0x1.62e43p-1 as Float))
    return fma(p, r, one).scaled(n)
  }
}

extension DoubleLanes {
  /// At most 1 ulp. Below −1075 the result is 0, from 1024 on it is inf.
  @inline(__always) static func exp2(_ x: Self) -> Self {
    let inRange = max(Self(-1076), min(Self(1025), x))
    let toInteger = Self(0x1.8p52)
    let n = (inRange + toInteger) - toInteger
    let r = inRange - n
    var p = Self(0x1.e95229fbeff4ap-32)
    p = fma(p, r, Self(0x1.e61afedb84c74p-28))
    p = fma(p, r, Self(0x1.b525379d95a82p-24))
    p = fma(p, r, Self(0x1.62bfc7d27475ep-20))
    p = fma(p, r, Self(0x1.ffcbfc5d48a31p-17))
    p = fma(p, r, Self(0x1.4309130ec040bp-13))
    p = fma(p, r, Self(0x1.5d87fe78a03b5p-10))
    p = fma(p, r, Self(0x1.3b2ab6fba01adp-7))
    p = fma(p, r, Self(0x1.c6b08d704a126p-5))
    p = fma(p, r, Self(0x1.ebfbdff82c5a4p-3))
    p = fma(p, r, Self(0x1.62e42fefa39efp-1))
    return fma(p, r, one).scaled(n)
  }
}
