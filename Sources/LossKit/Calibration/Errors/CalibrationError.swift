/// Calibration error: how far confidences are from accuracies, over bins of like confidence.
///
///     gap_b = mean confidence − accuracy of bin b (0 if empty),  n_b = its count
///     l1:  E = Σ n_b/N |gap_b|     l2:  E = √(Σ n_b/N gap_b²)     max:  E = max |gap_b|
///
/// In mode `top` a row's confidence is its largest probability (the first of equal ones), and it is right if that class
/// is the label. In mode `classwise` each class k has bins of its own, with confidence p_k, right if the label is k; the
/// errors E_k are joined as mean (l1), root mean square (l2) or maximum (max).
///
/// The gradient takes bins, counts and arg max as constants, and sign(0) = 0. An element of bin b gets
/// sign(gap_b)/N (l1), gap_b/(N·E) (l2, 0 if E = 0), each ÷ C if classwise, or sign(gap_b)/n_b in the first bin (and
/// class) that attains the maximum.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; rows need not sum to 1.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, ≥ 0, with a binning other than `uniform` 2³¹ − 1 at most. With N = 0 the error is NaN.
///   - classes: C. 0 stands for the binary view: `probs` is `[count]`, the probability of class 1, labels are 0 and 1,
///     confidence is `probs` itself, and `mode` plays no role.
///   - nBins: number of bins, 1 to 2²⁴; 15 is usual.
///   - norm: how gaps are joined; `l1` is usual.
///   - binning: how edges are chosen; `uniform` is usual. The others sort, with 32 bytes of memory a row (and 4 more an
///     element where a gradient is wanted).
///   - edge: on which side a bin owns its edge; `right` is usual.
///   - mode: `top` or `classwise`.
///   - value: optional output, the error.
///   - grad: optional output, like `probs`.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is out
///   of range.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017; Kumar et al., Verified
///   Uncertainty Calibration, 2019.
func calibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ norm: CalibrationNorm, _ binning: Binning, _ edge: BinEdge, _ mode: CalibrationMode,
  _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  let layout = BinLayout(count: nBins, binning: binning, edge: edge)
  return withBins(
    probs, y, count, classes, isTopLabel: mode == .top, layout, needsElements: grad != nil,
    layout: { $0.take(Double.self, $1) }
  ) { binned, derivatives in
    value?.pointee = S(joinGaps(binned.bins, binned.views &* binned.perView, binned.views, norm, count, derivatives))
    guard let grad else { return }
    let columns = max(classes, 1)
    let split = Split(count, smallest: max(smallestElementwisePart / columns, 1))
    parallel(
      split.parts,
      GradientJob(binned: binned, columns: columns, derivatives: derivatives, grad: grad, split: split))
  }
}

/// The error that filled bins amount to; writes its derivative with respect to a confidence in each bin.
private func joinGaps(
  _ bins: UnsafePointer<Bin>, _ binCount: Int, _ views: Int, _ norm: CalibrationNorm, _ samples: Int,
  _ derivatives: UnsafeMutablePointer<Double>
) -> Double {
  // The mean over rows, and over classes.
  let denominator = Double(samples) * Double(views)
  var gaps = JoinedGaps(norm, samples: denominator)
  for b in 0..<binCount { gaps.add(bins[b]) }
  let error = gaps.error
  var isWorst = false
  for b in 0..<binCount {
    let excess = bins[b].excess
    let sign: Double = excess > 0 ? 1 : excess < 0 ? -1 : 0
    switch norm {
    case .l1: derivatives[b] = sign / denominator
    case .l2: derivatives[b] = error > 0 ? bins[b].gap / denominator / error : 0
    case .max:
      // The first one that attains the maximum.
      let isFirst = !isWorst && bins[b].gap.magnitude == error && error > 0
      derivatives[b] = isFirst ? sign / Double(bins[b].count) : 0
      isWorst = isWorst || isFirst
    }
  }
  return error
}

/// Gives every element the derivative of its bin; elements that are in no bin get 0.
private struct GradientJob<S: Scalar>: ParallelJob {
  let binned: BinnedConfidences<S>
  let columns: Int
  /// `[views, bins]`.
  let derivatives: UnsafePointer<Double>
  let grad: UnsafeMutablePointer<S>
  let split: Split

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    if binned.views < columns {
      (grad + range.lowerBound &* columns).update(repeating: 0, count: range.count &* columns)
    }
    binned.forEachElement(range) { row, column, bin in grad[row &* columns &+ column] = S(derivatives[bin]) }
  }
}
