/// Cumulative calibration error: how far, and over how wide a range, the sums of corr − conf stray from 0.
///
///     C_0 = 0,  C_k = 1/N Σ_{i ≤ k} (corr_i − conf_i),   i in ascending order of confidence (ties: in that of their rows)
///     mad = max |C_k|,  range = max C_k − min C_k,  sigma = √(Σ conf_i (1 − conf_i)) / N
///
/// What perfect calibration would give grows with sigma alone: hence the ratios. With sigma = 0 they are 0 where the
/// measure is 0, else ∞.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 all outputs are NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - mad: optional output, the maximum absolute deviation.
///   - range: optional output.
///   - sigma: optional output.
///   - madRatio: optional output, mad / sigma.
///   - rangeRatio: optional output, range / sigma.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET,
///   OUT_OF_MEMORY.
/// - Reference: Arrieta-Ibarra et al., Metrics of Calibration for Probabilistic Predictions, 2022.
func ecce<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  _ mad: UnsafeMutablePointer<S>?, _ range: UnsafeMutablePointer<S>?, _ sigma: UnsafeMutablePointer<S>?,
  _ madRatio: UnsafeMutablePointer<S>?, _ rangeRatio: UnsafeMutablePointer<S>?
) -> Status {
  withSortedConfidences(
    probs, y, count, classes, layout: { _ in () },
    whenEmpty: { setUndefined(mad, range, sigma, madRatio, rangeRatio) }
  ) { sorted, _ in
    let gap = CumulativeGap(sorted)
    var variance = 0.0
    for k in 0..<count { variance += sorted.confidence(k) * (1 - sorted.confidence(k)) }
    let deviation = variance.squareRoot() / Double(count)
    let ratio = { (x: Double) in deviation > 0 ? x / deviation : x == 0 ? 0 : .infinity }
    mad?.pointee = S(gap.largest)
    range?.pointee = S(gap.range)
    sigma?.pointee = S(deviation)
    madRatio?.pointee = S(ratio(gap.largest))
    rangeRatio?.pointee = S(ratio(gap.range))
  }
}

/// The extremes of Σ_{i ≤ k} (conf_i − corr_i) / N over k = 0 … N.
struct CumulativeGap {
  private var most = 0.0
  private var least = 0.0
  private let count: Int

  init<C: Scalar>(_ sorted: SortedConfidences<C>) {
    count = sorted.count
    var sum = 0.0
    var lost = 0.0  // what the additions have rounded away
    for k in 0..<count {
      let term = sorted.confidence(k) - sorted.hit(k)
      let next = sum + term
      let added = next - sum
      lost += (sum - (next - added)) + (term - added)
      sum = next
      most = max(most, sum + lost)
      least = min(least, sum + lost)
    }
  }

  var largest: Double { max(most, -least) / Double(count) }
  var range: Double { (most - least) / Double(count) }
}
