/// Expected normalized calibration error of predicted variances.
///
///     bins of equal width over [min, max] of the standard deviations √variance, [e_b, e_{b+1}); all equal: one bin
///     ENCE = mean over occupied bins with RMV > 0 of |RMV − RMSE| / RMV,  RMV = √mean variance,  RMSE = √mean error²
///
/// - Parameters:
///   - variance: `[count]`, ≥ 0, finite.
///   - sqError: `[count]`, squared errors, ≥ 0.
///   - count: ≥ 0; with 0 the value is NaN, as it is where no bin counts.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - value: optional output.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a number is NaN, negative, or (variance)
///   infinite, OUT_OF_MEMORY.
/// - Reference: Levi et al., Evaluating and Calibrating Uncertainty Prediction in Regression Tasks, 2022;
///   netcal.metrics.ENCE.
func ence<S: Scalar>(
  _ variance: UnsafePointer<S>?, _ sqError: UnsafePointer<S>?, _ count: Int, _ nBins: Int,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  withVarianceBins(variance, sqError, count, nBins, key: { $0.squareRoot() }, value) { bins in
    var sum = 0.0
    var occupied = 0.0
    for bin in bins where bin.variance > 0 {
      let deviation = (bin.variance / bin.count).squareRoot()
      sum += (deviation - (bin.error / bin.count).squareRoot()).magnitude / deviation
      occupied += 1
    }
    return sum / occupied  // 0/0 is NaN
  }
}

/// Uncertainty calibration error of predicted variances.
///
///     bins of equal width over [min, max] of the variances, [e_b, e_{b+1}); all equal: one bin
///     UCE = Σ n_b/N |mean error² − mean variance|
///
/// - Parameters:
///   - variance: `[count]`, ≥ 0, finite.
///   - sqError: `[count]`, squared errors, ≥ 0.
///   - count: ≥ 0; with 0 the value is NaN.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - value: optional output.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a number is NaN, negative, or (variance)
///   infinite, OUT_OF_MEMORY.
/// - Reference: Laves et al., Well-Calibrated Regression Uncertainty in Medical Imaging with Deep Learning, 2020;
///   netcal.metrics.UCE.
func uncertaintyCalibrationError<S: Scalar>(
  _ variance: UnsafePointer<S>?, _ sqError: UnsafePointer<S>?, _ count: Int, _ nBins: Int,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  withVarianceBins(variance, sqError, count, nBins, key: { $0 }, value) { bins in
    var sum = 0.0
    for bin in bins { sum += (bin.error - bin.variance).magnitude }
    return sum / Double(count)
  }
}

/// The sums of a bin.
private struct VarianceBin {
  var count = 0.0
  var variance = 0.0
  var error = 0.0
}

/// The checks, the bins of `key(variance)`, and the value that `body` finds.
@inline(__always)
private func withVarianceBins<S: Scalar>(
  _ variance: UnsafePointer<S>?, _ sqError: UnsafePointer<S>?, _ count: Int, _ nBins: Int, key: (Double) -> Double,
  _ value: UnsafeMutablePointer<S>?, _ body: (UnsafeBufferPointer<VarianceBin>) -> Double
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  if count == 0 {
    setUndefined(value)
    return .ok
  }
  guard let variance, let sqError else { return .nullPointer }
  guard areWeights(variance, count), areNonNegative(sqError, count) else { return .invalidValue }
  return withWorkspace(layout: { $0.take(VarianceBin.self, nBins) }) { bins in
    bins.initialize(repeating: VarianceBin(), count: nBins)
    var low = Double.infinity
    var high = -Double.infinity
    for i in 0..<count {
      low = min(low, key(variance[i].double))
      high = max(high, key(variance[i].double))
    }
    let step = (high - low) / Double(nBins)
    @inline(__always) func edge(_ b: Int) -> Double { Double(b) * step + low }
    for i in 0..<count {
      let x = key(variance[i].double)
      // How many inner edges are ≤ x: the quotient may be off by one.
      var b = step > 0 ? min(Int((x - low) / step), nBins - 1) : 0
      while b > 0, x < edge(b) { b -= 1 }
      while b + 1 < nBins, step > 0, x >= edge(b + 1) { b += 1 }
      bins[b].count += 1
      bins[b].variance += variance[i].double
      bins[b].error += sqError[i].double
    }
    value?.pointee = S(body(UnsafeBufferPointer(start: bins, count: nBins)))
    return .ok
  }
}
