/// The measures of a benchmark of calibration, in one call.
///
///     table[i]: for bins[i] bins the expected calibration error, the same with equal-mass (rank) bins, both class-wise, and
///               the maximum calibration error
///     rest:     accuracy, NLL (`logLoss`), Brier score, `ksCalibrationError`, `eceKde`, `mmce`
///
/// Call it again with probabilities that have been calibrated to see what that changed. The list of the six measures
/// without bins is reconstructed from the paper's abstract.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 all is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1, predicted where it exceeds ½.
///   - bins: `[binCount]`, numbers of bins, 1 to 2²⁴ each.
///   - binCount: ≥ 0.
///   - table: optional output, `[binCount, 5]`.
///   - rest: optional output, `[6]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Tao et al., A Benchmark Study on Calibration, 2023.
func calibrationSuite<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ bins: UnsafePointer<Int64>?,
  _ binCount: Int, _ table: UnsafeMutablePointer<S>?, _ rest: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard let size = elementCount(binCount, 5), count <= largestSortCount else { return .invalidShape }
  guard binCount == 0 || bins != nil else { return .nullPointer }
  for i in 0..<binCount where bins![i] < 1 || bins![i] > Int64(largestBinCount) { return .invalidParameter }
  return withWorkspace(layout: { (table: $0.take(S.self, size), rest: $0.take(S.self, 6)) }) { found in
    var status = Status.ok
    func note(_ result: Status) { if status == .ok { status = result } }
    for i in 0..<binCount {
      let row = found.table + i * 5
      @inline(__always)
      func measure(_ column: Int, _ norm: CalibrationNorm, _ binning: Binning, _ mode: CalibrationMode) {
        if status != .ok { return }
        note(
          calibrationError(
            probs, y, count, classes, Int(bins![i]), norm, binning, .right, mode, row + column, nil))
      }
      measure(0, .l1, .uniform, .top)
      measure(1, .l1, .rank, .top)
      measure(2, .l1, .uniform, .classwise)
      measure(3, .l1, .rank, .classwise)
      measure(4, .max, .uniform, .top)
    }
    note(ksCalibrationError(probs, y, count, classes, 1, false, found.rest + 3))
    if status == .ok { note(eceKde(probs, y, count, classes, 1, .nan, 2048, found.rest + 4)) }
    if status == .ok { note(mmce(probs, y, count, classes, 0.4, false, found.rest + 5, nil)) }
    if status != .ok { return status }
    if count == 0 {
      found.rest.update(repeating: .nan, count: 6)
    } else if let probs, let y {
      found.rest[0] = S(accuracy(ConfidenceRows(probs, y, count, classes: classes, isTopLabel: true)))
      note(meanScore(probs, y, count, classes, LogarithmicScore<S.Vector>(eps: DoubleLanes(1e-12)), found.rest + 1))
      note(meanScore(probs, y, count, classes, QuadraticScore(factor: S.Vector.one), found.rest + 2))
    }
    table?.update(from: found.table, count: size)
    rest?.update(from: found.rest, count: 6)
    return .ok
  }
}

@inline(__always)
private func meanScore<P: RowScore>(
  _ probs: UnsafePointer<P.V.Element>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ score: P,
  _ mean: UnsafeMutablePointer<P.V.Element>
) -> Status {
  LossCall(reduction: .mean, sampleWeight: nil, loss: mean, grad: nil).score(probs, y, count, classes, score)
}

/// How many rows are predicted as labelled, of all.
private func accuracy<S: Scalar>(_ rows: ConfidenceRows<S>) -> Double {
  var hits = 0
  if rows.isTopLabel {
    _ = rows.forEachTile(0..<rows.count) { _, tile in
      hits &+= (tile.hits & (UInt32.max >> UInt32(32 - tile.count))).nonzeroBitCount
    }
  } else {
    for row in 0..<rows.count where (rows.probs[row].double > 0.5) == rows.isHit(row, 0) { hits &+= 1 }
  }
  return Double(hits) / Double(rows.count)
}
