/// The scaling-binning calibrator: a logistic map of the log-odds, whose values are then averaged over bins of equal mass.
///
///     s = logit(clip(conf, ε, 1 − ε)),  g = σ(a s + b) of least mean log loss,
///     value of a bin of g = mean of g in it (the middle of its edges where it is empty)
///
/// Bins are (e_b, e_{b+1}], their edges lie midway between runs of equal length of the sorted g. Applying:
/// `binningApply(σ(a s + b), edges, values)`.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - correct: `[count]`, 1 where the prediction was right, else 0.
///   - count: number of predictions, 1 to 2³¹ − 1.
///   - nBins: n, 1 to 2²⁴; 15 is usual.
///   - eps: ε, in [2⁻⁵³, ½); 1e-12 is usual.
///   - a: optional output.
///   - b: optional output.
///   - edges: optional output, `[n + 1]`; equal edges are merged, and unused ones at the end are 1.
///   - values: optional output, `[n]`.
///   - converged: optional output, 1 if (a, b) is the minimum, 0 if there is none.
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], INVALID_TARGET if `correct` is neither 0 nor 1.
/// - Reference: Kumar, Liang and Ma, Verified Uncertainty Calibration, 2019.
func scalingBinningFit<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ correct: UnsafePointer<Int64>?, _ count: Int, _ nBins: Int, _ eps: Double,
  _ a: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?, _ edges: UnsafeMutablePointer<S>?,
  _ values: UnsafeMutablePointer<S>?, _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard count >= 1, count <= largestSortCount else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount, ClippedLogarithms.allows(eps) else { return .invalidParameter }
  guard let conf, let correct else { return .nullPointer }
  let status = statusOfConfidences(conf, correct, count, classes: 0)
  guard status == .ok else { return status }
  return withWorkspace(layout: { LogisticSamples(&$0, count) }) { samples in
    samples.setTargets(correct)
    samples.setLogOdds(conf, eps: eps)
    var found: LogisticFit?
    let status = LogisticRegression(count: count, targets: samples.targets, first: samples.first).fit { found = $0 }
    guard status == .ok, let fit = found else { return status }
    let (slope, intercept) = (DoubleLanes(fit.a), DoubleLanes(fit.c))
    mapInDouble(samples.first, count, samples.second) { DoubleLanes.sigmoid(slope * $0 + intercept) }
    return CalibrationBins(count: nBins, binning: .midpoint).fill(samples.second, correct, count) { bins, borders in
      a?.pointee = S(fit.a)
      b?.pointee = S(fit.c)
      for b in 0...nBins { edges?[b] = S(borders[b]) }
      for b in 0..<nBins {
        values?[b] = S(bins[b].count == 0 ? (borders[b] + borders[b + 1]) / 2 : bins[b].meanConfidence)
      }
      converged?.pointee = fit.isConverged ? 1 : 0
    }
  }
}
