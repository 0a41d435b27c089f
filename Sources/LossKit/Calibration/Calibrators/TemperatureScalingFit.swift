/// Temperature scaling: the T for which softmax(z / T) has the least mean negative log-likelihood.
///
///     β = 1/T,  f(β) = mean_i (log Σ_c e^{β z_ic} − β z_{i,y_i}),
///     g(β) = f′(β) = mean_i (Σ_c softmax(β z_i)_c z_ic − z_{i,y_i}),  f″(β) = mean_i Var_softmax(z_i)
///
/// f is convex in β. If g(1/`tMax`) ≥ 0 the result is `tMax`, else if g(1/`tMin`) ≤ 0 it is `tMin`, else the root of
/// g, found by Newton's method inside a shrinking bracket. Where all rows are constant, that is `tMax`.
///
/// - Parameters:
///   - logits: `[count, classes]`; −inf is a masked class.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 1.
///   - classes: number of columns, ≥ 1.
///   - tMin: the least temperature looked at, > 0; 0.01 is usual.
///   - tMax: the greatest, finite, ≥ `tMin`; 100 is usual.
///   - temperature: optional output, T.
///   - nll: optional output, f(1/T).
/// - Errors: INVALID_VALUE if a logit is NaN or +inf, or the label's logit is −inf.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017.
func temperatureScalingFit<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ tMin: Double, _ tMax: Double,
  _ temperature: UnsafeMutablePointer<S>?, _ nll: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 1, classes >= 1, elementCount(count, classes) != nil else { return .invalidShape }
  guard tMin > 0, tMax < .infinity, tMin <= tMax, 1 / tMin < .infinity else { return .invalidParameter }
  guard let logits, let y else { return .nullPointer }
  let likelihood = TemperedLikelihood(logits: logits, y: y, count: count, classes: classes)
  let faults = likelihood.faults
  guard faults.status == .ok else { return faults.status }
  let fit = likelihood.minimise(from: 1 / tMax, to: 1 / tMin)
  // 1/(1/t) need not be t.
  temperature?.pointee = S(fit.beta == 1 / tMax ? tMax : fit.beta == 1 / tMin ? tMin : 1 / fit.beta)
  nll?.pointee = S(fit.nll)
  return .ok
}

/// f, g and g′ at one β.
struct LikelihoodMoments {
  var value = 0.0
  var slope = 0.0
  var curvature = 0.0
}

/// The mean negative log-likelihood of softmax(β z).
struct TemperedLikelihood<S: Scalar> {
  let logits: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let count: Int
  let classes: Int

  var split: Split { Split(count, smallest: max(smallestElementwisePart / 4 / classes, 8), multiple: 8) }

  var faults: DataFaults {
    var faults = DataFaults()
    withUnsafeTemporaryAllocation(of: DataFaults.self, capacity: Split.limit) { found in
      let split = self.split
      parallel(split.parts) { part in
        let rows = split.range(part)
        var valid = S.Vector.zero .== S.Vector.zero
        forEachVector(S.Vector.self, rows.lowerBound &* classes..<rows.upperBound &* classes) { offset, n in
          valid = valid & (S.Vector.load(logits + offset, lanes: n) .< S.Vector.infinity)
        }
        var faults = DataFaults(target: false, value: (~valid).any)
        for row in rows {
          if y[row] < 0 || y[row] >= Int64(classes) {
            faults.target = true
          } else if logits[row &* classes &+ Int(y[row])].double == -.infinity {
            faults.value = true
          }
        }
        found[part] = faults
      }
      for part in 0..<split.parts { faults.join(found[part]) }
    }
    return faults
  }

  /// The least value in `low ... high`, by Newton's method on the slope, which does not decrease.
  func minimise(from low: Double, to high: Double) -> (beta: Double, nll: Double) {
    // The slope is known to be negative at `below` and positive at `above`, once these are set.
    var below: Double?
    var above: Double?
    var beta = min(max(1, low), high)
    var here = LikelihoodMoments()
    for iteration in 0..<200 {
      here = moments(beta)
      if beta == low, here.slope >= 0 { break }
      if here.slope == 0, below == nil {
        beta = low
        continue
      }
      if here.slope < 0 { below = beta }
      if here.slope > 0 { above = beta }
      if here.slope == 0, above == nil, beta < high {
        beta = high
        continue
      }
      if beta == high, here.slope <= 0 { break }
      if here.slope == 0 { break }
      let step = -here.slope / here.curvature
      // Newton's error is squared: what is left after a step this small is below the last digit, and two terms of
      // Taylor's series give the value there.
      if step.magnitude <= 1e-8 * beta, beta + step >= low, beta + step <= high {
        return (beta + step, here.value + step * (here.slope + step * here.curvature / 2))
      }
      let bottom = below ?? low
      let top = above ?? high
      if top - bottom <= 1e-14 * top { break }
      let next = beta + step
      // Steps that have not arrived by now may be ever so short; halving the bracket's ratio ends in time for certain.
      if iteration < 80, next > bottom, next < top {
        beta = next
      } else if here.slope < 0, above == nil {
        beta = high
      } else if here.slope > 0, below == nil {
        beta = low
      } else {
        beta = bottom.squareRoot() * top.squareRoot()
      }
    }
    return (beta, here.value)
  }

  private func moments(_ beta: Double) -> LikelihoodMoments {
    let split = self.split
    var total = LikelihoodMoments()
    var parts = InlineArray<64, LikelihoodMoments>(repeating: LikelihoodMoments())  // one for each of Split.limit
    withUnsafeMutableBytes(of: &parts) {
      let sums = $0.assumingMemoryBound(to: LikelihoodMoments.self)
      parallel(split.parts) { part in sums[part] = moments(beta, split.range(part)) }
      for part in 0..<split.parts {
        total.value += sums[part].value
        total.slope += sums[part].slope
        total.curvature += sums[part].curvature
      }
    }
    let n = Double(count)
    return LikelihoodMoments(value: total.value / n, slope: total.slope / n, curvature: total.curvature / n)
  }

  /// Summed over `rows`, eight rows at a time.
  private func moments(_ beta: Double, _ rows: Range<Int>) -> LikelihoodMoments {
    var value = DoubleLanes.zero
    var slope = DoubleLanes.zero
    var curvature = DoubleLanes.zero
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 32) { block in
      let mass = block.baseAddress!
      let (first, second, target) = (mass + 8, mass + 16, mass + 24)
      var row = rows.lowerBound
      while row < rows.upperBound {
        let n = min(8, rows.upperBound &- row)
        for i in 0..<n {
          let z = logits + (row &+ i) &* classes
          let shift = largest(z)
          let sums = weigh(z, shift, beta)
          mass[i] = sums.0
          first[i] = sums.1
          second[i] = sums.2
          target[i] = z[Int(y[row &+ i])].double - shift
        }
        let s = DoubleLanes.load(mass, first: n, fill: 1)
        let mean = DoubleLanes.load(first, first: n, fill: 0) / s
        let t = DoubleLanes.load(target, first: n, fill: 0)
        value = value + (DoubleLanes.log(s) - DoubleLanes(beta) * t)
        slope = slope + (mean - t)
        curvature = curvature + (DoubleLanes.load(second, first: n, fill: 0) / s - mean * mean)
        row &+= 8
      }
    }
    return LikelihoodMoments(value: value.sum, slope: slope.sum, curvature: curvature.sum)
  }

  @inline(__always) func largest(_ z: UnsafePointer<S>) -> Double {
    var largest = -S.Vector.infinity
    forEachVector(S.Vector.self, 0..<classes) { c, n in
      largest = S.Vector.max(S.Vector.load(z + c, lanes: n, fill: -.infinity), largest)
    }
    return largest.maximum.double
  }

  /// Σ e^{β u}, Σ u e^{β u} and Σ u² e^{β u} over u = z − shift ≤ 0.
  @inline(__always)
  private func weigh(_ z: UnsafePointer<S>, _ shift: Double, _ beta: Double) -> (Double, Double, Double) {
    var mass = DoubleLanes.zero
    var first = DoubleLanes.zero
    var second = DoubleLanes.zero
    // Below this the exponential is 0; without it, a masked class would make 0 · ∞.
    let least = DoubleLanes(-800 / beta)
    @inline(__always) func add(_ z: DoubleLanes) {
      let u = DoubleLanes.max(z - DoubleLanes(shift), least)
      let e = DoubleLanes.expOfNonPositive(DoubleLanes(beta) * u)
      let eu = e * u
      mass = mass + e
      first = first + eu
      second = DoubleLanes.fma(eu, u, second)
    }
    forEachVector(S.Vector.self, 0..<classes) { c, n in
      let halves = S.Vector.load(z + c, lanes: n, fill: -.infinity).doubles
      add(halves.0)
      if S.Vector.count > 8 { add(halves.1) }
    }
    return (mass.sum, first.sum, second.sum)
  }
}
