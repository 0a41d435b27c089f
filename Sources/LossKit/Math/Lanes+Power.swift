// x^y = 2^{y·log₂ x}. The logarithm carries as many more bits than the result as y·log₂ x has before the point.

extension FloatLanes {
  /// At most 1 ulp. Evaluated in double precision, half a vector at a time.
  @inline(__always) static func pow(_ x: Self, _ y: Self) -> Self {
    let (xLow, xHigh) = x.magnitude.doubles
    let (yLow, yHigh) = y.doubles
    return powerAtLimits(x, y, Self(DoubleLanes.powerToFloat(xLow, yLow), DoubleLanes.powerToFloat(xHigh, yHigh)))
  }
}

extension DoubleLanes {
  /// `x^y` for x ≥ 0 that is a float, with 28 good bits: more than a float needs.
  @inline(__always) static func powerToFloat(_ x: Self, _ y: Self) -> Self {
    let (f, e) = decomposedNormal(x)
    var p = Self(0x1.36ecfef729e69p-5)
    p = fma(p, f, Self(-0x1.a1be5d39713a6p-4))
    p = fma(p, f, Self(0x1.1c3438afdbd54p-3))
    p = fma(p, f, Self(-0x1.3195bfd2fb48p-3))
    p = fma(p, f, Self(0x1.48b7d863b729ap-3))
    p = fma(p, f, Self(-0x1.70a5e8ca91558p-3))
    p = fma(p, f, Self(0x1.a601063056f2cp-3))
    p = fma(p, f, Self(-0x1.ec7572ab087d4p-3))
    p = fma(p, f, Self(0x1.277724af3e3e9p-2))
    p = fma(p, f, Self(-0x1.71546f340f36bp-2))
    p = fma(p, f, Self(0x1.ec709ccccc97ap-2))
    p = fma(p, f, Self(-0x1.71547656032a2p-1))
    p = fma(p, f, Self(0x1.71547652d01bfp0))
    let exponent = y * logarithmAtLimitsOfMagnitude(x, fma(f, p, e))
    let inRange = max(Self(-160), min(Self(140), exponent))
    let toInteger = Self(0x1.8p52)
    let shifted = inRange + toInteger
    let r = inRange - (shifted - toInteger)
    var q = Self(0x1.41e1264c35fp-13)
    q = fma(q, r, Self(0x1.5f4620e6c6ae4p-10))
    q = fma(q, r, Self(0x1.3b2db8808678ep-7))
    q = fma(q, r, Self(0x1.c6aed46c594c2p-5))
    q = fma(q, r, Self(0x1.ebfbdadcfd5c9p-3))
    q = fma(q, r, Self(0x1.62e430c81518dp-1))
    q = fma(q, r, Self(0x1.0000000261918p0))
    return Self(bits: q.bits &+ shifted.bits.shiftedLeft(52))  // q·2^n: n is in the low bits
  }

  /// At most 2 ulp. The logarithm is a sum of two doubles.
  @inline(__always) static func pow(_ x: Self, _ y: Self) -> Self {
    let (high, low) = logarithmInTwo(x.magnitude)
    let exponent = y * high
    let exponentError = fma(y, high, -exponent) + y * low
    let isFinite = exponent.magnitude .< Self(0x1p10)
    return powerAtLimits(x, y, exp(exponent, plus: select(isFinite, exponentError, zero)))
  }

  /// `log x` for x ≥ 0 as a sum of two doubles, to about 2^−66 of its value.
  @inline(__always) private static func logarithmInTwo(_ x: Self) -> (high: Self, low: Self) {
    let (f, e) = decomposed(x)
    // s = f / (2 + f) and u = s², in two doubles each.
    let sum = Self(2) + f
    let sumError = f - (sum - Self(2))
    let reciprocal = one / sum
    let s = f * reciprocal
    let sError = fma(-s, sumError, fma(-s, sum, f)) * reciprocal
    let u = s * s
    let uError = fma(Self(2) * s, sError, fma(s, s, -u))
    // log(1 + f) = 2s + s³·(⅔ + u·p(u)), with two doubles for everything but p.
    var p = Self(0x1.01759da1f484cp-3)
    p = fma(p, u, Self(0x1.dad2ff4326f88p-4))
    p = fma(p, u, Self(0x1.113a02425dc4p-3))
    p = fma(p, u, Self(0x1.3b12992b17a0cp-3))
    p = fma(p, u, Self(0x1.745d1bc26c88ep-3))
    p = fma(p, u, Self(0x1.c71c71bc78f48p-3))
    p = fma(p, u, Self(0x1.2492492498d37p-2))
    p = fma(p, u, Self(0x1.9999999999968p-2))
    let series = u * p
    let factor = Self(0x1.5555555555555p-1) + series
    let factorError = (Self(0x1.5555555555555p-1) - factor) + series + Self(0x1.5555555555555p-55)
    let cube = s * u
    let cubeError = fma(s, uError, fma(sError, u, fma(s, u, -cube)))
    let tail = cube * factor
    let tailError = fma(cube, factorError, fma(cubeError, factor, fma(cube, factor, -tail)))
    // e·ln 2 is exact in its high part; each sum has its larger term first.
    let first = e * Self(0x1.62e42fefa38p-1)
    let second = s + s
    let partial = first + second
    let partialError = second - (partial - first)
    let total = partial + tail
    let totalError = tail - (total - partial)
    let rest = fma(e, Self(0x1.ef35793c7673p-45), tailError + Self(2) * sError) + (totalError + partialError)
    let high = total + rest
    return (logarithmAtLimitsOfMagnitude(x, high), (total - high) + rest)
  }
}

extension Lanes {
  /// The values of log x (to any base) at 0, inf and NaN, for x ≥ 0; else `result`.
  @inline(__always) static func logarithmAtLimitsOfMagnitude(_ x: Self, _ result: Self) -> Self {
    select(x .== zero, -infinity, select(x .< infinity, result, x))
  }

  /// `x^y` from `|x|^y`, with the special values of C's `pow`:
  ///
  ///     pow(x, ±0) = 1 and pow(1, y) = 1, also for NaN;  pow(−1, ±inf) = 1
  ///     pow(±0, y) = ±0 (y > 0) or ±inf (y < 0), the sign for odd integers y alone;  pow(±inf, y) likewise
  ///     pow(x, y) for x < 0: (−1)^y·|x|^y for an integer y, else NaN
  @inline(__always) static func powerAtLimits(_ x: Self, _ y: Self, _ power: Self) -> Self {
    let isOne = x.magnitude .== one
    let magnitude = select(isOne & (y .== y), one, power)
    let isInteger = hasIntegers(y)
    let isOdd = isInteger & ~hasIntegers(y * Self(0.5))
    let isNegative = one.copySign(x) .< zero
    let signed = select(isNegative & isOdd, -magnitude, magnitude)
    let isUndefined = (x .< zero) & (-infinity .< x) & ~isInteger
    return select((x .== one) | (y .== zero), one, select(isUndefined, nan, signed))
  }

  /// Which lanes are integers? (±inf count as even ones, NaN does not count.)
  @inline(__always) private static func hasIntegers(_ y: Self) -> Integers {
    let magnitude = y.magnitude
    let toInteger = Self(1 / Element.ulpOfOne)
    return ((magnitude + toInteger) - toInteger .== magnitude) | (toInteger .<= magnitude)
  }
}
