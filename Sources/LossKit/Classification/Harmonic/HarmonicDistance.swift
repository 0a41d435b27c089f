/// The distances δ of a feature x and a class centre w; d = x − w and a = |d| coordinate by coordinate.
enum HarmonicDistance: Int32 {
  /// `Σ d² + eps`: squared, so that n counts powers of d².
  case euclidean = 0
  /// `Σ a + eps`
  case manhattan = 1
  /// `1 − cos(x, w) + eps`
  case cosine = 2
  /// `(Σ (a + eps)^p + eps)^{1/p} + eps`
  case minkowski = 3
  /// `Σ |σ(x/T) − σ(w/T)| + eps`, T the temperature
  case hammingSoft = 4
  /// `Σ |[x > threshold] − [w > threshold]| + eps`; its gradient goes through the soft form.
  case hammingHard = 5
  /// `max a + eps`
  case chebyshev = 6
  /// `log(Σ e^{smooth · a}) / smooth + eps`
  case chebyshevLse = 7
  /// `Σ softmax(u) u + eps`, u = a / (sd + eps), sd the sample standard deviation of a
  case chebyshevSoft = 8
  /// `Σ a / max(|x| + |w|, min_denom) + eps`
  case canberra = 9
  /// `Σ (o/Σo) a / den + eps`, den = |x| + |w| + eps, o = den^weight_power
  case canberraWeighted = 10
  /// `Σ a / max(|Σ (x + w)| + eps, 10 eps) + eps`
  case brayCurtis = 11
  /// `Σ a / max(Σ (|x| + |w|) + eps, 10 eps) + eps`
  case brayCurtisAbs = 12
  /// `bray_curtis` of (|x| + eps) / Σ (|x| + eps) and w likewise
  case brayCurtisNormalized = 13
  /// `√(dᵀ S d + eps) + eps`, S the precision: a positive semidefinite matrix, its diagonal, or the identity
  case mahalanobis = 14
}

/// What is beyond this is clamped, and has no gradient.
private let largestDistance = 1e6

/// A distance with its parameters, and the exponent n of the harmonic probabilities p_v ∝ δ_v^−n.
struct HarmonicModel<S: Scalar> {
  typealias V = DoubleLanes
  let distance: HarmonicDistance
  let n, eps, p, temperature, threshold, smooth, minDenom, weightPower: Double
  let precision: UnsafePointer<S>?
  let precisionIsMatrix: Bool

  var isValid: Bool {
    isPositive(n) && isPositive(eps) && isPositive(p) && isPositive(temperature) && isPositive(smooth)
      && isPositive(minDenom) && threshold.isFinite && weightPower.isFinite
  }

  var usesPrecision: Bool { distance == .mahalanobis && precision != nil }

  /// The vectors of a block of points, with what their map keeps.
  func stride(_ dimensions: Int) -> Int {
    switch distance {
    case .cosine, .hammingSoft, .hammingHard, .brayCurtisNormalized: return 2 &* dimensions
    default: return usesPrecision ? 2 &* dimensions : dimensions
    }
  }

  /// `−n log δ`
  @inline(__always) func logit(_ distance: V) -> V { V(-n) * V.log(clamped(distance)) }

  /// The logit less that of the nearest centre.
  @inline(__always) func logit(_ distance: V, nearest: V) -> V { V(n) * V.log(nearest / distance) }

  @inline(__always) func clamped(_ distance: V) -> V { V.min(V(largestDistance), distance) }

  /// dL/dδ from dL/dlogit
  @inline(__always) func coefficient(_ g: V, _ distance: V) -> V {
    V.select(V(largestDistance) .<= distance, V.zero, V(-n) * g / distance)
  }

  /// How points are prepared; `matrix` has room for the precision.
  func map(_ matrix: UnsafeMutablePointer<Double>, _ dimensions: Int) -> PointMap {
    switch distance {
    case .cosine: return .unitLength
    case .hammingSoft: return .logistic(temperature: V(temperature))
    case .hammingHard: return .step(threshold: V(threshold), temperature: V(temperature))
    case .brayCurtisNormalized: return .unitSum(eps: V(eps))
    case .mahalanobis:
      guard let precision else { return .identity }
      for i in 0..<dimensions {
        if !precisionIsMatrix { matrix[i] = precision[i].double }
        for j in 0..<(precisionIsMatrix ? dimensions : 0) {
          let sum = precision[i &* dimensions &+ j].double + precision[j &* dimensions &+ i].double
          matrix[i &* dimensions &+ j] = sum / 2
        }
      }
      return precisionIsMatrix ? .matrix(matrix) : .diagonal(matrix)
    default: return .identity
    }
  }

  @inline(never)
  func run<C: DistanceConsumer>(_ pairs: PointPairs, _ consumer: C) {
    let eps = V(self.eps)
    switch distance {
    case .euclidean: pairs.run(SquaredDistance(offset: eps), consumer)
    case .manhattan, .hammingSoft, .hammingHard: pairs.run(Manhattan(eps: eps), consumer)
    case .cosine: pairs.run(Cosine(eps: eps), consumer)
    case .minkowski: pairs.run(Minkowski(p: p, eps: eps), consumer)
    case .chebyshev: pairs.run(Chebyshev(eps: eps), consumer)
    case .chebyshevLse: pairs.run(ChebyshevLogSumExp(smooth: V(smooth), eps: eps), consumer)
    case .chebyshevSoft: pairs.run(ChebyshevSoft(eps: eps), consumer)
    case .canberra: pairs.run(Canberra(smallest: V(minDenom), eps: eps), consumer)
    case .canberraWeighted: pairs.run(CanberraWeighted(exponent: weightPower, eps: eps), consumer)
    case .brayCurtis, .brayCurtisNormalized: pairs.run(BrayCurtis(ofMagnitudes: false, eps: eps), consumer)
    case .brayCurtisAbs: pairs.run(BrayCurtis(ofMagnitudes: true, eps: eps), consumer)
    case .mahalanobis: pairs.run(Mahalanobis(isEuclidean: precision == nil, eps: eps), consumer)
    }
  }
}
