/// EnsLoss: the gradient of a random convex, calibrated loss of the margin, drawn anew in each call.
///
///     m_i = y_i f_i,   r_i = B⁻¹(ξ_i),   d_i = max(−r_i, −1)
///     g: the k-th smallest margin gets the k-th smallest d;   g_i ← g_i / m_i where m_i > 1 (tail);   g_i ← g_i − shift
///     L_i = g_i m_i,   dL/df_i = g_i y_i
///
/// B⁻¹(ξ) = max(1 + λξ, 0)^{1/λ} is the inverse Box-Cox transform, e^ξ for λ = 0. The derivatives g are constants: the gradient
/// is not that of L, which is no more than a proxy.
///
/// - Parameters:
///   - f: scores, `[count]`. A NaN has the largest margin.
///   - y: 1 or −1, `[count]`.
///   - count: ≥ 0, below 2^31.
///   - seed: of the noise, any 64 bits, default 0: ξ_i is element i of philox_normal.
///   - lam: λ, finite, default 0.
///   - noise: optional, ξ, `[count]`; default: drawn.
///   - tail: divide g by margins above 1? Default true.
///   - shift: finite, default 1e-6. It makes g negative.
///   - reduction: default mean, weighted.
///   - sampleWeight: optional, `[count]`, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, `[count]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight,
///   OUT_OF_MEMORY.
/// - Reference: Dai and Wang 2025, EnsLoss: Stochastic Calibrated Loss Ensembles for Preventing Overfitting in
///   Classification.
func ensLoss<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ count: Int, _ seed: UInt64, _ lam: Double,
  _ noise: UnsafePointer<S>?, _ tail: Bool, _ shift: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, count <= largestSortCount else { return .invalidShape }
  guard lam.magnitude < .infinity, shift.magnitude < .infinity else { return .invalidParameter }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if count == 0 { return call.empty }
  guard let f, let y else { return .nullPointer }
  for i in 0..<count where y[i].magnitude != 1 { return .invalidTarget }
  guard areWeights(sampleWeight, count) else { return .invalidValue }
  return withWorkspace { arena in
    EnsLossArrays<S>(
      sorter: Sorter(&arena, capacity: count), derivatives: arena.take(S.self, count), sorted: arena.take(S.self, count))
  } _: { arrays in
    arrays.draw(count, Philox(seed: seed), noise, lam)
    arrays.assign(f, y, count, tail: tail, S(shift))
    elementLoss(DerivativeTimesScore<S.Vector>(), f, UnsafePointer(arrays.derivatives), rows: count, columns: 1, call)
    return .ok
  }
}

private struct EnsLossArrays<S: Scalar> {
  typealias V = S.Vector
  let sorter: Sorter<S.Bits>
  /// d, then y·g.
  let derivatives: UnsafeMutablePointer<S>
  /// d in ascending order.
  let sorted: UnsafeMutablePointer<S>

  /// `d = max(−B⁻¹(ξ), −1)`, in double: what is lost of 1 + λξ is a multiple of the result's last place.
  func draw(_ count: Int, _ random: Philox, _ noise: UnsafePointer<S>?, _ lam: Double) {
    let inverse = DoubleLanes(lam == 0 ? 0 : 1 / lam)
    @inline(__always) func derivative(_ xi: DoubleLanes) -> DoubleLanes {
      let product = DoubleLanes(lam) * xi
      let logarithm = DoubleLanes.log1p(DoubleLanes.select(product .< -DoubleLanes.one, -DoubleLanes.one, product))
      let r = DoubleLanes.exp(lam == 0 ? xi : logarithm * inverse)
      return DoubleLanes.max(-DoubleLanes.one, -r)
    }
    forEachVector(V.self, 0..<count) { i, n in
      let xi = noise.map { V.load($0 + i, lanes: n) } ?? V.drawn(i) { random.normal($0) }
      let (low, high) = xi.doubles
      V(derivative(low), derivative(high)).store(derivatives + i, lanes: n)
    }
  }

  /// `derivatives = y·g`.
  func assign(_ f: UnsafePointer<S>, _ y: UnsafePointer<S>, _ count: Int, tail: Bool, _ shift: S) {
    let byDerivative = sorter.sorted(count) { key(derivatives[$0]) }
    for k in 0..<count { sorted[k] = derivatives[Int(byDerivative[k].index)] }
    let byMargin = sorter.sorted(count) { key(y[$0] * f[$0]) }
    for k in 0..<count {
      let i = Int(byMargin[k].index)
      let margin = y[i] * f[i]
      let g = tail && margin > 1 ? sorted[k] / margin : sorted[k]
      derivatives[i] = y[i] * (g - shift)
    }
  }

  /// NaN comes last.
  @inline(__always) private func key(_ x: S) -> S.Bits { x.isNaN ? .max : x.ascendingKey }
}

/// The loss g m = (y g) f, whose derivative y g is handed in where other losses have the target.
private struct DerivativeTimesScore<V: Lanes>: ElementLoss {
  @inline(__always) func evaluate(_ f: V, _ derivative: V, _: V) -> (value: V, derivative: V) {
    (derivative * f, derivative)
  }
}
