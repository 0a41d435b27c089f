// Functions of a ratio that the ratio's own range or rounding would spoil.

extension FloatLanes {
  @inline(__always) static func power(ofRatio a: Self, _ b: Self, _ y: Double) -> Self {
    let (aLow, aHigh) = a.doubles
    let (bLow, bHigh) = b.doubles
    let y = DoubleLanes(y)
    return Self(DoubleLanes.powerToFloat(aLow / bLow, y), DoubleLanes.powerToFloat(aHigh / bHigh, y))
  }
}

extension DoubleLanes {
  @inline(__always) static func power(ofRatio a: Self, _ b: Self, _ y: Double) -> Self { pow(a / b, Self(y)) }
}

/// A divisor whose quotients' logarithms are wanted: log(x/d) for 0 ≤ x ≤ d, also where x/d is below the smallest number,
/// and without the cancellation of log x − log d: what is rounded is the quotient.
struct LogarithmOfRatio<V: Lanes> {
  /// d = scaled · 2^exponent, so that x / scaled neither overflows nor, for a normal x, underflows.
  let scaled, exponent: V

  @inline(__always) init(_ divisor: V) {
    let (f, e) = V.decomposed(divisor)
    scaled = V.select(divisor .== divisor, V(2) + (f + f), V.nan)
    exponent = e - V.one
  }

  @inline(__always) init(scaled: V, exponent: V) {
    self.scaled = scaled
    self.exponent = exponent
  }

  @inline(__always) func callAsFunction(_ x: V) -> V {
    let quotient = x / scaled
    let (f, e) = V.decomposed(quotient)
    return V.logarithmAtLimits(quotient, V.logarithm(f, e - exponent))
  }
}
