/// Platt scaling: the a and b for which σ(a s + b) has the least mean log loss.
///
///     f(a, b) = mean_i (−t_i log σ(a s_i + b) − (1 − t_i) log σ(−a s_i − b)),
///     t = (N₊ + 1)/(N₊ + 2) where y = 1, 1/(N₋ + 2) where y = 0 (Lin et al.), or t = y
///
/// By Newton's method from a = b = 0, until max |∂f| ≤ 1e-10, 100 iterations at most.
///
/// - Parameters:
///   - scores: `[count]`, finite.
///   - y: `[count]`, labels 0 and 1.
///   - count: number of samples, ≥ 1.
///   - targetSmoothing: targets that keep clear of 0 and 1, as if one sample more of each label were on the wrong side;
///     true is usual. Without it, scores that separate the labels have no fit: see `converged`.
///   - a: optional output, the slope.
///   - b: optional output, the intercept.
///   - loss: optional output, f(a, b).
///   - converged: optional output, 1 if (a, b) is the minimum, else 0.
/// - Errors: INVALID_VALUE if a score is NaN or infinite, INVALID_TARGET if a label is neither 0 nor 1.
/// - Reference: Platt, Probabilistic Outputs for Support Vector Machines, 1999; Lin, Lin and Weng, A Note on Platt's
///   Probabilistic Outputs for Support Vector Machines, 2007.
func plattScalingFit<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ targetSmoothing: Bool,
  _ a: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard count >= 1, elementCount(count, 4) != nil else { return .invalidShape }
  guard let scores, let y else { return .nullPointer }
  guard areIndices(y, count, below: 2) else { return .invalidTarget }
  guard areFinite(scores, count) else { return .invalidValue }
  return withWorkspace(layout: { LogisticSamples(&$0, count) }) { samples in
    var ones = 0.0
    for i in 0..<count { ones += Double(y[i]) }
    let zeros = Double(count) - ones
    if targetSmoothing {
      samples.setTargets(y, negative: 1 / (zeros + 2), positive: (ones + 1) / (ones + 2))
    } else {
      samples.setTargets(y)
    }
    widen(scores, count, into: samples.first)
    return LogisticRegression(count: count, targets: samples.targets, first: samples.first).fit { fit in
      a?.pointee = S(fit.a)
      b?.pointee = S(fit.c)
      loss?.pointee = S(fit.loss)
      converged?.pointee = fit.isConverged ? 1 : 0
    }
  }
}
