// Bins of confidences: how many fell in, how many of them were hits, and the exact sum of the confidences. All three
// are integers, so that bins can be joined in any order.

/// One bin.
struct Bin {
  var count: Int64 = 0
  var hits: Int64 = 0
  var confidence = ExactSum()

  mutating func add(_ value: Double, hit: Int64) {
    count &+= 1
    hits &+= hit
    confidence.add(value)
  }

  mutating func add(_ other: Bin) {
    count &+= other.count
    hits &+= other.hits
    confidence.add(other.confidence)
  }

  /// Σ confidence − Σ hits: the bin's calibration gap times its count, with the sign of the exact difference.
  var excess: Double { confidence.minus(hits) }
  /// Mean confidence − accuracy; 0 if the bin is empty.
  var gap: Double { count == 0 ? 0 : excess / Double(count) }
  var meanConfidence: Double { count == 0 ? 0 : confidence.value / Double(count) }
  /// 1 − mean confidence, from the exact difference.
  var meanDoubt: Double { count == 0 ? 0 : (0 - confidence.minus(count)) / Double(count) }
  var accuracy: Double { count == 0 ? 0 : Double(hits) / Double(count) }
}

extension UnsafeBufferPointer<Bin> {
  /// The sum of a number of each bin.
  @inline(__always) func total(_ term: (Bin) -> Double) -> Double {
    var sum = 0.0
    for bin in self { sum += term(bin) }
    return sum
  }
}

/// The most bins that a call may ask for.
let largestBinCount = 1 << 24

/// Bins of equal width: the edges are the doubles `b / n`.
struct UniformBins {
  let count: Int
  let edge: BinEdge

  /// Bins in use: `leftExtra` has one more, for confidence 1.
  var total: Int { edge == .leftExtra ? count + 1 : count }

  func border(_ b: Int) -> Double { Double(b) / Double(count) }

  /// The bins of confidences in [0, 1].
  ///
  /// With g the integer nearest to c·n, the edges below g/n are certainly less than c and those above are greater,
  /// rounding included. So only g/n itself need be compared.
  @inline(__always) func index(_ c: DoubleLanes) -> Int64Lanes {
    let n = DoubleLanes(Double(count))
    let nearest = (c * n).nearestInteger
    let border = nearest.value / n
    if edge == .right {
      let index = nearest.integer &+ (c .<= border)
      return Int64Lanes.select(c .== DoubleLanes.zero, Int64Lanes(0), index)
    }
    let index = nearest.integer &+ (c .< border)
    return Int64Lanes.select(c .== DoubleLanes.one, Int64Lanes(total &- 1), index)
  }

  /// Adds the confidences of every view of `rows` to its bins: `bins[view * total + index]`. Nothing is added unless
  /// the result is `ok`.
  func add<S: Scalar>(_ rows: ConfidenceRows<S>, to bins: UnsafeMutablePointer<Bin>) -> Status {
    let binCount = rows.views &* total
    // Each bin has several tallies, taken in turn, because adding to one has to wait for the sum before it. Where bins
    // are many, the cache matters more.
    let copies = binCount <= 4096 ? 4 : 1
    let width = binCount &* copies
    // Tallies hold 2²² rows; 64 parts of these, one after the other, make up what there is. A part has far more rows
    // than tallies, so that these take little memory beside the data.
    let slab = Split.limit &* Tally.capacity
    let smallest = min(max(smallestElementwisePart / rows.columns, 64 &* total &* copies), Tally.capacity)
    let largest = Split(min(rows.count, slab), smallest: smallest, multiple: 16).parts
    guard elementCount(width, MemoryLayout<Tally>.stride, largest) != nil else { return .outOfMemory }
    return withWorkspace(layout: {
      (
        tallies: $0.take(Tally.self, width &* largest), sums: $0.take(Bin.self, binCount),
        faults: $0.take(DataFaults.self, Split.limit)
      )
    }) { memory in
      memory.sums.initialize(repeating: Bin(), count: binCount)
      var faults = DataFaults()
      var start = 0
      while start < rows.count {
        let split = Split(min(slab, rows.count &- start), smallest: smallest, multiple: 16)
        parallel(
          split.parts,
          TallyJob(
            bins: self, copies: copies, rows: rows, start: start, split: split, tallies: memory.tallies,
            faults: memory.faults))
        for part in 0..<split.parts {
          faults.join(memory.faults[part])
          for i in 0..<width { memory.tallies[part &* width &+ i].add(to: &memory.sums[i / copies]) }
        }
        start &+= slab
      }
      if faults.status == .ok {
        for i in 0..<binCount { bins[i].add(memory.sums[i]) }
      }
      return faults.status
    }
  }
}

/// Fills the tallies of each part: `tallies[((part · views) + view) · total · copies + …]`.
private struct TallyJob<S: Scalar>: ParallelJob {
  let bins: UniformBins
  let copies: Int
  let rows: ConfidenceRows<S>
  let start: Int
  let split: Split
  let tallies: UnsafeMutablePointer<Tally>
  let faults: UnsafeMutablePointer<DataFaults>

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    let ofView = bins.total &* copies
    let mine = tallies + part &* rows.views &* ofView
    mine.initialize(repeating: Tally(), count: rows.views &* ofView)
    faults[part] = rows.forEachTile(start &+ range.lowerBound..<start &+ range.upperBound) { view, tile in
      let halves = tile.confidence.doubles
      add(halves.0, tile.hits, tile.count, to: mine + view &* ofView)
      if S.Vector.count > 8 { add(halves.1, tile.hits >> 8, tile.count &- 8, to: mine + view &* ofView) }
    }
  }

  /// Adds the first `n` of eight confidences.
  @inline(__always)
  private func add(_ confidence: DoubleLanes, _ hits: UInt32, _ n: Int, to tallies: UnsafeMutablePointer<Tally>) {
    let digits = ExactDigits(confidence)
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 32) { lanes in
      let index = lanes.baseAddress!
      bins.index(confidence).store(index)
      digits.high.store(index + 8)
      @inline(__always) func tally(_ lane: Int) -> UnsafeMutablePointer<Tally> {
        tallies + (Int(index[lane]) &* copies &+ lane & (copies &- 1))
      }
      for lane in 0..<8 where lane < n {
        tally(lane).pointee.add(hit: hits &>> UInt32(lane), high: index[8 &+ lane])
      }
      if !digits.isShort {
        let (middle, low) = digits.middleAndLow
        middle.store(index + 16)
        low.store(index + 24)
        for lane in 0..<8 where lane < n { tally(lane).pointee.add(middle: index[16 &+ lane], low: index[24 &+ lane]) }
      }
    }
  }
}

/// A bin that is being filled: one that carries nothing from digit to digit, and so holds `capacity` rows at most.
struct Tally {
  static let capacity = 1 << 22
  /// Count in the lower half, hits in the upper.
  private var countAndHits: UInt64 = 0
  private var high: Int64 = 0
  private var middle: Int64 = 0
  private var low: Int64 = 0

  @inline(__always) mutating func add(hit: UInt32, high: Int64) {
    countAndHits &+= 1 &+ (UInt64(hit & 1) &<< 32)
    self.high &+= high
  }

  @inline(__always) mutating func add(middle: Int64, low: Int64) {
    self.middle &+= middle
    self.low &+= low
  }

  /// Adds a confidence in [0, 1].
  @inline(__always) mutating func add(_ confidence: Double, hit: UInt32) {
    let high = NearestDigit(confidence * 0x1p40)
    add(hit: hit, high: high.integer)
    if high.rest == 0 { return }
    // Nothing above 0 counts as less than the unit: then `high` is 0.
    let middle = NearestDigit((confidence < ExactSum.unit ? ExactSum.unit * 0x1p40 : high.rest) * 0x1p40)
    add(middle: middle.integer, low: NearestDigit(middle.rest * 0x1p40).integer)
  }

  func add(to bin: inout Bin) {
    bin.count &+= Int64(countAndHits & 0xffff_ffff)
    bin.hits &+= Int64(countAndHits >> 32)
    bin.confidence.add(high: high, middle: middle, low: low)
  }
}
