// log₂ x = e + log(1 + f) / ln 2 with the f and e of log x, and log(1 + f) = f + a small tail. 1 / ln 2 is split in two.

extension FloatLanes {
  /// At most 2 ulp.
  @inline(__always) static func log2(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    let high = Self(0x1.715476p0 as Float)
    let low = fma(logarithmTail(f), high, f * Self(0x1.4ae0cp-26 as Float))
    return logarithmAtLimits(x, fma(f, high, e) + low)
  }
}

extension DoubleLanes {
  /// At most 2 ulp.
  @inline(__always) static func log2(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    let high = Self(0x1.71547652b82fep0)
    let low = fma(logarithmTail(f), high, f * Self(0x1.777d0ffda0d24p-56))
    return logarithmAtLimits(x, fma(f, high, e) + low)
  }
}
