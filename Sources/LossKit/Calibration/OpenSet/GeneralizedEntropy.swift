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
  return rowScore(
    NegativeGeneralizedEntropy<S.Vector>(kept: m, gamma: S.Vector(gamma)), logits, (outer, classes, inner), score, grad)
}

/// All but the largest probability p_1 are at most ½. That one is known by its rest, 1 − p_1, which is measured from the
/// next largest logit so that it does not vanish; and its part of the gradient of others by p_j / (1 − p_1).
private struct NegativeGeneralizedEntropy<V: Lanes>: RowScore {
  static var usesRunnerUp: Bool { true }
  static var measuresFromRunnerUp: Bool { true }
  static var usesTerms: Bool { true }
  let kept: Int
  let gamma: V
  let exponential = ScaledExponential<V>(temperature: 1)

  /// (p (1 − p))^γ and s of a class that is kept and not the first.
  @inline(__always) private func parts(_ e: ScoredElement<V>, logSum: V) -> (power: V, slope: V) {
    let logP = -(e.distance + logSum)
    let p = V.exp(logP)
    let counts = e.isKept & ~e.isFirst
    let power = V.select(counts, V.exp(gamma * (logP + V.log1p(-p))), V.zero)
    return (power, V.select(counts, -(gamma * power * (V.one - (p + p)) / (V.one - p)), V.zero))
  }

  @inline(__always) func terms(_ e: ScoredElement<V>, logSum: V) -> (V, V) { parts(e, logSum: logSum) }

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _ sums: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let isUndefined = row.maximum .== -V.infinity
    let gap = row.runnerUp - row.maximum
    let p = V.exp(-row.logSum)
    let logRest = gap + V.log(row.others) - row.logSum
    let rest = V.exp(logRest)
    let power = V.select(row.others .== V.zero, V.zero, V.exp(gamma * (logRest - row.logSum)))
    // s_1 (1 − p_1)
    let slope = gamma * power * (p - rest)
    let others = V.select(row.others .== V.zero, V.one, row.others)
    let shared = slope / others + exponential(gap) * p * sums.1
    return (
      V.select(isUndefined, V.nan, V.zero - (sums.0 + power)),
      ScoreConstants(a: V.select(isUndefined, V.nan, slope - p * sums.1), b: V.select(isUndefined, V.nan, shared), c: row.logSum)
    )
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V {
    V.select(e.isFirst, k.a, parts(e, logSum: k.c).slope - e.exponential * k.b)
  }
}
