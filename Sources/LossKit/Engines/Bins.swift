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
  @inline(__always) func index(_ c: DoubleLanes) -> Int64Lanes {
    let slot = slot(c, areFloats: false)
    return edge == .right
      ? Int64Lanes.select(c .== DoubleLanes.zero, Int64Lanes(0), slot)
      : Int64Lanes.select(c .== DoubleLanes.one, Int64Lanes(total &- 1), slot)
  }

  /// The same, but −1 for 0 (with the edge `right`) and `count` for 1 (with the others).
  ///
  /// With g the integer nearest to c·n, the edges below g/n are certainly less than c and those above are greater,
  /// rounding included. So only g/n itself need be compared. Where c is a float, c·n has no more than 48 bits and is
  /// compared with g: if they differ, then c and g/n do so by more than g/n is rounded.
  @inline(__always) fileprivate func slot(_ c: DoubleLanes, areFloats: Bool) -> Int64Lanes {
    let n = DoubleLanes(Double(count))
    let product = c * n
    let nearest = product.nearestInteger
    let (x, border) = areFloats ? (product, nearest.value) : (c, nearest.value / n)
    return nearest.integer &+ (edge == .right ? x .<= border : x .< border)
  }

  /// Slots −1 … count of a view.
  fileprivate var slots: Int { count + 2 }
  fileprivate func bin(ofSlot slot: Int) -> Int { max(0, min(slot, total - 1)) }

  /// Adds the confidences of every view of `rows` to its bins: `bins[view * total + index]`. Nothing is added unless
  /// the result is `ok`.
  func add<S: Scalar>(_ rows: ConfidenceRows<S>, to bins: UnsafeMutablePointer<Bin>) -> Status {
    let binCount = rows.views &* total
    // Each slot has several tallies, taken in turn, because adding to one has to wait for the sum before it. Where bins
    // are many, the cache matters more.
    let copies = binCount <= 64 ? 8 : binCount <= 4096 ? 4 : 1
    let ofView = slots &* copies
    // Tallies hold 2²² rows; 64 parts of these, one after the other, make up what there is. A part has far more rows
    // than tallies, so that these take little memory beside the data.
    let slab = Split.limit &* Tally.capacity
    let smallest = min(max(smallestElementwisePart / rows.columns, 64 &* ofView), Tally.capacity)
    let largest = Split(min(rows.count, slab), smallest: smallest, multiple: 16).parts
    guard let width = elementCount(rows.views, ofView), elementCount(width, MemoryLayout<Tally>.stride, largest) != nil
    else { return .outOfMemory }
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
          for i in 0..<width {
            let bin = bin(ofSlot: i % ofView / copies - 1)
            memory.tallies[part &* width &+ i].add(to: &memory.sums[i / ofView &* total &+ bin])
          }
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

/// Fills the tallies of each part: `tallies[((part · views) + view) · slots · copies + …]`.
private struct TallyJob<S: Scalar>: ParallelJob {
  let bins: UniformBins
  let copies: Int
  let rows: ConfidenceRows<S>
  let start: Int
  let split: Split
  let tallies: UnsafeMutablePointer<Tally>
  let faults: UnsafeMutablePointer<DataFaults>

  private var areFloats: Bool { S.Vector.count > 8 }

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    let ofView = bins.slots &* copies
    let mine = tallies + part &* rows.views &* ofView
    mine.initialize(repeating: Tally(), count: rows.views &* ofView)
    var lanes = InlineArray<48, Int64>(repeating: 0)
    withUnsafeMutableBytes(of: &lanes) { bytes in
      let lanes = aligned(bytes.baseAddress!).assumingMemoryBound(to: Int64.self)
      faults[part] = rows.forEachTile(start &+ range.lowerBound..<start &+ range.upperBound) { view, tile in
        let tallies = UnsafeMutableRawPointer(mine + (view &* ofView &+ copies))
        let confidence = tile.confidence.doubles
        var ticks = (Tally.tick(tile.isHit.0), Tally.tick(tile.isHit.1))
        if tile.count < S.Vector.count {
          ticks = (ticks.0 & Int64Lanes.first(tile.count), ticks.1 & Int64Lanes.first(tile.count &- 8))
        }
        // Of floats not below 2⁻¹⁶ the last digit is 2⁻⁴⁰ at least.
        let areShort =
          areFloats && !((S.Vector.zero .< tile.confidence) & (tile.confidence .< S.Vector(0x1p-16))).any
        add(confidence.0, ticks.0, areShort: areShort, to: tallies, lanes)
        if areFloats { add(confidence.1, ticks.1, areShort: areShort, to: tallies, lanes) }
      }
    }
  }

  /// Adds eight confidences; those that do not count are 0, and so are their ticks.
  @inline(__always)
  private func add(
    _ confidence: DoubleLanes, _ tick: Int64Lanes, areShort: Bool, to tallies: UnsafeMutableRawPointer,
    _ lanes: UnsafeMutablePointer<Int64>
  ) {
    let digits = ExactDigits(confidence)
    // In bytes, so that the processor need not multiply.
    let stride = copies == 8 ? 8 : copies == 4 ? 7 : 5
    let copy = (Int64Lanes.indices & Int64Lanes(copies &- 1)).shiftedLeft(5)
    (bins.slot(confidence, areFloats: areFloats).shiftedLeft(stride) &+ copy).store(lanes)
    @inline(__always) func forEachTally(_ a: Int64Lanes, _ b: Int64Lanes, _ body: (inout Tally, Int64, Int64) -> Void) {
      // The two numbers of a lane side by side, as they are in a tally.
      let (a, b) = (DoubleLanes(bits: a), DoubleLanes(bits: b))
      DoubleLanes.zipLow(a, b).bits.store(lanes + 8)
      DoubleLanes.zipHigh(a, b).bits.store(lanes + 16)
      for lane in 0..<8 {
        let tally = (tallies + Int(lanes[lane])).assumingMemoryBound(to: Tally.self)
        body(&tally.pointee, lanes[8 &+ 2 &* lane], lanes[9 &+ 2 &* lane])
      }
    }
    forEachTally(tick, digits.high) { $0.add(tick: $1, high: $2) }
    if !areShort {
      let (middle, low) = digits.middleAndLow
      forEachTally(middle, low) { $0.add(middle: $1, low: $2) }
    }
  }
}

/// A bin that is being filled: one that carries nothing from digit to digit, and so holds `capacity` rows at most.
struct Tally {
  static let capacity = 1 << 22
  /// Count in the lower half, hits in the upper.
  private var countAndHits: Int64 = 0
  private var high: Int64 = 0
  private var middle: Int64 = 0
  private var low: Int64 = 0

  /// What a confidence adds to count and hits.
  @inline(__always) static func tick(_ isHit: Int64Lanes) -> Int64Lanes {
    Int64Lanes.select(isHit, Int64Lanes(1 &+ 1 &<< 32), Int64Lanes(1))
  }

  @inline(__always) mutating func add(tick: Int64, high: Int64) {
    let sums = (countAndHits &+ tick, self.high &+ high)
    (countAndHits, self.high) = sums
  }

  @inline(__always) mutating func add(middle: Int64, low: Int64) {
    let sums = (self.middle &+ middle, self.low &+ low)
    (self.middle, self.low) = sums
  }

  /// Adds a confidence in [0, 1].
  @inline(__always) mutating func add(_ confidence: Double, hit: UInt32) {
    let high = NearestDigit(confidence * 0x1p40)
    add(tick: 1 &+ Int64(hit & 1) &<< 32, high: high.integer)
    if high.rest == 0 { return }
    // Nothing above 0 counts as less than the unit: then `high` is 0.
    let middle = NearestDigit((confidence < ExactSum.unit ? ExactSum.unit * 0x1p40 : high.rest) * 0x1p40)
    add(middle: middle.integer, low: NearestDigit(middle.rest * 0x1p40).integer)
  }

  func add(to bin: inout Bin) {
    bin.count &+= countAndHits & 0xffff_ffff
    bin.hits &+= countAndHits >> 32
    bin.confidence.add(high: high, middle: middle, low: low)
  }
}
