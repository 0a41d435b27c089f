/// What the weights of an ensemble of temperatures minimise.
enum EnsembleLoss: Int32 {
  /// The mean squared error over all probabilities.
  case mse = 0
  /// The mean negative log-likelihood.
  case ce = 1
}

/// Ensemble temperature scaling: a mixture of the tempered, the given and the uniform distribution.
///
///     p = w₀ softmax(z/T) + w₁ softmax(z) + w₂ / C,  w ≥ 0, Σ w = 1
///
/// T is that of temperature scaling. `mse`: w minimises the mean of (p − onehot y)² over rows and classes: a convex
/// quadratic problem, solved exactly by trying every set of components that may be in use. `ce`: w minimises the mean
/// of −log p_y by expectation maximisation from ⅓, until max |Δw| ≤ `tol`.
///
/// - Parameters:
///   - logits: `[count, classes]`; −inf is a masked class.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 1.
///   - classes: C, ≥ 1.
///   - lossKind: `mse` (usual) or `ce`.
///   - maxIter: the most iterations of `ce`, ≥ 1; 10000 is usual.
///   - tol: of `ce`, ≥ 0; 1e-12 is usual.
///   - temperature: optional output, T, within 0.01 ... 100.
///   - weights: optional output, `[3]`, w.
///   - objective: optional output, what w minimises.
///   - converged: optional output, 1, or 0 if `ce` has used all its iterations.
/// - Errors: INVALID_VALUE if a logit is NaN or +inf, or the label's logit is −inf.
/// - Reference: Zhang, Kailkhura and Han, Mix-n-Match: Ensemble and Compositional Methods for Uncertainty Calibration in Deep
///   Learning, 2020.
func ensembleTemperatureScalingFit<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ lossKind: EnsembleLoss,
  _ maxIter: Int, _ tol: Double, _ temperature: UnsafeMutablePointer<S>?, _ weights: UnsafeMutablePointer<S>?,
  _ objective: UnsafeMutablePointer<S>?, _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard count >= 1, classes >= 1, elementCount(count, classes) != nil, elementCount(count, 2) != nil else {
    return .invalidShape
  }
  guard maxIter >= 1, tol >= 0 else { return .invalidParameter }
  guard let logits, let y else { return .nullPointer }
  let likelihood = TemperedLikelihood(logits: logits, y: y, count: count, classes: classes)
  let faults = likelihood.faults
  guard faults.status == .ok else { return faults.status }
  let fit = likelihood.minimise(from: 0.01, to: 100)
  return withWorkspace(layout: {
    (own: $0.take(Double.self, 2 &* count), products: $0.take(MixtureProducts.self, Split.limit))
  }) { memory in
    let split = Split(count, smallest: max(1, smallestElementwisePart / 8 / classes))
    parallel(
      split.parts,
      MixtureJob(
        likelihood: likelihood, beta: fit.beta, own: memory.own, products: memory.products, split: split))
    var products = MixtureProducts()
    for part in 0..<split.parts { products.join(memory.products[part]) }
    let mixture =
      lossKind == .mse
      ? products.leastSquares(elements: Double(count) * Double(classes))
      : likeliestMixture(memory.own, count, uniform: 1 / Double(classes), maxIter, tol)
    temperature?.pointee = S(1 / fit.beta)
    for k in 0..<3 { weights?[k] = S(mixture.weights[k]) }
    objective?.pointee = S(mixture.objective)
    converged?.pointee = mixture.isConverged ? 1 : 0
    return .ok
  }
}

private typealias Three = InlineArray<3, Double>

private struct Mixture {
  var weights = Three(repeating: 0)
  var objective = Double.infinity
  var isConverged = true
}

/// Σ r_k · r_l over rows, where r_k = (component k) − onehot y. As the weights sum to 1, the squared error of the
/// mixture is wᵀ G w.
private struct MixtureProducts {
  private var sums = InlineArray<6, Double>(repeating: 0)
  private static func index(_ k: Int, _ l: Int) -> Int { k <= l ? k &* (5 &- k) / 2 &+ l : index(l, k) }

  subscript(_ k: Int, _ l: Int) -> Double {
    get { sums[Self.index(k, l)] }
    set { sums[Self.index(k, l)] = newValue }
  }

  mutating func join(_ other: MixtureProducts) {
    for i in 0..<6 { sums[i] += other.sums[i] }
  }

  /// The weights ≥ 0 of sum 1 that make wᵀ G w / elements least.
  func leastSquares(elements: Double) -> Mixture {
    var best = Mixture()
    let supports: InlineArray<7, Int> = [0b001, 0b010, 0b100, 0b011, 0b101, 0b110, 0b111]
    for i in 0..<7 {
      guard let weights = stationary(supports[i]) else { continue }
      var square = 0.0
      for k in 0..<3 {
        for l in 0..<3 { square += weights[k] * weights[l] * self[k, l] }
      }
      if square / elements < best.objective { best = Mixture(weights: weights, objective: square / elements) }
    }
    return best
  }

  /// The stationary point among the weights that are 0 outside a set of components: G w ∝ 1 on the set. nil where there
  /// is no single one, or some weight is negative.
  private func stationary(_ support: Int) -> Three? {
    var used = InlineArray<3, Int>(repeating: 0)
    var n = 0
    for k in 0..<3 where support >> k & 1 == 1 {
      used[n] = k
      n &+= 1
    }
    var rows = InlineArray<3, InlineArray<4, Double>>(repeating: InlineArray(repeating: 0))
    for i in 0..<n {
      for j in 0..<n { rows[i][j] = self[used[i], used[j]] }
      rows[i][3] = 1
    }
    if n > 1 {
      // Elimination, with the largest pivot that symmetry leaves on the diagonal: G is positive semidefinite.
      for i in 0..<n {
        guard rows[i][i] > 1e-14 * self[used[i], used[i]] else { return nil }
        for j in 0..<n where j != i {
          let factor = rows[j][i] / rows[i][i]
          for c in 0..<4 { rows[j][c] -= factor * rows[i][c] }
        }
      }
    }
    var sum = 0.0
    for i in 0..<n { sum += n == 1 ? 1 : rows[i][3] / rows[i][i] }
    var weights = Three(repeating: 0)
    for i in 0..<n {
      let weight = (n == 1 ? 1 : rows[i][3] / rows[i][i]) / sum
      guard weight >= -1e-12 else { return nil }
      weights[used[i]] = max(weight, 0)
    }
    return weights
  }
}

/// Computes both softmaxes of the rows of each part.
private struct MixtureJob<S: Scalar>: ParallelJob {
  let likelihood: TemperedLikelihood<S>
  let beta: Double
  /// `[2, count]`: the probability of the label, tempered and not.
  let own: UnsafeMutablePointer<Double>
  let products: UnsafeMutablePointer<MixtureProducts>
  let split: Split

  @inline(__always) func run(part: Int) {
    var sum = MixtureProducts()
    for row in split.range(part) { add(row, to: &sum) }
    products[part] = sum
  }

  @inline(__always) private func add(_ row: Int, to sum: inout MixtureProducts) {
    let classes = likelihood.classes
    let z = likelihood.logits + row &* classes
    let label = Int(likelihood.y[row])
    let shift = likelihood.largest(z)
    let uniform = 1 / Double(classes)
    // Squares of the classes other than the label, from the exponentials; the label's own are added last.
    var mass = (DoubleLanes.zero, DoubleLanes.zero)
    var squares = (DoubleLanes.zero, DoubleLanes.zero, DoubleLanes.zero)
    forEachEight(z, 0..<classes) { c, z, n in
      let u = DoubleLanes.select(Int64Lanes.first(n), z, -DoubleLanes.infinity) - DoubleLanes(shift)
      let others = ~((Int64Lanes.indices &+ Int64Lanes(c)) .== Int64Lanes(label))
      let e = DoubleLanes.select(others, DoubleLanes.expOfNonPositive(u), DoubleLanes.zero)
      let t = DoubleLanes.select(others, DoubleLanes.expOfNonPositive(DoubleLanes(beta) * u), DoubleLanes.zero)
      mass = (mass.0 + t, mass.1 + e)
      squares = (squares.0 + t * t, squares.1 + t * e, squares.2 + e * e)
    }
    let gap = z[label].double - shift
    let own = (scalarExponential(beta * gap), scalarExponential(gap))
    let others = (mass.0.sum, mass.1.sum)
    let totals = (others.0 + own.0, others.1 + own.1)
    self.own[row] = own.0 / totals.0
    self.own[likelihood.count &+ row] = own.1 / totals.1
    // r at the label is −(1 − p), which is −(mass of the others).
    let missing = (others.0 / totals.0, others.1 / totals.1)
    sum[0, 0] += squares.0.sum / (totals.0 * totals.0) + missing.0 * missing.0
    sum[0, 1] += squares.1.sum / (totals.0 * totals.1) + missing.0 * missing.1
    sum[1, 1] += squares.2.sum / (totals.1 * totals.1) + missing.1 * missing.1
    sum[0, 2] += missing.0 * uniform + missing.0 * (1 - uniform)
    sum[1, 2] += missing.1 * uniform + missing.1 * (1 - uniform)
    sum[2, 2] += 1 - uniform
  }
}

@inline(__always) private func scalarExponential(_ x: Double) -> Double {
  DoubleLanes.expOfNonPositive(DoubleLanes(x))[0]
}

/// w_k ← mean_i w_k q_ik / Σ_j w_j q_ij, where q_ik is what component k gives the label.
private func likeliestMixture(
  _ own: UnsafePointer<Double>, _ count: Int, uniform: Double, _ maxIter: Int, _ tol: Double
) -> Mixture {
  var mixture = Mixture(weights: Three(repeating: 1 / 3), objective: 0, isConverged: false)
  let n = Double(count)
  for _ in 0..<maxIter {
    let w = mixture.weights
    var sums = (DoubleLanes.zero, DoubleLanes.zero, DoubleLanes.zero)
    forEachLikelihood(own, count, w, uniform) { tempered, given, flat, likelihood, lanes in
      let reciprocal = DoubleLanes.select(lanes, DoubleLanes.one / likelihood, DoubleLanes.zero)
      sums = (sums.0 + tempered * reciprocal, sums.1 + given * reciprocal, sums.2 + flat * reciprocal)
    }
    mixture.weights = [sums.0.sum / n, sums.1.sum / n, sums.2.sum / n]
    var change = 0.0
    for k in 0..<3 { change = max(change, (mixture.weights[k] - w[k]).magnitude) }
    if change <= tol {
      mixture.isConverged = true
      break
    }
  }
  var sum = DoubleLanes.zero
  forEachLikelihood(own, count, mixture.weights, uniform) { _, _, _, likelihood, lanes in
    sum = sum - DoubleLanes.select(lanes, DoubleLanes.log(likelihood), DoubleLanes.zero)
  }
  mixture.objective = sum.sum / n
  return mixture
}

/// Calls `body` with the three components' shares of the likelihood and their sum, for eight rows at a time.
@inline(__always)
private func forEachLikelihood(
  _ own: UnsafePointer<Double>, _ count: Int, _ w: Three, _ uniform: Double,
  _ body: (DoubleLanes, DoubleLanes, DoubleLanes, DoubleLanes, Int64Lanes) -> Void
) {
  forEachVector(DoubleLanes.self, 0..<count) { i, n in
    let tempered = DoubleLanes(w[0]) * DoubleLanes.load(own + i, lanes: n)
    let given = DoubleLanes(w[1]) * DoubleLanes.load(own + count + i, lanes: n)
    let flat = DoubleLanes(w[2] * uniform)
    body(tempered, given, flat, tempered + given + flat, Int64Lanes.first(n))
  }
}
