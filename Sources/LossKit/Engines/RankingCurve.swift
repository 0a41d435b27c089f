// The curve of a ranking: how many positives and negatives score at least t, for every distinct score t from the
// highest down. All measures of a ranked binary classifier are sums over its steps.
//
// The scores are ordered in two moves. Their keys are counted in up to 2¹⁶ cells of equal width, neighbouring cells are
// joined to buckets of some thousand scores each, and every score goes to its bucket, which takes one pass over memory;
// then each bucket is sorted where it lies, in the cache. In a bucket a score is its distance from the bucket's first,
// which leaves a bit for the label: an item is no larger than a score.

/// Scores, each with a label and perhaps a weight.
struct LabelledScores<S: Scalar> {
  let scores: UnsafePointer<S>
  let labels: LabelBits
  let weights: UnsafePointer<S>?
  /// 1 ... largestSortCount.
  let count: Int
}

/// One bit an element: is it positive?
struct LabelBits {
  let bytes: UnsafeMutablePointer<UInt8>

  init(_ arena: inout Arena, count: Int) { bytes = arena.take(UInt8.self, (count + 7) / 8) }

  @inline(__always) subscript(_ element: Int) -> UInt8 { (bytes[element >> 3] &>> UInt8(element & 7)) & 1 }

  /// Sets the bits of elements 0 ..< count.
  @inline(__always) func fill(_ count: Int, _ isPositive: (Int) -> Bool) {
    var element = 0
    while element < count {
      var byte: UInt8 = 0
      for bit in 0..<min(8, count &- element) where isPositive(element &+ bit) { byte |= 1 << UInt8(bit) }
      bytes[element >> 3] = byte
      element &+= 8
    }
  }

  /// Sets the bits to labels that are 0 and 1; false if others are among them.
  func fill(_ count: Int, _ y: UnsafePointer<Int64>) -> Bool {
    let split = Split(count, smallest: 1 << 18, multiple: 8)
    var valid = InlineArray<64, Bool>(repeating: true)  // one for each of Split.limit
    return withUnsafeMutableBytes(of: &valid) {
      let valid = $0.assumingMemoryBound(to: Bool.self)
      parallel(split.parts) { part in valid[part] = fill(split.range(part), y) }
      for part in 0..<split.parts where !valid[part] { return false }
      return true
    }
  }

  private func fill(_ range: Range<Int>, _ y: UnsafePointer<Int64>) -> Bool {
    var others = Int64Lanes(0)
    var element = range.lowerBound
    while element &+ 8 <= range.upperBound {
      let labels = Int64Lanes.load(y + element)
      others = others | labels
      bytes[element >> 3] = UInt8(truncatingIfNeeded: (labels .== Int64Lanes(1)).maskBits)
      element &+= 8
    }
    var valid = !((others .< Int64Lanes(0)) | (Int64Lanes(1) .< others)).any
    if element < range.upperBound { bytes[element >> 3] = 0 }
    while element < range.upperBound {
      valid = valid && (y[element] == 0 || y[element] == 1)
      if y[element] == 1 { bytes[element >> 3] |= 1 << UInt8(element & 7) }
      element &+= 1
    }
    return valid
  }
}

/// The weight of the positives and of the negatives that score at least a threshold.
struct CurvePoint<S: Scalar> {
  var positives = 0.0
  var negatives = 0.0
  /// How far the threshold's key lies below that of the highest score.
  var depth: S.Bits = 0
}

/// A term of a sum over the steps of a curve.
protocol CurveTerm {
  associatedtype S: Scalar
  func term(from: CurvePoint<S>, to: CurvePoint<S>) -> Double
}

// MARK: - Items

/// A score in its bucket.
private protocol RankedItem: KeyedItem where Key == S.Bits {
  associatedtype S: Scalar
  /// - Parameters:
  ///   - offset: how far the score's key lies below that of its bucket's first; below half of what the integer holds.
  ///   - label: 0 or 1.
  init(offset: Key, label: UInt8, weight: S)
  var positive: Double { get }
  var negative: Double { get }
  /// The sums of both.
  static func weight(_ items: UnsafePointer<Self>, _ count: Int) -> (positives: Double, negatives: Double)
}

private struct CountedItem<S: Scalar>: RankedItem {
  /// Offset and, in the lowest bit, label.
  let code: S.Bits
  @inline(__always) init(offset: S.Bits, label: UInt8, weight: S) {
    code = offset &<< 1 | S.Bits(truncatingIfNeeded: label)
  }
  @inline(__always) var key: S.Bits { code &>> 1 }
  @inline(__always) var positive: Double { Double(Int64(truncatingIfNeeded: code & 1)) }
  @inline(__always) var negative: Double { 1 - positive }

  @inline(__always)
  static func weight(_ items: UnsafePointer<Self>, _ count: Int) -> (positives: Double, negatives: Double) {
    var positives = 0
    for i in 0..<count { positives &+= Int(truncatingIfNeeded: items[i].code & 1) }
    return (Double(positives), Double(count &- positives))
  }
}

private struct WeightedItem<S: Scalar>: RankedItem {
  let key: S.Bits
  /// Positive or, for a negative, with the sign changed.
  let signedWeight: S
  @inline(__always) init(offset: S.Bits, label: UInt8, weight: S) {
    key = offset
    signedWeight = label == 1 ? weight : -weight
  }
  @inline(__always) var positive: Double { signedWeight > 0 ? signedWeight.double : 0 }
  @inline(__always) var negative: Double { signedWeight < 0 ? -signedWeight.double : 0 }

  @inline(__always)
  static func weight(_ items: UnsafePointer<Self>, _ count: Int) -> (positives: Double, negatives: Double) {
    var weight = (positives: 0.0, negatives: 0.0)
    for i in 0..<count {
      weight.positives += items[i].positive
      weight.negatives += items[i].negative
    }
    return weight
  }
}

// MARK: - The curve

/// Buckets that are worth a thread's while.
private let fewestBuckets = 32

/// Scores whose keys are neighbours: a part of the curve.
private struct CurveBucket<S: Scalar> {
  /// Of the first cell.
  var depth: S.Bits = 0
  var start = 0
  var count = 0
  /// The weights in this bucket; later, of all down to it.
  var end = CurvePoint<S>()
  var sum = 0.0
}

struct RankingCurve<S: Scalar> {
  /// The key of the highest score.
  private let highest: S.Bits
  fileprivate let buckets: UnsafeMutablePointer<CurveBucket<S>>
  fileprivate let bucketCount: Int
  fileprivate let counted: UnsafeMutablePointer<CountedItem<S>>?
  fileprivate let weighted: UnsafeMutablePointer<WeightedItem<S>>?

  fileprivate init(
    highest: S.Bits, buckets: UnsafeMutablePointer<CurveBucket<S>>, bucketCount: Int,
    counted: UnsafeMutablePointer<CountedItem<S>>?, weighted: UnsafeMutablePointer<WeightedItem<S>>?
  ) {
    self.highest = highest
    self.buckets = buckets
    self.bucketCount = bucketCount
    self.counted = counted
    self.weighted = weighted
  }

  /// The lowest point: the weight of all positives and negatives.
  var total: CurvePoint<S> { buckets[bucketCount &- 1].end }

  /// The number of points, one for each distinct score.
  var count: Int {
    var count = 0
    forEachStep { _, _ in count &+= 1 }
    return count
  }

  @inline(__always) func threshold(_ point: CurvePoint<S>) -> S { S(ascendingKey: highest &- point.depth) }

  /// Calls `body(from, to)` for the steps to each point from the one before, the first step from the origin.
  @inline(__always) func forEachStep(_ body: (CurvePoint<S>, CurvePoint<S>) -> Void) {
    for bucket in 0..<bucketCount { forEachStep(in: bucket, body) }
  }

  /// The sum over all steps: in each bucket, then over the buckets.
  @inline(__always) func sum<Term: CurveTerm>(_ term: Term) -> Double where Term.S == S {
    let split = Split(bucketCount, smallest: fewestBuckets)
    parallel(split.parts, SumJob(curve: self, term: term, split: split))
    var sum = 0.0
    for bucket in 0..<bucketCount { sum += buckets[bucket].sum }
    return sum
  }

  @inline(__always) fileprivate func forEachStep(
    in bucket: Int, _ body: (CurvePoint<S>, CurvePoint<S>) -> Void
  ) {
    let before = bucket == 0 ? CurvePoint<S>() : buckets[bucket &- 1].end
    if let weighted {
      RankingCurve.forEachStep(buckets[bucket], weighted, from: before, body)
    } else if let counted {
      RankingCurve.forEachStep(buckets[bucket], counted, from: before, body)
    }
  }

  /// Points are gathered first, without branches: where a score ends and the next begins cannot be foretold.
  @inline(__always) private static func forEachStep<Item: RankedItem>(
    _ bucket: CurveBucket<S>, _ items: UnsafePointer<Item>, from before: CurvePoint<S>,
    _ body: (CurvePoint<S>, CurvePoint<S>) -> Void
  ) where Item.S == S {
    let items = items + bucket.start
    let last = bucket.count &- 1
    let block = 256
    withUnsafeTemporaryAllocation(of: CurvePoint<S>.self, capacity: block + 2) { memory in
      let points = memory.baseAddress!
      points[0] = before
      var here = before
      var item = 0
      while item <= last {
        let stop = min(item &+ block, last)
        var found = 1
        @inline(__always) func add() {
          here.positives += items[item].positive
          here.negatives += items[item].negative
          here.depth = bucket.depth &+ items[item].key
          points[found] = here
        }
        while item < stop {
          add()
          found &+= items[item].key == items[item &+ 1].key ? 0 : 1
          item &+= 1
        }
        if item == last {
          add()
          found &+= 1
          item &+= 1
        }
        for point in 1..<found { body(points[point &- 1], points[point]) }
        points[0] = points[found &- 1]
      }
    }
  }
}

private struct SumJob<S, Term: CurveTerm>: ParallelJob where Term.S == S {
  let curve: RankingCurve<S>
  let term: Term
  let split: Split

  func run(part: Int) {
    for bucket in split.range(part) {
      var sum = 0.0
      curve.forEachStep(in: bucket) { from, to in sum += term.term(from: from, to: to) }
      curve.buckets[bucket].sum = sum
    }
  }
}

/// Runs `body` with the curve of the scores; `invalidValue` if one is NaN. Allocates a score's size (with weights, that
/// and a weight's) for each, and a few MB at most.
@inline(__always)
func withRankingCurve<S: Scalar>(_ input: LabelledScores<S>, _ body: (RankingCurve<S>) -> Status) -> Status {
  guard let range = scoreRange(input.scores, input.count) else { return .invalidValue }
  let plan = BucketPlan<S>(range, input.count)
  return withWorkspace(layout: {
    (
      memory: BucketMemory<S>(&$0, plan),
      counted: $0.take(CountedItem<S>.self, input.weights == nil ? input.count : 0),
      weighted: $0.take(WeightedItem<S>.self, input.weights == nil ? 0 : input.count)
    )
  }) { arrays in
    let bucketCount = plan.chooseBuckets(input.scores, arrays.memory)
    let status =
      input.weights == nil
      ? plan.order(input, arrays.memory, bucketCount, arrays.counted)
      : plan.order(input, arrays.memory, bucketCount, arrays.weighted)
    guard status == .ok else { return status }
    return body(
      RankingCurve(
        highest: plan.highest, buckets: arrays.memory.buckets, bucketCount: bucketCount,
        counted: input.weights == nil ? arrays.counted : nil,
        weighted: input.weights == nil ? nil : arrays.weighted))
  }
}

// MARK: - Range

private struct ScoreRange<S: Scalar> {
  var lowest = S.infinity
  var highest = -S.infinity
  var hasNaN = false
}

/// The lowest and the highest score, or nil if one is NaN.
private func scoreRange<S: Scalar>(_ scores: UnsafePointer<S>, _ count: Int) -> ScoreRange<S>? {
  var range = ScoreRange<S>()
  let split = Split(count, smallest: 1 << 18)
  withUnsafeTemporaryAllocation(of: ScoreRange<S>.self, capacity: Split.limit) {
    let found = $0.baseAddress!
    parallel(split.parts, RangeJob(scores: scores, split: split, found: found))
    for part in 0..<split.parts {
      range.lowest = min(range.lowest, found[part].lowest)
      range.highest = max(range.highest, found[part].highest)
      range.hasNaN = range.hasNaN || found[part].hasNaN
    }
  }
  return range.hasNaN ? nil : range
}

private struct RangeJob<S: Scalar>: ParallelJob {
  let scores: UnsafePointer<S>
  let split: Split
  let found: UnsafeMutablePointer<ScoreRange<S>>

  func run(part: Int) {
    typealias V = S.Vector
    let elements = split.range(part)
    let fill = scores[elements.lowerBound]
    var lowest = V(fill)
    var highest = V(fill)
    var bad = V.Integers(0)
    forEachVector(V.self, elements) { element, n in
      let x = V.load(scores + element, lanes: n, fill: fill)
      lowest = V.min(x, lowest)
      highest = V.max(x, highest)
      bad = bad | x.isNaN
    }
    found[part] = ScoreRange(lowest: lowest.minimum, highest: highest.maximum, hasNaN: bad.any)
  }
}

// MARK: - Buckets

/// How keys are counted and shared out.
private struct BucketPlan<S: Scalar> {
  let count: Int
  let highest: S.Bits
  /// A depth is shifted by this to give its cell.
  let shift: S.Bits
  let cells: Int
  /// Scores that a bucket has as a rule.
  let target: Int
  /// Of the scores, for counting and moving them.
  let split: Split

  init(_ range: ScoreRange<S>, _ count: Int) {
    self.count = count
    highest = range.highest.ascendingKey
    let depth = highest &- range.lowest.ascendingKey
    // Some scores a cell, so that clearing the counts does not take longer than counting.
    let cellBits = min(max(Int.bitWidth &- count.leadingZeroBitCount &- 3, 1), 16)
    shift = S.Bits(truncatingIfNeeded: max(S.Bits.bitWidth &- depth.leadingZeroBitCount &- cellBits, 0))
    cells = Int(truncatingIfNeeded: depth &>> shift) + 1
    target = max(count / 1024, 4096)
    split = Split(count, smallest: max((count + 7) / 8, 1 << 18))
  }

  /// Two neighbours hold more than `target` together, or too wide a range for one.
  var largestBucketCount: Int { min(2 * (count / target) + 4, cells) }
  /// Cells that a bucket may span: offsets have to leave a bit for the label.
  var widestBucket: Int {
    let limit = (1 as S.Bits) &<< S.Bits(truncatingIfNeeded: S.Bits.bitWidth &- 1)
    return Int(truncatingIfNeeded: min(limit &>> shift, S.Bits(truncatingIfNeeded: Int32.max)))
  }

  @inline(__always) func depth(_ score: S) -> S.Bits { highest &- score.ascendingKey }
  @inline(__always) func cell(_ depth: S.Bits) -> Int { Int(truncatingIfNeeded: depth &>> shift) }
}

/// Where the next item of a bucket goes.
private struct BucketSlot<S: Scalar> {
  var place: UInt32
  var depth: S.Bits
}

private struct BucketMemory<S: Scalar> {
  /// How many scores of each part fall in each cell.
  let counts: UnsafeMutablePointer<UInt32>
  /// The bucket of each cell.
  let bucketOf: UnsafeMutablePointer<UInt16>
  let buckets: UnsafeMutablePointer<CurveBucket<S>>
  /// One row for each part.
  let slots: UnsafeMutablePointer<BucketSlot<S>>

  init(_ arena: inout Arena, _ plan: BucketPlan<S>) {
    counts = arena.take(UInt32.self, plan.split.parts * plan.cells)
    bucketOf = arena.take(UInt16.self, plan.cells)
    buckets = arena.take(CurveBucket<S>.self, plan.largestBucketCount)
    slots = arena.take(BucketSlot<S>.self, plan.split.parts * plan.largestBucketCount)
  }
}

extension BucketPlan {
  /// Divides the cells into buckets, and returns how many there are.
  fileprivate func chooseBuckets(_ scores: UnsafePointer<S>, _ memory: BucketMemory<S>) -> Int {
    parallel(split.parts, CountJob(plan: self, scores: scores, counts: memory.counts))
    let buckets = memory.buckets
    var bucket = -1
    var first = 0
    for cell in 0..<cells {
      var n = 0
      for part in 0..<split.parts { n &+= Int(memory.counts[part &* cells &+ cell]) }
      if n == 0 { continue }
      if bucket < 0 || buckets[bucket].count &+ n > target || cell &- first >= widestBucket {
        let start = bucket < 0 ? 0 : buckets[bucket].start &+ buckets[bucket].count
        bucket &+= 1
        first = cell
        buckets[bucket] = CurveBucket()
        buckets[bucket].start = start
        buckets[bucket].depth = S.Bits(truncatingIfNeeded: cell) &<< shift
        for part in 0..<split.parts {
          memory.slots[part &* largestBucketCount &+ bucket] = BucketSlot(place: 0, depth: buckets[bucket].depth)
        }
      }
      memory.bucketOf[cell] = UInt16(truncatingIfNeeded: bucket)
      buckets[bucket].count &+= n
      for part in 0..<split.parts {
        memory.slots[part &* largestBucketCount &+ bucket].place &+= memory.counts[part &* cells &+ cell]
      }
    }
    // From counts to places: the parts of a bucket stand behind one another.
    for b in 0...bucket {
      var place = UInt32(truncatingIfNeeded: buckets[b].start)
      for part in 0..<split.parts {
        let n = memory.slots[part &* largestBucketCount &+ b].place
        memory.slots[part &* largestBucketCount &+ b].place = place
        place &+= n
      }
    }
    return bucket &+ 1
  }

  /// Moves the scores to their buckets, sorts these and adds their weights up.
  @inline(__always)
  fileprivate func order<Item: RankedItem>(
    _ input: LabelledScores<S>, _ memory: BucketMemory<S>, _ bucketCount: Int, _ items: UnsafeMutablePointer<Item>
  ) -> Status where Item.S == S {
    parallel(split.parts, MoveJob(plan: self, input: input, memory: memory, items: items))
    var largest = 1
    for bucket in 0..<bucketCount { largest = max(largest, memory.buckets[bucket].count) }
    // Each part has spare memory for its largest bucket; what becomes of a bucket does not depend on the parts.
    let fewest = (largest &* bucketCount + count - 1) / count
    let parts = Split(bucketCount, smallest: max((bucketCount + 7) / 8, fewestBuckets, fewest))
    return withWorkspace(layout: {
      (
        spare: $0.take(Item.self, parts.parts * largest),
        counts: $0.take(UInt32.self, parts.parts * RadixSort<Item>.countsNeeded)
      )
    }) { arrays in
      parallel(
        parts.parts,
        SortJob(
          buckets: memory.buckets, split: parts, items: items, spare: arrays.spare, largest: largest,
          counts: arrays.counts))
      for bucket in 1..<max(bucketCount, 1) {
        memory.buckets[bucket].end.positives += memory.buckets[bucket &- 1].end.positives
        memory.buckets[bucket].end.negatives += memory.buckets[bucket &- 1].end.negatives
      }
      return .ok
    }
  }
}

private struct CountJob<S: Scalar>: ParallelJob {
  let plan: BucketPlan<S>
  let scores: UnsafePointer<S>
  let counts: UnsafeMutablePointer<UInt32>

  func run(part: Int) {
    let counts = counts + part &* plan.cells
    counts.initialize(repeating: 0, count: plan.cells)
    for i in plan.split.range(part) { counts[plan.cell(plan.depth(scores[i]))] &+= 1 }
  }
}

private struct MoveJob<S: Scalar, Item: RankedItem>: ParallelJob where Item.S == S {
  let plan: BucketPlan<S>
  let input: LabelledScores<S>
  let memory: BucketMemory<S>
  let items: UnsafeMutablePointer<Item>

  func run(part: Int) {
    let slots = memory.slots + part &* plan.largestBucketCount
    for i in plan.split.range(part) {
      let depth = plan.depth(input.scores[i])
      let slot = slots + Int(memory.bucketOf[plan.cell(depth)])
      let place = slot.pointee.place
      slot.pointee.place = place &+ 1
      items[Int(place)] = Item(
        offset: depth &- slot.pointee.depth, label: input.labels[i], weight: input.weights?[i] ?? 1)
    }
  }
}

private struct SortJob<S: Scalar, Item: RankedItem>: ParallelJob where Item.S == S {
  let buckets: UnsafeMutablePointer<CurveBucket<S>>
  let split: Split
  let items: UnsafeMutablePointer<Item>
  let spare: UnsafeMutablePointer<Item>
  let largest: Int
  let counts: UnsafeMutablePointer<UInt32>

  func run(part: Int) {
    for bucket in split.range(part) {
      let here = buckets + bucket
      let count = here.pointee.count
      let own = items + here.pointee.start
      let sorted = RadixSort(
        items: own, spare: spare + part &* largest, counts: counts + part &* RadixSort<Item>.countsNeeded
      ).sort(count)
      if sorted != own { own.update(from: sorted, count: count) }
      let weight = Item.weight(own, count)
      here.pointee.end = CurvePoint(positives: weight.positives, negatives: weight.negatives)
    }
  }
}
