/// Multicalibration audit: the calibration gaps of every group in every bin of predictions.
///
///     mass = |g ∩ b| / N,  gap = mean of y − p over g ∩ b (0 if empty),  violation = max mass · |gap|
///
/// Bins are of equal width, [e_b, e_{b+1}), and 1 is in the last. Sums are exact: the order of samples plays no role.
///
/// - Parameters:
///   - probs: `[count]`, probabilities of class 1, in [0, 1].
///   - y: `[count]`, labels 0 and 1.
///   - groups: `[count, groupCount]`, not 0 where a sample is a member; groups may overlap.
///   - count: N, ≥ 0. With none, masses and gaps are 0 and the violation NaN.
///   - groupCount: G, ≥ 0.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - mass: optional output, `[groupCount, nBins]`.
///   - gap: optional output, `[groupCount, nBins]`.
///   - violation: optional output, one number; 0 without groups.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is neither 0 nor 1.
/// - Reference: Hébert-Johnson, Kim, Reingold and Rothblum, Multicalibration: Calibration for the
///   (Computationally-Identifiable) Masses, 2018.
func multicalibrationAudit<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ groups: UnsafePointer<UInt8>?, _ count: Int,
  _ groupCount: Int, _ nBins: Int, _ mass: UnsafeMutablePointer<S>?, _ gap: UnsafeMutablePointer<S>?,
  _ violation: UnsafeMutablePointer<S>?
) -> Status {
  withAudit(probs, y, groups, count, groupCount, nBins) { audit in
    for cell in 0..<groupCount &* nBins {
      mass?[cell] = S(audit.mass(cell))
      gap?[cell] = S(audit.gap(cell))
    }
    violation?.pointee = S(count == 0 ? .nan : audit.worst.violation)
    return .ok
  }
}

/// Multicalibration: moves probabilities until no group is off in any bin.
///
/// Repeats: audit; stop if the violation is at most α or after `maxIter` updates; add the gap of the first greatest
/// violation (lowest group, then bin) to its members' probabilities, clipped to [0, 1].
///
/// - Parameters:
///   - probs: `[count]`, probabilities of class 1, in [0, 1].
///   - y: `[count]`, labels 0 and 1.
///   - groups: `[count, groupCount]`, not 0 where a sample is a member; groups may overlap.
///   - count: N, ≥ 0.
///   - groupCount: G, ≥ 0.
///   - alpha: α, in (0, 1); 0.01 is usual.
///   - nBins: number of bins, 1 to 2²⁴; 10 is usual.
///   - maxIter: ≥ 0; 1000 is usual.
///   - output: `[count]`, the probabilities; may be `probs`.
///   - updates: optional output, how many there were.
///   - violation: optional output, the greatest that is left; more than α if `maxIter` were not enough, NaN without
///     samples.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is neither 0 nor 1.
/// - Reference: Hébert-Johnson, Kim, Reingold and Rothblum, Multicalibration: Calibration for the
///   (Computationally-Identifiable) Masses, 2018.
func multicalibrate<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ groups: UnsafePointer<UInt8>?, _ count: Int,
  _ groupCount: Int, _ alpha: Double, _ nBins: Int, _ maxIter: Int, _ output: UnsafeMutablePointer<S>?,
  _ updates: UnsafeMutablePointer<Int>?, _ violation: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha > 0, alpha < 1, maxIter >= 0 else { return .invalidParameter }
  return withAudit(probs, y, groups, count, groupCount, nBins) { audit in
    guard count == 0 || output != nil else { return .nullPointer }
    var done = 0
    var worst = audit.worst
    while worst.violation > alpha, done < maxIter {
      audit.update(worst.cell)
      done &+= 1
      worst = audit.worst
    }
    if let output {
      for i in 0..<count { output[i] = S(audit.probs[i]) }
    }
    updates?.pointee = done
    violation?.pointee = S(count == 0 ? .nan : worst.violation)
    return .ok
  }
}

/// The sums of every group in every bin, kept up to date while probabilities move: as they are exact, there is no drift.
private struct MulticalibrationAudit {
  let probs: UnsafeMutablePointer<Double>
  private let cells: UnsafeMutablePointer<Bin>
  /// The bin of each sample.
  private let bins: UnsafeMutablePointer<Int32>
  private var y: UnsafePointer<Int64>?
  private var groups: UnsafePointer<UInt8>?
  private let count, groupCount: Int
  private let uniform: UniformBins

  init(_ arena: inout Arena, _ count: Int, _ groupCount: Int, _ nBins: Int) {
    probs = arena.take(Double.self, count)
    cells = arena.take(Bin.self, groupCount &* nBins)
    bins = arena.take(Int32.self, count)
    self.count = count
    self.groupCount = groupCount
    uniform = UniformBins(count: nBins, edge: .left)
  }

  mutating func fill<S: Scalar>(_ p: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ groups: UnsafePointer<UInt8>?) {
    self.y = y
    self.groups = groups
    widen(p, count, into: probs)
    for i in 0..<count { enter(i) }
  }

  func clear() { cells.initialize(repeating: Bin(), count: groupCount &* uniform.count) }

  func mass(_ cell: Int) -> Double { Double(cells[cell].count) / Double(Swift.max(count, 1)) }
  func gap(_ cell: Int) -> Double { cells[cell].count == 0 ? 0 : 0 - cells[cell].gap }

  /// The first cell that is farthest off.
  var worst: (cell: Int, violation: Double) {
    var worst = (cell: 0, violation: 0.0)
    for cell in 0..<groupCount &* uniform.count {
      let violation = mass(cell) * gap(cell).magnitude
      if violation > worst.violation { worst = (cell, violation) }
    }
    return worst
  }

  /// Moves the members of a cell by its gap.
  func update(_ cell: Int) {
    guard let groups else { return }
    let (group, bin) = (cell / uniform.count, Int32(truncatingIfNeeded: cell % uniform.count))
    let gap = self.gap(cell)
    for i in 0..<count where bins[i] == bin && groups[i &* groupCount &+ group] != 0 {
      leave(i)
      probs[i] = min(max(probs[i] + gap, 0), 1)
      enter(i)
    }
  }

  private func enter(_ i: Int) {
    bins[i] = Int32(truncatingIfNeeded: uniform.index(DoubleLanes(probs[i]))[0])
    forEachCell(i) { $0.pointee.add(probs[i], hit: y?[i] ?? 0) }
  }

  private func leave(_ i: Int) {
    var sample = Bin()
    sample.add(probs[i], hit: y?[i] ?? 0)
    forEachCell(i) { $0.pointee.remove(sample) }
  }

  @inline(__always) private func forEachCell(_ i: Int, _ body: (UnsafeMutablePointer<Bin>) -> Void) {
    guard let groups else { return }
    for g in 0..<groupCount where groups[i &* groupCount &+ g] != 0 {
      body(cells + (g &* uniform.count &+ Int(bins[i])))
    }
  }
}

extension Bin {
  /// Takes out what was added.
  fileprivate mutating func remove(_ other: Bin) {
    count &-= other.count
    hits &-= other.hits
    let sum = other.confidence
    confidence.add(whole: 0 &- sum.whole, high: 0 &- sum.high, middle: 0 &- sum.middle, low: 0 &- sum.low)
  }
}

/// Checks the arguments that both have, and runs `body` with a filled audit.
@inline(__always)
private func withAudit<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ groups: UnsafePointer<UInt8>?, _ count: Int,
  _ groupCount: Int, _ nBins: Int, _ body: (MulticalibrationAudit) -> Status
) -> Status {
  guard elementCount(count, 16) != nil, elementCount(count, groupCount) != nil else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  guard let cells = elementCount(groupCount, nBins), elementCount(cells, MemoryLayout<Bin>.stride) != nil else {
    return .invalidShape
  }
  guard count == 0 || (probs != nil && y != nil && (groups != nil || groupCount == 0)) else { return .nullPointer }
  if count > 0, let probs, let y {
    let status = statusOfConfidences(probs, y, count, classes: 0)
    guard status == .ok else { return status }
  }
  return withWorkspace(layout: { MulticalibrationAudit(&$0, count, groupCount, nBins) }) { memory in
    var audit = memory
    audit.clear()
    if count > 0, let probs, let y { audit.fill(probs, y, groups) }
    return body(audit)
  }
}
