/// The exact sums of the Brier scores and of the log losses of rows: what no order of adding can change.
struct ScoreSums {
  var brier = ExactSum()
  var logarithmic = ExactSum()

  mutating func join(_ other: ScoreSums) {
    brier.add(other.brier)
    logarithmic.add(other.logarithmic)
  }

  /// Adds rows; none unless the result is `ok`.
  mutating func add<S: Scalar>(_ rows: ConfidenceRows<S>, eps: Double) -> Status {
    let split = Split(rows.count, smallest: max(smallestElementwisePart / rows.columns, 1), multiple: 16)
    var faults = DataFaults()
    var total = ScoreSums()
    withUnsafeTemporaryAllocation(of: ScoreSums.self, capacity: Split.limit) { sums in
      withUnsafeTemporaryAllocation(of: DataFaults.self, capacity: Split.limit) { found in
        let job = ScoreSumsJob(
          rows: rows, eps: eps, sums: sums.baseAddress!, faults: found.baseAddress!, split: split)
        parallel(split.parts, job)
        for part in 0..<split.parts {
          faults.join(found[part])
          total.join(sums[part])
        }
      }
    }
    if faults.status == .ok { join(total) }
    return faults.status
  }
}

private struct ScoreSumsJob<S: Scalar>: ParallelJob {
  let rows: ConfidenceRows<S>
  let eps: Double
  let sums: UnsafeMutablePointer<ScoreSums>
  let faults: UnsafeMutablePointer<DataFaults>
  let split: Split

  @inline(__always) func run(part: Int) {
    typealias V = S.Vector
    let quadratic = QuadraticScore(factor: V.one)
    let logarithmic = LogarithmicScore<V>(eps: DoubleLanes(eps))
    var check = GroupCheck<V>(refusesNaN: true)
    var brier = ExactLanes()
    var nll = ExactLanes()
    rows.forEachGroup(split.range(part)) { group in
      if !check.add(group) { return }
      let counts = V.Integers.first(group.count)
      brier.add(V.select(counts, quadratic.losses(group), V.zero))
      nll.add(V.select(counts, logarithmic.losses(group), V.zero))
    }
    sums[part] = ScoreSums(brier: brier.sum, logarithmic: nll.sum)
    faults[part] = check.faults
  }
}

/// An exact sum that is filled eight numbers at a time, each ≥ 0.
private struct ExactLanes {
  private static let capacity = 1 << 9
  private var total = ExactSum()
  private var high = Int64Lanes(0)
  private var middle = Int64Lanes(0)
  private var low = Int64Lanes(0)
  private var held = 0

  @inline(__always) mutating func add<V: Lanes>(_ x: V) {
    let (a, b) = x.doubles
    add(a)
    if V.count > 8 { add(b) }
  }

  @inline(__always) private mutating func add(_ x: DoubleLanes) {
    // Digits of larger numbers would not fit. NaN and what is too large altogether come of data that will be refused.
    if (DoubleLanes(2047) .< x).any {
      for lane in 0..<8 where x[lane] < 0x1p40 { total.add(x[lane]) }
      return
    }
    let digits = ExactDigits(x)
    high = high &+ digits.high
    if !digits.isShort {
      let rest = digits.middleAndLow
      middle = middle &+ rest.0
      low = low &+ rest.1
    }
    held &+= 1
    if held == Self.capacity { flush() }
  }

  private mutating func flush() {
    for lane in 0..<8 { total.add(high: Int64(high[lane]), middle: Int64(middle[lane]), low: Int64(low[lane])) }
    high = Int64Lanes(0)
    middle = Int64Lanes(0)
    low = Int64Lanes(0)
    held = 0
  }

  var sum: ExactSum {
    var copy = self
    copy.flush()
    return copy.total
  }
}
