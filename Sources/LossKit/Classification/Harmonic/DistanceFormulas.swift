// The formulas of distances. Derivatives are with respect to `own`; d = own − other, a = |d|, s = sign(d).

extension DoubleLanes {
  /// −1, 0 or 1.
  @inline(__always) var sign: DoubleLanes { .select(self .== .zero, .zero, DoubleLanes.one.copySign(self)) }
}

/// `x^exponent` for x > 0, to some 10⁻¹⁵: halves of small integers, which are the defaults, are roots and products.
private struct PositivePower {
  typealias V = DoubleLanes
  let exponent: Double

  @inline(__always) func callAsFunction(_ x: V) -> V {
    switch exponent {
    case 0: return V.one
    case 0.5: return x.squareRoot
    case 1: return x
    case 1.5: return x * x.squareRoot
    case 2: return x * x
    default: return V.exp(V(exponent) * V.log(x))
    }
  }
}

/// `Σ a + eps`; derivative s
struct Manhattan: PointDistance {
  let eps: V
  @inline(__always) func distance(_ pair: PointPair) -> V { pair.sum { own, other in (own - other).magnitude } + eps }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V { c * (own - other).sign }
}

/// `1 − ⟨own, other⟩ + eps` for points of length 1; derivative −other
struct Cosine: PointDistance {
  let eps: V
  @inline(__always) func distance(_ pair: PointPair) -> V { (V.one - pair.sum { own, other in own * other }) + eps }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V { -(c * other) }
}

/// `T^{1/p} + eps`, T = Σ (a + eps)^p + eps; derivative `T^{1/p−1} (a + eps)^{p−1} s`
struct Minkowski: PointDistance {
  let eps: V
  private let power, root, slopePower, slopeRoot: PositivePower

  init(p: Double, eps: V) {
    self.eps = eps
    power = PositivePower(exponent: p)
    root = PositivePower(exponent: 1 / p)
    slopePower = PositivePower(exponent: p - 1)
    slopeRoot = PositivePower(exponent: 1 - p)
  }

  @inline(__always) func distance(_ pair: PointPair) -> V {
    root(pair.sum { own, other in power((own - other).magnitude + eps) } + eps) + eps
  }
  @inline(__always) func coefficient(_ c: V, _ distance: V) -> V { c * slopeRoot(distance - eps) }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V {
    let d = own - other
    return c * slopePower(d.magnitude + eps) * d.sign
  }
}

/// `max a + eps`; derivative s at the first maximum, else 0
struct Chebyshev: PointDistance {
  let eps: V
  @inline(__always) func distance(_ pair: PointPair) -> V { pair.maximumDifference.value + eps }
  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> (c: V, index: V) { (c, pair.maximumDifference.index) }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ slope: (c: V, index: V)) -> V {
    V.select(slope.index .== V(Double(i)), slope.c * (own - other).sign, V.zero)
  }
}

extension PointPair {
  /// The largest a, and where it stands first.
  @inline(__always) var maximumDifference: (value: V, index: V) { maximum { own, other in (own - other).magnitude } }
}

/// `log(Σ e^{smooth · a}) / smooth + eps`; derivative `softmax(smooth · a) s`
struct ChebyshevLogSumExp: PointDistance {
  let smooth, eps: V

  @inline(__always) func distance(_ pair: PointPair) -> V {
    let (maximum, sum) = exponentials(pair)
    return maximum + V.log(sum) / smooth + eps
  }
  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> (c: V, maximum: V) {
    let (maximum, sum) = exponentials(pair)
    return (c / sum, maximum)
  }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ slope: (c: V, maximum: V)) -> V {
    let d = own - other
    return slope.c * V.exp(smooth * (d.magnitude - slope.maximum)) * d.sign
  }
  @inline(__always) private func exponentials(_ pair: PointPair) -> (maximum: V, sum: V) {
    let maximum = pair.maximumDifference.value
    return (maximum, pair.sum { own, other in V.exp(smooth * ((own - other).magnitude - maximum)) })
  }
}

/// `Σ ω u + eps`, ω = softmax(u), u = a / (sd + eps); with g = ω (1 + u − Σ ω u) the derivative is
/// `s (g − (g·u) (a − mean a) / ((D − 1) sd)) / (sd + eps)`, without the second term where sd = 0
struct ChebyshevSoft: PointDistance {
  let eps: V

  struct Slope {
    /// 1 / (sd + eps), the mean of a, the largest u
    let scale, mean, maximum: V
    /// ω = weight · e^{u − maximum}
    let weight: V
    /// Σ ω u
    let expectation: V
    /// c / (sd + eps), and that times (g·u) / ((D − 1) sd)
    let c, spread: V
  }

  @inline(__always) func distance(_ pair: PointPair) -> V { slope(pair, V.zero).expectation + eps }

  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> Slope {
    let others = V(Double(pair.coordinates &- 1))
    let mean = pair.sum { own, other in (own - other).magnitude } / V(Double(pair.coordinates))
    let squares = pair.sum { own, other in
      let deviation = (own - other).magnitude - mean
      return deviation * deviation
    }
    let sd = (squares / others).squareRoot
    let scale = V.one / (sd + eps)
    let maximum = pair.maximumDifference.value * scale
    var sum = V.zero, first = V.zero, second = V.zero
    for i in 0..<pair.coordinates {
      let u = (pair.own(i) - pair.other(i)).magnitude * scale
      let e = V.exp(u - maximum)
      sum = sum + e
      first = V.fma(e, u, first)
      second = V.fma(e * u, u, second)
    }
    let weight = V.one / sum
    let expectation = first * weight
    // g·u = Σ ω u + Σ ω u² − (Σ ω u)²
    let product = V.fma(-expectation, expectation, V.fma(second, weight, expectation))
    let c = c * scale
    return Slope(
      scale: scale, mean: mean, maximum: maximum, weight: weight, expectation: expectation, c: c,
      spread: V.select(sd .== V.zero, V.zero, c * product / (others * sd)))
  }

  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ k: Slope) -> V {
    let d = own - other
    let u = d.magnitude * k.scale
    let g = V.exp(u - k.maximum) * k.weight * (V.one + u - k.expectation)
    return (k.c * g - k.spread * (d.magnitude - k.mean)) * d.sign
  }
}

/// `Σ a / den + eps`, den = max(|own| + |other|, smallest); derivative `s/den − a sign(own)/den²`, the last unless
/// clamped
struct Canberra: PointDistance {
  let smallest, eps: V

  @inline(__always) func distance(_ pair: PointPair) -> V {
    pair.sum { own, other in (own - other).magnitude / V.max(smallest, own.magnitude + other.magnitude) } + eps
  }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V {
    let d = own - other
    let sum = own.magnitude + other.magnitude
    let denominator = V.max(smallest, sum)
    let share = V.select(smallest .< sum, d.magnitude / denominator * own.sign, V.zero)
    return c * (d.sign - share) / denominator
  }
}

/// `D0 + eps`, D0 = Σ (o/O) a/den, den = |own| + |other| + eps, o = den^θ, O = Σ o; derivative
/// `(o/O) (s/den + sign(own) ((θ/den) (a/den − D0) − a/den²))`
struct CanberraWeighted: PointDistance {
  let eps, exponent: V
  private let power: PositivePower

  init(exponent: Double, eps: V) {
    self.eps = eps
    self.exponent = V(exponent)
    power = PositivePower(exponent: exponent)
  }

  struct Slope {
    /// D0, and c / O
    let ratio, c: V
  }

  @inline(__always) func distance(_ pair: PointPair) -> V { slope(pair, V.one).ratio + eps }

  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> Slope {
    var weights = V.zero, ratios = V.zero
    for i in 0..<pair.coordinates {
      let denominator = pair.own(i).magnitude + pair.other(i).magnitude + eps
      let weight = power(denominator)
      weights = weights + weight
      ratios = ratios + weight * ((pair.own(i) - pair.other(i)).magnitude / denominator)
    }
    return Slope(ratio: ratios / weights, c: c / weights)
  }

  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ k: Slope) -> V {
    let d = own - other
    let denominator = own.magnitude + other.magnitude + eps
    let ratio = d.magnitude / denominator
    let ofDenominator = own.sign * (exponent * (ratio - k.ratio) - ratio)
    return k.c * power(denominator) * (d.sign + ofDenominator) / denominator
  }
}

/// `Nn/Dn + eps`, Nn = Σ a, Dn = max(|Sm| + eps, 10 eps), Sm = Σ (own + other), or of their magnitudes; derivative
/// `s/Dn − Nn sign(Sm)/Dn²`, the last unless clamped
struct BrayCurtis: PointDistance {
  let ofMagnitudes: Bool
  let eps: V

  struct Slope {
    /// c / Dn, and c Nn sign(Sm) / Dn², 0 where clamped
    let c, ofDenominator: V
  }

  @inline(__always) func distance(_ pair: PointPair) -> V {
    let (numerator, sum) = sums(pair)
    return numerator / denominator(sum) + eps
  }
  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> Slope {
    let (numerator, sum) = sums(pair)
    let denominator = denominator(sum)
    let isFree = V(10) * eps .< sum.magnitude + eps
    let c = c / denominator
    return Slope(c: c, ofDenominator: V.select(isFree, c * numerator / denominator * sum.sign, V.zero))
  }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ k: Slope) -> V {
    k.c * (own - other).sign - k.ofDenominator * (ofMagnitudes ? own.sign : V.one)
  }
  @inline(__always) private func sums(_ pair: PointPair) -> (numerator: V, sum: V) {
    (
      pair.sum { own, other in (own - other).magnitude },
      ofMagnitudes
        ? pair.sum { own, other in own.magnitude + other.magnitude } : pair.sum { own, other in own + other }
    )
  }
  @inline(__always) private func denominator(_ sum: V) -> V { V.max(V(10) * eps, sum.magnitude + eps) }
}

/// `√(q + eps) + eps`, q = dᵀ S d ≥ 0. Behind its coordinates a point has those of S times the point, unless S is the
/// identity. The derivative, `S d / √(q + eps)`, leaves S to the sums of d.
struct Mahalanobis: PointDistance {
  let isEuclidean: Bool
  let eps: V

  @inline(__always) func distance(_ pair: PointPair) -> V {
    let images = isEuclidean ? 0 : pair.coordinates
    let q = pair.sum { i in
      (pair.own(i) - pair.other(i)) * (pair.own(images &+ i) - pair.other(images &+ i))
    }
    return (V.max(V.zero, q) + eps).squareRoot + eps
  }
  @inline(__always) func coefficient(_ c: V, _ distance: V) -> V { c / (distance - eps) }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V { c * (own - other) }
}
