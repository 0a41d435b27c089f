/// Kolmogorov-Smirnov calibration error: the largest difference of two cumulative distributions, without bins.
///
///     KS = max_k |Σ_{i ≤ k} (conf_i − corr_i)| / N, i in ascending order of confidence, equal ones in that of rows
///
/// The confidence of a row is its r-th largest probability, and it is right if that class is the label; `within` takes
/// the sum of the r largest, and it is right if the label is among them.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the error is NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1, and r plays no role.
///   - r: 1 to C; 1 is usual.
///   - within: false is usual.
///   - value: optional output, the error.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Gupta et al., Calibration of Neural Networks using Splines, 2021.
func ksCalibrationError<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ r: Int, _ within: Bool,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard r >= 1, classes <= 0 || r <= classes else { return .invalidParameter }
  if classes <= 0 || r == 1 {
    return withConfidenceCells(
      probs, y, count, classes, layout: { CellGaps(&$0) }, whenEmpty: { setUndefined(value) }
    ) { cells, gaps in value?.pointee = S(CumulativeGap(cells, count, gaps).largest) }
  }
  return withConfidenceRows(
    probs, y, count, classes,
    layout: {
      (cells: ConfidenceCells<Double>(&$0, capacity: count), gaps: CellGaps(&$0), taken: $0.take(Bool.self, classes))
    },
    whenEmpty: { setUndefined(value) }
  ) { rows, memory in
    let faults = rows.forEachTile(0..<count) { _, _ in }
    guard faults.status == .ok else { return faults.status }
    for row in 0..<count {
      let top = LargestProbabilities(rows.probs + row &* classes, classes, r, memory.taken)
      let label = Int(rows.y[row])
      memory.cells.set(
        row, within ? top.sum : top.last, isHit: within ? memory.taken[label] : top.lastColumn == label)
    }
    memory.cells.place(count)
    value?.pointee = S(CumulativeGap(memory.cells, count, memory.gaps).largest)
    return .ok
  }
}

/// The r largest of a row's probabilities, of equal ones the first.
private struct LargestProbabilities {
  private(set) var sum = 0.0
  private(set) var last = 0.0
  private(set) var lastColumn = 0

  /// - Parameter taken: says afterwards which columns they are.
  init<S: Scalar>(_ p: UnsafePointer<S>, _ classes: Int, _ r: Int, _ taken: UnsafeMutablePointer<Bool>) {
    taken.update(repeating: false, count: classes)
    for _ in 0..<r {
      last = -1
      for c in 0..<classes where !taken[c] && p[c].double > last {
        last = p[c].double
        lastColumn = c
      }
      taken[lastColumn] = true
      sum += last
    }
  }
}
