// 2^x = 2^n · 2^r with n = round(x) and |r| ≤ ½, both exact. 2^r = 1 + r·p(r), p a minimax polynomial (in
// ScaledExponential.swift).

extension FloatLanes {
  /// At most 1 ulp. Below −150 the result is 0, from 128 on it is inf.
  @inline(__always) static func exp2(_ x: Self) -> Self {
    let inRange = max(Self(-151 as Float), min(Self(129 as Float), x))
    let n = (inRange + roundingShift) - roundingShift
    let r = inRange - n
    return exp2OfFraction(r).scaled(n)
  }
}

extension DoubleLanes {
  /// At most 1 ulp. Below −1075 the result is 0, from 1024 on it is inf.
  @inline(__always) static func exp2(_ x: Self) -> Self {
    let inRange = max(Self(-1076), min(Self(1025), x))
    let n = (inRange + roundingShift) - roundingShift
    let r = inRange - n
    return exp2OfFraction(r).scaled(n)
  }
}
