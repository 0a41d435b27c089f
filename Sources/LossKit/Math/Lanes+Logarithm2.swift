// log₂ x = e + log(1 + f) / ln 2 with the f and e of log x, and log(1 + f) = f + a small tail. 1 / ln 2 is split in two,
// and the rounding errors of e + f / ln 2 are kept.

extension FloatLanes {
  /// At most 2 ulp.
  @inline(__always) static func log2(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    let inverse = Self(0x1.715476p0 as Float)
    let product = f * inverse
    let sum = e + product
    let error = fma(f, inverse, -product) + (product - (sum - e))
    let low = fma(logarithmTail(f), inverse, fma(f, Self(0x1.4ae0cp-26 as Float), error))
    return logarithmAtLimits(x, sum + low)
  }
}

extension DoubleLanes {
  /// At most 2 ulp.
  @inline(__always) static func log2(_ x: Self) -> Self {
    let (f, e) = decomposed(x)
    let inverse = Self(0x1.71547652b82fep0)
    let product = f * inverse
    let sum = e + product
    let error = fma(f, inverse, -product) + (product - (sum - e))
    let low = fma(logarithmTail(f), inverse, fma(f, Self(0x1.777d0ffda0d24p-56), error))
    return logarithmAtLimits(x, sum + low)
  }
}
