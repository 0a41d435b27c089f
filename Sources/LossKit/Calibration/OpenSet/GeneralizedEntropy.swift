/// Generalized entropy of each row, negated, over its largest probabilities: high where the prediction is certain.
///
///     score = −Σ_{k ∈ K} (p_k (1 − p_k))^γ,   p = softmax(z),   K = the classes of the m largest p
///     dscore/dz_j = s_j − p_j Σ_k s_k,   s_k = −γ (p_k (1 − p_k))^γ (1 − 2 p_k) / (1 − p_k)   for k ∈ K, else 0
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row with NaN or +inf, or of −inf alone, gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1; a single class gives 0.
///   - inner: ≥ 0.
///   - gamma: γ > 0, finite, default 0.1.
///   - m: ≥ 1, default 100; more than `classes` means all. Of equal logits those of the lower classes.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's score with respect to its logits.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Liu et al. 2023, GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection.
func generalizedEntropy<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ gamma: Double, _ m: Int,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(gamma), m >= 1 else { return .invalidParameter }
  return confidenceScore(
    NegativeGeneralizedEntropy<S.Vector>(kept: m, gamma: S.Vector(gamma)), logits, (outer, classes, inner), score, grad)
}

/// With d = max z − z and R = Σ e^{−d} but for the largest, p = e^{−d} / (1 + R); what is left of 1 − p and 1 − 2 p is summed
/// from differences that have no cancellation. R is measured from the next largest logit, so that its logarithm is known
/// where R itself vanishes; and so is p_j / (1 − p_1), by which the largest class reaches the gradient of the others.
///
/// Where logits are nearly equal the gradient is a small difference of large slopes s = p r: there r_1 is taken from all r,
/// which changes nothing in it, and r_j − r_1 is made of differences of logits.
private struct NegativeGeneralizedEntropy<V: Lanes>: ConfidenceScore {
  static var usesRunnerUp: Bool { true }
  static var measuresFromRunnerUp: Bool { true }
  static var usesTerms: Bool { true }
  let kept: Int
  let gamma: V
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) private func isFlat(_ rest: V) -> V.Integers { V(0.5) .<= rest }

  /// (p (1 − p))^γ and s of a class that is not the first; in flat rows s − p r_1.
  @inline(__always) func terms(_ e: ScoredElement<V>, rest: V) -> (V, V) {
    let share = exponential(-e.distance)
    let fall = V.expm1(-e.distance)
    let left = rest - share
    let logSum = V.log1p(rest)
    let power = V.exp(gamma * (V.log1p(left) - (logSum + logSum) - e.distance))
    let counts = e.isKept & ~e.isFirst
    let steep = V.select(counts, gamma * power * (fall - left) / (V.one + left), V.zero)

    let exponent = gamma - V.one
    // log of p_j (1 − p_j) / (p_1 (1 − p_1))
    let ratio = V.log1p(-(fall / rest)) - e.distance
    let p = V.one / (V.one + rest)
    let factor = gamma * V.exp(exponent * (V.log(rest) - (logSum + logSum))) * share * p * p
    let kept = fall + fall - V.expm1(exponent * ratio) * (left - fall)
    let centered = factor * V.select(e.isKept, kept, left + fall)
    let flat = V.select(e.isFirst | (share .== V.zero), V.zero, centered)
    return (V.select(counts, power, V.zero), V.select(isFlat(rest), flat, steep))
  }

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _ sums: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let isAlone = row.others .== V.zero
    let gap = row.runnerUp - row.maximum
    let logRest = gap + V.log(row.others)
    let p = V.select(row.maximum .== -V.infinity, V.nan, V.one / (V.one + row.rest))
    let power = V.select(isAlone, V.zero, V.exp(gamma * (logRest - (row.logSum + row.logSum))))
    // s_1 (1 − p_1)
    let steep = gamma * power * V.select(row.rest .< V(2), -V.expm1(logRest), V.one - row.rest) * p
    let slope = V.select(isFlat(row.rest), V.zero, steep)
    let shared = slope / V.select(isAlone, V.one, row.others) + exponential(gap) * p * sums.1
    return (
      V.select(p.isNaN, p, V.zero - (sums.0 + power)), ScoreConstants(a: slope - p * sums.1, b: shared, c: row.rest)
    )
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    V.select(e.isFirst, k.a, terms(e, rest: k.c).1 - e.exponential * k.b)
  }
}
