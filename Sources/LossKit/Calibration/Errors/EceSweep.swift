/// How `eceSweep` bins.
enum SweepBinning: Int32 {
  /// Equal mass: element k of the sorted confidences goes to bin ⌊k · B / N⌋.
  case rank = 0
  /// Equal width: bin min(B − 1, ⌊confidence · B⌋).
  case uniform = 1
}

/// Calibration error with as many bins as keep the accuracies monotone (ECE sweep).
///
///     for B = 2, 3, …, N − 1: stop where the accuracy of a non-empty bin is below that of the one before it
///     E = (Σ n_b/N |gap_b|^p)^{1/p} with the last B that was not stopped at (1, if the first was)
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 both outputs are NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - p: ≥ 1, finite; 2 is usual.
///   - binning: `rank` is usual.
///   - error: optional output, E.
///   - binsUsed: optional output, B.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Roelofs et al., Mitigating Bias in Calibration Error Estimation, 2022.
func eceSweep<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ p: Double,
  _ binning: SweepBinning, _ error: UnsafeMutablePointer<S>?, _ binsUsed: UnsafeMutablePointer<S>?
) -> Status {
  guard p >= 1, p < .infinity else { return .invalidParameter }
  return withSortedConfidences(
    probs, y, count, classes, layout: { $0.take(Int32.self, count + 1) }, whenEmpty: { setUndefined(error, binsUsed) }
  ) { sorted, hitsBefore in
    let sweep = Sweep(sorted, hitsBefore, binning)
    var used = 1
    while used &+ 1 < count, sweep.isMonotone(used &+ 1) { used &+= 1 }
    error?.pointee = S(sweep.error(used, p))
    binsUsed?.pointee = S(Double(used))
  }
}

private struct Sweep<C: Scalar> {
  let sorted: SortedConfidences<C>
  /// How many of the first k are hits. So each binning takes a time that grows with its bins, not with the samples.
  let hitsBefore: UnsafePointer<Int32>
  let binning: SweepBinning

  init(_ sorted: SortedConfidences<C>, _ hitsBefore: UnsafeMutablePointer<Int32>, _ binning: SweepBinning) {
    hitsBefore[0] = 0
    for k in 0..<sorted.count { hitsBefore[k &+ 1] = hitsBefore[k] &+ (sorted.isHit(k) ? 1 : 0) }
    self.sorted = sorted
    self.hitsBefore = UnsafePointer(hitsBefore)
    self.binning = binning
  }

  /// Calls `body` with the ranges of the non-empty ones of so many bins, while it gives true.
  @inline(__always) func forEachBin(_ bins: Int, _ body: (Range<Int>) -> Bool) {
    var start = 0
    for bin in 1...bins {
      let end = bin == bins ? sorted.count : firstRank(notBelow: bin, of: bins, from: start)
      if end > start, !body(start..<end) { return }
      start = end
    }
  }

  /// The first rank that belongs to this bin or a later one.
  @inline(__always) private func firstRank(notBelow bin: Int, of bins: Int, from start: Int) -> Int {
    if binning == .rank { return (bin &* sorted.count &+ bins &- 1) / bins }
    var low = start
    var high = sorted.count
    while low < high {
      let middle = low &+ (high &- low) / 2
      // ⌊c·B⌋ ≥ bin
      if sorted.confidence(middle) * Double(bins) >= Double(bin) { high = middle } else { low = middle &+ 1 }
    }
    return low
  }

  func isMonotone(_ bins: Int) -> Bool {
    var isMonotone = true
    var last = 0.0
    forEachBin(bins) { range in
      let accuracy = Double(hitsBefore[range.upperBound] &- hitsBefore[range.lowerBound]) / Double(range.count)
      isMonotone = last <= accuracy
      last = accuracy
      return isMonotone
    }
    return isMonotone
  }

  func error(_ bins: Int, _ p: Double) -> Double {
    var sum = 0.0
    forEachBin(bins) { range in
      var bin = Bin()
      for k in range { bin.add(sorted.confidence(k), hit: sorted.isHit(k) ? 1 : 0) }
      sum += Double(range.count) * power(bin.gap.magnitude, p)
      return true
    }
    return power(sum / Double(sorted.count), 1 / p)
  }
}
