/// Calibration slope and intercept of binary probabilities: what a logistic regression on their logits finds.
///
///     s = logit(min(max(p, ε), 1 − ε));   slope, intercept minimise the mean log-loss of σ(slope·s + intercept),
///     citl (calibration in the large) that of σ(s + citl)
///
/// Calibrated are slope 1, intercept 0 and citl 0.
///
/// - Parameters:
///   - probs: `[count]`, the probability of class 1.
///   - y: `[count]`, 0 or 1.
///   - count: N ≥ 1.
///   - eps: ε, in (0, ½); 1e-12 is usual.
///   - slope: optional output.
///   - intercept: optional output.
///   - citl: optional output.
///   - converged: optional output, 1 if both fits arrived at a minimum, else 0: where the classes can be told apart by
///     the probability, there is none.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Cox, Two Further Applications of a Model for Binary Regression, 1958.
func calibrationSlopeIntercept<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ eps: Double,
  _ slope: UnsafeMutablePointer<S>?, _ intercept: UnsafeMutablePointer<S>?, _ citl: UnsafeMutablePointer<S>?,
  _ converged: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(probs, y, count, 0) { return fault }
  guard let probs, let y else { return .invalidShape }
  guard count > 0 else { return .invalidShape }
  guard eps > 0, eps < 0.5 else { return .invalidParameter }
  return withWorkspace(layout: {
    (logits: $0.take(Double.self, count), targets: $0.take(Double.self, count))
  }) { memory in
    let rows = ConfidenceRows(probs, y, count, classes: 0, isTopLabel: false)
    let faults = rows.forEachTile(0..<count) { _, tile in
      for lane in 0..<tile.count { memory.targets[tile.row &+ lane] = Double(tile.hits >> UInt32(lane) & 1) }
    }
    guard faults.status == .ok else { return faults.status }
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      let p = DoubleLanes.max(DoubleLanes(eps), DoubleLanes.min(DoubleLanes(1 - eps), DoubleLanes.load(probs + i, n)))
      (DoubleLanes.log(p) - DoubleLanes.log(DoubleLanes.one - p)).store(memory.logits + i, lanes: n)
    }
    var line: LogisticFit?
    var shift: LogisticFit?
    var fit = LogisticRegression(count: count, targets: memory.targets, first: memory.logits)
    var status = fit.fit { line = $0 }
    fit.first = nil
    fit.offset = UnsafePointer(memory.logits)
    if status == .ok { status = fit.fit { shift = $0 } }
    guard status == .ok, let line, let shift else { return status }
    slope?.pointee = S(line.a)
    intercept?.pointee = S(line.c)
    citl?.pointee = S(shift.c)
    converged?.pointee = line.isConverged && shift.isConverged ? 1 : 0
    return .ok
  }
}
