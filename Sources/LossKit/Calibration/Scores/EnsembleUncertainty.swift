/// Uncertainty of an ensemble: its entropy in all, the part that its members expect, and what they disagree on.
///
///     p̄ = mean_m p_m:   total = H(p̄),  expected = mean_m H(p_m),  mutual information = total − expected
///
/// H is the entropy in nats, 0·log 0 = 0.
///
/// - Parameters:
///   - probs: `[members, count, classes]`, probabilities in [0, 1].
///   - members: M ≥ 1.
///   - count: N ≥ 0.
///   - classes: C ≥ 1.
///   - total: optional output, `[count]`.
///   - expected: optional output, `[count]`.
///   - mutual: optional output, `[count]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a probability is outside [0, 1]. NaN stays in its row.
/// - Reference: Depeweg et al., Decomposition of Uncertainty in Bayesian Deep Learning, 2018.
func ensembleUncertainty<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ members: Int, _ count: Int, _ classes: Int, _ total: UnsafeMutablePointer<S>?,
  _ expected: UnsafeMutablePointer<S>?, _ mutual: UnsafeMutablePointer<S>?
) -> Status {
  guard members >= 1, classes >= 1, let size = elementCount(members, count, classes) else { return .invalidShape }
  if count == 0 { return .ok }
  guard let probs else { return .nullPointer }
  guard !hasOutsideFractions(probs, size) else { return .invalidValue }
  let split = Split(count, smallest: max(1, smallestElementwisePart / 8 / (members &* classes)))
  let ensemble = Ensemble(probs: probs, members: members, count: count, classes: classes)
  parallel(
    split.parts, EntropyJob(ensemble: ensemble, total: total, expected: expected, mutual: mutual, split: split))
  return .ok
}

private struct Ensemble<S: Scalar> {
  let probs: UnsafePointer<S>
  let members, count, classes: Int

  /// H of the mean, and the mean of H, for a row.
  @inline(__always) func entropies(_ row: Int) -> (total: Double, expected: Double) {
    var total = DoubleLanes.zero
    var expected = DoubleLanes.zero
    let number = DoubleLanes(Double(members))
    for c in stride(from: 0, to: classes, by: 8) {
      let n = min(8, classes &- c)
      var sum = DoubleLanes.zero
      for member in 0..<members {
        let p = DoubleLanes.load(probs + ((member &* count &+ row) &* classes &+ c), n)
        sum = sum + p
        expected = expected + surprise(p)
      }
      total = total + surprise(sum / number)
    }
    return (total.sum, expected.sum / Double(members))
  }

  @inline(__always) private func surprise(_ p: DoubleLanes) -> DoubleLanes {
    DoubleLanes.select(p .== DoubleLanes.zero, p, -(p * DoubleLanes.log(p)))
  }
}

private struct EntropyJob<S: Scalar>: ParallelJob {
  let ensemble: Ensemble<S>
  let total, expected, mutual: UnsafeMutablePointer<S>?
  let split: Split

  @inline(__always) func run(part: Int) {
    for row in split.range(part) {
      let entropies = ensemble.entropies(row)
      total?[row] = S(entropies.total)
      expected?[row] = S(entropies.expected)
      mutual?[row] = S(entropies.total - entropies.expected)
    }
  }
}
