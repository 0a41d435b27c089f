// erf x = 2/√π · ∫₀ˣ e^{−t²} dt. An odd function: the result has the sign of x, which also gives −0 at −0.

extension FloatLanes {
  /// At most 1 ulp. Evaluated in double precision, half a vector at a time: there, one polynomial does.
  @inline(__always) static func erf(_ x: Self) -> Self {
    let (low, high) = min(Self(3.92 as Float), x.magnitude).doubles  // ±1 to the last bit at ±3.92
    return Self(DoubleLanes.erfToFloat(low), DoubleLanes.erfToFloat(high)).copySign(x)
  }
}

extension DoubleLanes {
  /// erf x = x·p(x² − c) for |x| ≤ 3.92, p a minimax polynomial about the middle c of the range of x², with 27 good
  /// bits: more than a float needs.
  @inline(__always) static func erfToFloat(_ x: Self) -> Self {
    let u = fma(x, x, Self(-0x1.ebbff8ae520d7p2))
    var p = Self(0x1.633e4106b002dp-59)
    p = fma(p, u, Self(-0x1.bd948cd3c5805p-55))
    p = fma(p, u, Self(0x1.44de5932e0facp-52))
    p = fma(p, u, Self(-0x1.e2516f3cf59c2p-49))
    p = fma(p, u, Self(0x1.b874d0dcfb8ccp-44))
    p = fma(p, u, Self(-0x1.9e30d4980eab6p-40))
    p = fma(p, u, Self(0x1.2f99ab544be4dp-36))
    p = fma(p, u, Self(-0x1.cf568c7794f1ap-33))
    p = fma(p, u, Self(0x1.597e1b65eec8ap-29))
    p = fma(p, u, Self(-0x1.d96ee6cb22583p-26))
    p = fma(p, u, Self(0x1.2fa69cce98777p-22))
    p = fma(p, u, Self(-0x1.72d79d0987254p-19))
    p = fma(p, u, Self(0x1.b435599d6f8fap-16))
    p = fma(p, u, Self(-0x1.f8c0d0a4943dap-13))
    p = fma(p, u, Self(0x1.29ad8ab3f9fe3p-9))
    p = fma(p, u, Self(-0x1.800adb920b942p-6))
    p = fma(p, u, Self(0x1.716295845fa7p-2))
    return x * p
  }

  /// At most 2 ulp. x + x·p(x²) up to 1, and 1 − e^{−x²}·q(x) above, where the second term is small.
  @inline(__always) static func erf(_ x: Self) -> Self {
    let inRange = min(Self(6), x.magnitude)  // ±1 to the last bit at ±6
    let square = inRange * inRange
    var p = Self(-0x1.ab1339c397a73p-31)
    p = fma(p, square, Self(0x1.d6e3025d0e34ep-27))
    p = fma(p, square, Self(-0x1.5bfe56664f79fp-23))
    p = fma(p, square, Self(0x1.b97e3efb8aed9p-20))
    p = fma(p, square, Self(-0x1.f4ca1fc81adfp-17))
    p = fma(p, square, Self(0x1.f9a2b74cd42a1p-14))
    p = fma(p, square, Self(-0x1.c02db01448dc5p-11))
    p = fma(p, square, Self(0x1.565bccf7e086bp-8))
    p = fma(p, square, Self(-0x1.b82ce311edfcfp-6))
    p = fma(p, square, Self(0x1.ce2f21a0408cfp-4))
    p = fma(p, square, Self(-0x1.812746b0379b2p-2))
    p = fma(p, square, Self(0x1.06eba8214db68p-3))
    let fromZero = fma(inRange, p, inRange)
    let t = inRange - Self(2.5)
    var q = Self(0x1.49c23b6ca57aep-40)
    q = fma(q, t, Self(-0x1.1fd9df37b1881p-38))
    q = fma(q, t, Self(0x1.4b4f0de9979a7p-40))
    q = fma(q, t, Self(-0x1.32b8d871eb629p-35))
    q = fma(q, t, Self(0x1.14e40d06ee89ep-32))
    q = fma(q, t, Self(-0x1.eb356c799af72p-31))
    q = fma(q, t, Self(0x1.f753073d876b8p-29))
    q = fma(q, t, Self(-0x1.16d624fdddc85p-26))
    q = fma(q, t, Self(0x1.2162f632bc488p-24))
    q = fma(q, t, Self(-0x1.24dec6604fe29p-22))
    q = fma(q, t, Self(0x1.2344d1c21a1dep-20))
    q = fma(q, t, Self(-0x1.1ad4e62d05f49p-18))
    q = fma(q, t, Self(0x1.0bcbb480486f7p-16))
    q = fma(q, t, Self(-0x1.edd3e840baa3cp-15))
    q = fma(q, t, Self(0x1.ba8a6b7393216p-13))
    q = fma(q, t, Self(-0x1.809ce9522fef3p-11))
    q = fma(q, t, Self(0x1.435c04cfb48b6p-9))
    q = fma(q, t, Self(-0x1.06320767c1bf9p-7))
    q = fma(q, t, Self(0x1.98958a7ab58b3p-6))
    q = fma(q, t, Self(-0x1.3086d7f01a2ep-4))
    q = fma(q, t, Self(0x1.afbb3f3b733bbp-3))
    let fromOne = fma(-expOfNonPositive(-square), q, one)
    return select(inRange .< one, fromZero, fromOne).copySign(x)
  }
}
