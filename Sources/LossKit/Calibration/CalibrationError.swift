import RuntimeShims

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
///   - count: N, ≥ 0. With N = 0 the error is NaN.
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
/// - Errors: `INVALID_VALUE` if a probability is NaN or outside [0, 1], `INVALID_TARGET` if a label is out
///   of range.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017; Kumar et al., Verified
///   Uncertainty Calibration, 2019.
func calibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ nBins: Int,
  _ norm: CalibrationNorm, _ binning: Binning, _ edge: BinEdge, _ mode: CalibrationMode,
  _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  if count == 0 {
    value?.pointee = .nan
    return .ok
  }
  guard let probs, let y else { return .nullPointer }
  let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: mode == .top)
  let uniform = UniformBins(count: nBins, edge: edge)
  guard let binCount = elementCount(rows.views, uniform.total),
    let binBytes = elementCount(binCount, MemoryLayout<Bin>.stride),
    let indexCount = elementCount(count, binning == .uniform || grad == nil ? 0 : rows.views),
    let binMemory = losskit_runtime_allocate(binBytes)
  else { return .outOfMemory }
  defer { losskit_runtime_free(binMemory) }
  guard let derivativeMemory = losskit_runtime_allocate(binCount * 8) else { return .outOfMemory }
  defer { losskit_runtime_free(derivativeMemory) }
  guard let indexMemory = losskit_runtime_allocate(indexCount * 4) else { return .outOfMemory }
  defer { losskit_runtime_free(indexMemory) }
  let bins = binMemory.bindMemory(to: Bin.self, capacity: binCount)
  bins.initialize(repeating: Bin(), count: binCount)
  let derivatives = derivativeMemory.bindMemory(to: Double.self, capacity: binCount)
  let indices = indexMemory.bindMemory(to: Int32.self, capacity: indexCount)

  let status =
    binning == .uniform
    ? uniform.add(rows, to: bins)
    : SortedBins(count: nBins, binning: binning, edge: edge)
      .add(rows, to: bins, edges: nil, indices: grad == nil ? nil : indices)
  guard status == .ok else { return status }

  let error = joinGaps(bins, binCount, perView: uniform.total, norm, samples: count, derivatives)
  value?.pointee = S(error)
  guard let grad else { return .ok }
  if binning == .uniform {
    rows.scatter(derivatives, uniform.total, grad) { _, tile, lanes in
      uniform.index(tile.confidence.doubles.0).store(lanes)
      if S.Vector.count > 8 { uniform.index(tile.confidence.doubles.1).store(lanes + 8) }
    }
  } else {
    rows.scatter(derivatives, uniform.total, grad) { view, tile, lanes in
      for lane in 0..<tile.count { lanes[lane] = Int64(indices[view &* count &+ tile.row &+ lane]) }
    }
  }
  return .ok
}

/// The error that filled bins amount to; writes its derivative with respect to a confidence in each bin.
private func joinGaps(
  _ bins: UnsafePointer<Bin>, _ binCount: Int, perView: Int, _ norm: CalibrationNorm, samples: Int,
  _ derivatives: UnsafeMutablePointer<Double>
) -> Double {
  // The mean over rows, and over classes.
  let denominator = Double(samples) * Double(binCount / perView)
  var absolute = 0.0
  var square = 0.0
  var largest = 0.0
  var worst = 0
  for b in 0..<binCount {
    let excess = bins[b].excess
    let gap = bins[b].gap
    absolute += excess.magnitude
    square += excess * gap
    if gap.magnitude > largest {
      largest = gap.magnitude
      worst = b
    }
    let sign: Double = excess > 0 ? 1 : excess < 0 ? -1 : 0
    switch norm {
    case .l1: derivatives[b] = sign / denominator
    case .l2: derivatives[b] = gap / denominator
    case .max: derivatives[b] = 0
    }
  }
  switch norm {
  case .l1: return absolute / denominator
  case .l2:
    let error = (square / denominator).squareRoot()
    if error > 0 {
      for b in 0..<binCount { derivatives[b] /= error }
    }
    return error
  case .max:
    if largest > 0 { derivatives[worst] = (bins[worst].excess > 0 ? 1 : -1) / Double(bins[worst].count) }
    return largest
  }
}

extension ConfidenceRows {
  /// Writes the derivative of each confidence's bin where the confidence stands, 0 elsewhere.
  ///
  /// - Parameters:
  ///   - derivatives: `[views, perView]`.
  ///   - binsOf: writes the bins of a tile of a view.
  @inline(__always)
  fileprivate func scatter(
    _ derivatives: UnsafePointer<Double>, _ perView: Int, _ grad: UnsafeMutablePointer<S>,
    _ binsOf: (Int, ConfidenceTile<S.Vector>, UnsafeMutablePointer<Int64>) -> Void
  ) {
    let split = Split(count, smallest: max(smallestElementwisePart / columns, 1))
    parallel(split.parts) { part in
      let range = split.range(part)
      if isTopLabel {
        (grad + range.lowerBound &* columns).update(repeating: 0, count: range.count &* columns)
      }
      _ = forEachTile(range) { view, tile in
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 32) { lanes in
          let bins = lanes.baseAddress!
          let column = bins + 16
          binsOf(view, tile, bins)
          tile.column.store(column)
          for lane in 0..<tile.count {
            let derivative = derivatives[view &* perView &+ Int(bins[lane])]
            grad[(tile.row &+ lane) &* columns &+ Int(column[lane])] = S(derivative)
          }
        }
      }
    }
  }
}
