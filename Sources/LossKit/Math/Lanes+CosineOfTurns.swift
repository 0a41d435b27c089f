// cos 2πx. The argument is in turns, so that its reduction is exact: x − round(x) and, from there, the distance to the
// nearest quarter of a turn are differences without rounding. What is left is at most ⅛: a cosine or a sine in u = r².

extension FloatLanes {
  /// At most 1 ulp. Evaluated in double precision, half a vector at a time.
  @inline(__always) static func cosineOfTurns(_ x: Self) -> Self {
    let (low, high) = x.doubles
    return Self(DoubleLanes.cosineOfTurns(low), DoubleLanes.cosineOfTurns(high))
  }
}

extension DoubleLanes {
  /// At most 2 ulp, also around its zeros.
  @inline(__always) static func cosineOfTurns(_ x: Self) -> Self {
    // From 2^53 on all numbers are integral; inf − inf is NaN. Below, the first rounding may leave 1 of a turn over.
    let turns = x.magnitude
    let some = select(turns .< Self(0x1p53), turns, turns - turns)
    let once = some - rounded(some)
    let rest = (once - rounded(once)).magnitude
    let isRight = rest .<= Self(0.25)
    let angle = select(isRight, rest, Self(0.5) - rest)  // cos(½ turn − a) = −cos a
    let sign = select(isRight, one, -one)

    let u = angle * angle
    var q = Self(-0x1.affe0dc5d7a98p0)
    q = fma(q, u, Self(0x1.f9c407003277fp2))
    q = fma(q, u, Self(-0x1.a6d1e178565bdp4))
    q = fma(q, u, Self(0x1.e1f50674e4ad7p5))
    q = fma(q, u, Self(-0x1.55d3c7e3bf833p6))
    q = fma(q, u, Self(0x1.03c1f081b5a50p6))
    q = fma(q, u, Self(-0x1.3bd3cc9be45dep4))
    let cosine = fma(q, u, one)

    // sin 2πs = s·(2π + s²·p(s²)), 2π in two parts.
    let s = Self(0.25) - angle
    let w = s * s
    var p = Self(0x1.e405a18abe898p1)
    p = fma(p, w, Self(-0x1.e300ac0b3c481p3))
    p = fma(p, w, Self(0x1.5078302222937p5))
    p = fma(p, w, Self(-0x1.32d2cce33aa4dp6))
    p = fma(p, w, Self(0x1.466bc67758dfdp6))
    p = fma(p, w, Self(-0x1.4abbce625be47p5))
    let sine = fma(s, Self(0x1.921fb54442d18p2), s * fma(p, w, Self(0x1.1a62633145c07p-52)))
    return sign * select(angle .<= Self(0.125), cosine, sine)
  }

  /// The nearest integer below 2^51 (ties to even), an integer no more than 1 away below 2^53.
  @inline(__always) private static func rounded(_ x: Self) -> Self {
    let shift = Self(0x1.8p52)
    return (x + shift) - shift
  }
}
