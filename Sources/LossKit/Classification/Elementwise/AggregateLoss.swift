/// Whose loss `aggregateLoss` is.
enum AggregateLevel: Int32 {
  /// The bags': ρ = 0.
  case bag = 0
  /// The instances': ρ = 1.
  case instance = 1
  /// Both, weighted by ρ.
  case interpolated = 2
}

/// The loss of a response in `aggregateLoss`.
enum AggregateResponse: Int32 {
  /// (t − q)² with q = f.
  case square = 0
  /// −t log q − (1 − t) log(1 − q) with q = σ(f).
  case logistic = 1
}

/// How `aggregateLoss` joins the losses of instances.
enum BagReduction: Int32 {
  /// The mean over the bags that are not empty of the means in the bags.
  case mean = 0
  /// The mean over the instances.
  case instances = 1
}

/// Loss of instances of which only the mean responses of bags are known.
///
///     L_bag = (1/B') Σ_b ℓ(ȳ_b, mean_{i∈b} q_i)      over the B' bags that are not empty
///     L_ins = (1/B') Σ_b mean_{i∈b} ℓ(ȳ_b, q_i)      or (1/N) Σ_i ℓ(ȳ_{b(i)}, q_i)
///     L = (1 − ρ) L_bag + ρ L_ins
///
/// - Parameters:
///   - f: predictions or logits, `[count]`.
///   - bag: `[count]`: the bag of each instance, in 0 ..< bags.
///   - ybar: ȳ, `[bags]`: the mean responses.
///   - count: instances, ≥ 0.
///   - bags: ≥ 0.
///   - level: whose loss counts, default interpolated.
///   - rho: ρ in [0, 1], default 0.5; of the interpolated level.
///   - response: ℓ, default square.
///   - bagReduction: how the losses of instances are joined, default mean.
///   - loss: optional output, one value.
///   - grad: optional output, shaped as `f`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Javanmard et al. 2024, Learning from Aggregate Responses: Instance Level versus Bag Level Loss Functions.
func aggregateLoss<S: Scalar>(
  _ f: UnsafePointer<S>?, _ bag: UnsafePointer<Int64>?, _ ybar: UnsafePointer<S>?, _ count: Int, _ bags: Int,
  _ level: AggregateLevel, _ rho: Double, _ response: AggregateResponse, _ bagReduction: BagReduction,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, elementCount(bags, 1) != nil else { return .invalidShape }
  guard rho >= 0, rho <= 1 else { return .invalidParameter }
  if count == 0 {
    loss?.pointee = 0
    return .ok
  }
  guard let f, let bag, ybar != nil || bags == 0 else { return .nullPointer }
  for i in 0..<count where UInt64(bitPattern: bag[i]) >= UInt64(bags) { return .invalidTarget }
  guard let ybar else { return .invalidTarget }
  let share = level == .bag ? 0 : level == .instance ? 1 : rho
  return withWorkspace(layout: { arena in BagStatistics(&arena, bags) }) { statistics in
    let call = AggregateCall(
      f: f, bag: bag, ybar: ybar, count: count, share: share, perInstance: bagReduction == .instances)
    let value =
      response == .square
      ? call.run(SquareResponse(), statistics, grad) : call.run(LogisticResponse(), statistics, grad)
    loss?.pointee = S(value)
    return .ok
  }
}

/// The loss of a response, in double; everything that may cancel is given by both q and 1 − q.
private protocol Response {
  /// q and 1 − q of a prediction f.
  func probability(_ f: DoubleLanes) -> (q: DoubleLanes, complement: DoubleLanes)
  /// ℓ and dℓ/df of an instance.
  func instance(_ f: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes)
  /// ℓ of a bag's mean q, and dℓ/dq · scale.
  func ofMean(_ q: DoubleLanes, _ complement: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes)
  /// dq_i/df_i / scale, of an instance in a bag.
  func sensitivity(_ f: DoubleLanes, mean q: DoubleLanes, _ complement: DoubleLanes) -> DoubleLanes
}

private struct SquareResponse: Response {
  @inline(__always) func probability(_ f: DoubleLanes) -> (q: DoubleLanes, complement: DoubleLanes) { (f, f) }

  @inline(__always) func instance(_ f: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes) {
    let residual = f - t
    return (residual * residual, residual + residual)
  }

  @inline(__always)
  func ofMean(_ q: DoubleLanes, _ complement: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes)
  {
    instance(q, t)
  }

  @inline(__always)
  func sensitivity(_ f: DoubleLanes, mean q: DoubleLanes, _ complement: DoubleLanes) -> DoubleLanes { DoubleLanes.one }
}

/// Here scale = q (1 − q) of the bag.
private struct LogisticResponse: Response {
  @inline(__always) func probability(_ f: DoubleLanes) -> (q: DoubleLanes, complement: DoubleLanes) {
    let s = Logistic(f)
    return (s.positive, s.negative)
  }

  @inline(__always) func instance(_ f: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes) {
    let s = Logistic(f)
    let zero = DoubleLanes.zero
    // softplus(f) − t f, of which the linear part vanishes on the right side.
    let side = DoubleLanes.select(f .> zero, DoubleLanes.one - t, -t)
    let linear = DoubleLanes.select(side .== zero, zero, side * f)
    return (linear + s.tail, residual(s.positive, s.negative, t))
  }

  @inline(__always)
  func ofMean(_ q: DoubleLanes, _ complement: DoubleLanes, _ t: DoubleLanes) -> (value: DoubleLanes, slope: DoubleLanes)
  {
    @inline(__always) func term(_ t: DoubleLanes, _ q: DoubleLanes) -> DoubleLanes {
      DoubleLanes.select(t .== DoubleLanes.zero, DoubleLanes.zero, t * DoubleLanes.log(q))
    }
    return (-(term(t, q) + term(DoubleLanes.one - t, complement)), residual(q, complement, t))
  }

  @inline(__always)
  func sensitivity(_ f: DoubleLanes, mean q: DoubleLanes, _ complement: DoubleLanes) -> DoubleLanes {
    let s = Logistic(f)
    return ratio(s.positive, q) * ratio(s.negative, complement)
  }

  /// A share of the mean; where that is 0, so are all its parts, and alike.
  @inline(__always) private func ratio(_ part: DoubleLanes, _ mean: DoubleLanes) -> DoubleLanes {
    DoubleLanes.select(mean .== DoubleLanes.zero, DoubleLanes.one, part / mean)
  }

  /// q − t
  @inline(__always)
  private func residual(_ q: DoubleLanes, _ complement: DoubleLanes, _ t: DoubleLanes) -> DoubleLanes {
    DoubleLanes.fma(DoubleLanes.one - t, q, -(t * complement))
  }
}

/// Of each bag.
private struct BagStatistics {
  let bags: Int
  /// Instances.
  let sizes: UnsafeMutablePointer<Double>
  /// The means of q and of 1 − q.
  let means, complements: UnsafeMutablePointer<Double>
  /// What its mean contributes to the gradient of each of its instances, per unit of sensitivity.
  let slopes: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ bags: Int) {
    self.bags = bags
    sizes = arena.take(Double.self, bags)
    means = arena.take(Double.self, bags)
    complements = arena.take(Double.self, bags)
    slopes = arena.take(Double.self, bags)
  }
}

private struct AggregateCall<S: Scalar> {
  let f: UnsafePointer<S>
  let bag: UnsafePointer<Int64>
  let ybar: UnsafePointer<S>
  let count: Int
  /// ρ.
  let share: Double
  let perInstance: Bool

  /// The loss; writes the gradient.
  @inline(__always)
  func run<R: Response>(_ response: R, _ b: BagStatistics, _ grad: UnsafeMutablePointer<S>?) -> Double {
    let filled = gather(response, b)
    var total = DoubleLanes.zero
    let zero = DoubleLanes.zero
    forEachVector(DoubleLanes.self, 0..<b.bags) { i, n in
      let sizes = DoubleLanes.load(b.sizes + i, first: n, fill: 0)
      let mean = response.ofMean(
        DoubleLanes.load(b.means + i, first: n, fill: 0), DoubleLanes.load(b.complements + i, first: n, fill: 0),
        reals(n) { ybar[i &+ $0].double })
      // A bag without instances counts no more than one without a share.
      let weight = DoubleLanes.select(sizes .== zero, zero, DoubleLanes((1 - share) / filled))
      let counts = zero .< weight
      total = total + DoubleLanes.select(counts, weight * mean.value, zero)
      DoubleLanes.select(counts, weight * mean.slope / sizes, zero).store(b.slopes + i, first: n)
    }
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      @inline(__always) func ofBag(_ p: UnsafeMutablePointer<Double>) -> DoubleLanes { reals(n) { p[Int(bag[i &+ $0])] } }
      let x = reals(n) { f[i &+ $0].double }
      let t = reals(n) { ybar[Int(bag[i &+ $0])].double }
      let instance = response.instance(x, t)
      var weight = DoubleLanes(share / Double(count))
      if !perInstance { weight = DoubleLanes(share / filled) / ofBag(b.sizes) }
      let counts = DoubleLanes.Integers.first(share > 0 ? n : 0)
      total = total + DoubleLanes.select(counts, weight * instance.value, zero)
      guard let grad else { return }
      let slope = ofBag(b.slopes)
      let fromBag = slope * response.sensitivity(x, mean: ofBag(b.means), ofBag(b.complements))
      let gradient =
        (share < 1 ? fromBag : zero) + DoubleLanes.select(counts, weight * instance.slope, zero)
      for j in 0..<n { grad[i &+ j] = S(gradient[j]) }
    }
    return total.sum
  }

  /// Fills in sizes and means; gives the number of bags that are not empty.
  @inline(__always) private func gather<R: Response>(_ response: R, _ b: BagStatistics) -> Double {
    for i in 0..<b.bags {
      b.sizes[i] = 0
      b.means[i] = 0
      b.complements[i] = 0
    }
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      let p = response.probability(reals(n) { f[i &+ $0].double })
      for j in 0..<n {
        let own = Int(bag[i &+ j])
        b.sizes[own] += 1
        b.means[own] += p.q[j]
        b.complements[own] += p.complement[j]
      }
    }
    var filled = 0.0
    for i in 0..<b.bags where b.sizes[i] > 0 {
      b.means[i] /= b.sizes[i]
      b.complements[i] /= b.sizes[i]
      filled += 1
    }
    return filled
  }
}

/// The first `n` lanes from a function of their numbers; the others are 0.
@inline(__always) private func reals(_ n: Int, _ value: (Int) -> Double) -> DoubleLanes {
  var lanes = DoubleLanes.zero
  for j in 0..<n { lanes[j] = value(j) }
  return lanes
}
