/// Suppression of unsorted boxes by their IoU.
typealias GroupedSuppression<S: Scalar> = RankedSuppression<S, OverlapRatio<S.Vector>>

extension RankedSuppression where Measure == OverlapRatio<S.Vector> {
  init(_ arena: inout Arena, capacity: Int, isBatched: Bool, threshold: Double) {
    self.init(&arena, capacity: capacity, isBatched: isBatched, threshold: threshold, measure: OverlapRatio())
  }
}

/// Suppression of unsorted boxes, all together or, if `isBatched`, within groups.
struct RankedSuppression<S: Scalar, Measure: OverlapMeasure> where Measure.V == S.Vector {
  /// Takes the boxes in the order that they are suppressed in: by group, and the best first.
  private(set) var suppressor: Suppressor<S, Measure>
  /// How many boxes can take part, and how many do.
  let capacity: Int
  private(set) var count = 0

  private let sorter: Sorter<S.Bits>
  /// Place in the order of scores → box.
  private let boxAtPlace: UnsafeMutablePointer<UInt32>
  /// Where there are groups, by box: was it kept?
  private let isKept: UnsafeMutablePointer<Bool>?
  private var isGrouped = false

  /// - Parameter most: how many boxes can take part, of `capacity` that are given.
  init(
    _ arena: inout Arena, capacity: Int, most: Int = .max, isBatched: Bool, threshold: Double, measure: Measure
  ) {
    self.capacity = Swift.min(capacity, most)
    sorter = Sorter(&arena, capacity: capacity)
    boxAtPlace = arena.take(UInt32.self, self.capacity)
    isKept = isBatched ? arena.take(Bool.self, capacity) : nil
    suppressor = Suppressor(&arena, capacity: self.capacity, threshold: threshold, measure: measure)
  }

  /// Suppresses, and returns how many boxes are kept.
  mutating func run(
    _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ groups: UnsafePointer<Int64>?, _ count: Int
  ) -> Int {
    rank(scores, count)
    guard let groups else {
      fill { columns, rank, box in columns.set(rank, boxes + 4 &* box) }
      return suppress()
    }
    return run(boxes, within: groups)
  }

  /// Lets the boxes take part whose scores exceed `threshold` (nil: all), and of those the first `most`.
  @inline(__always)
  mutating func rank(_ scores: UnsafePointer<S>, _ total: Int, above threshold: Double? = nil, most: Int = .max) {
    isGrouped = false
    count = total
    if let threshold {
      count = 0
      for box in 0..<total where scores[box].double > threshold {
        sorter.items[count] = SortItem(key: scores[box].descendingKey, index: UInt32(truncatingIfNeeded: box))
        count &+= 1
      }
    } else {
      for box in 0..<total {
        sorter.items[box] = SortItem(key: scores[box].descendingKey, index: UInt32(truncatingIfNeeded: box))
      }
    }
    let best = sorter.sort(count)
    count = Swift.min(count, most)
    for place in 0..<count { boxAtPlace[place] = best[place].index }
  }

  /// The box at a place in the order of scores.
  @inline(__always) func box(at place: Int) -> Int { Int(boxAtPlace[place]) }

  /// Gives the suppressor its boxes, by `set(columns, rank, box)`.
  ///
  /// - Parameter hasAreas: whether `set` sets areas; if not, they are the products of the sides.
  @inline(__always)
  func fill(hasAreas: Bool = false, _ set: (BoxColumns<S>, Int, Int) -> Void) {
    for place in 0..<count { set(suppressor.boxes, place, Int(boxAtPlace[place])) }
    suppressor.boxes.pad(count)
    if !hasAreas { suppressor.boxes.computeAreas(count, offset: 0) }
  }

  /// Suppresses the boxes that were filled in, as one group, and returns how many are kept.
  @discardableResult
  mutating func suppress(_ rule: SuppressionRule = SuppressionRule()) -> Int {
    suppressor.run(0..<count, rule)
    return keptCount
  }

  private mutating func run(_ boxes: UnsafePointer<S>, within groups: UnsafePointer<Int64>) -> Int {
    guard let isKept, count > 0 else { return 0 }
    isGrouped = true
    var members = sorter.items
    // By the halves of the groups' numbers, the upper one last, where a key has room for half of it.
    var shift = 0 as UInt64
    var varying = 0 as UInt64
    for box in 0..<count { varying |= groups[box].ascendingKey ^ groups[0].ascendingKey }
    while shift < 64, shift == 0 || varying &>> shift != 0 {
      for i in 0..<count {
        let box = shift == 0 ? boxAtPlace[i] : members[i].index
        sorter.items[i] = SortItem(
          key: S.Bits(truncatingIfNeeded: groups[Int(box)].ascendingKey &>> shift), index: box)
      }
      members = sorter.sort(count)
      shift &+= UInt64(S.Bits.bitWidth)
    }
    // The keys have done their work: from here on the first of them say where groups begin.
    var begun = 0
    var previous = 0 as Int64
    for rank in 0..<count {
      let box = Int(members[rank].index)
      suppressor.boxes.set(rank, boxes + 4 &* box)
      if rank == 0 || groups[box] != previous {
        members[begun].key = S.Bits(truncatingIfNeeded: rank)
        begun &+= 1
      }
      previous = groups[box]
    }
    suppressor.boxes.pad(count)
    suppressor.boxes.computeAreas(count, offset: 0)
    for group in 0..<begun {
      let end = group &+ 1 < begun ? Int(members[group &+ 1].key) : count
      suppressor.run(Int(members[group].key)..<end)
    }
    var kept = 0
    for rank in 0..<count {
      isKept[Int(members[rank].index)] = suppressor.isKept[rank]
      kept &+= one(ifKept: rank)
    }
    return kept
  }

  /// 1 if the box was kept, else 0: read as a number, for a branch could not be predicted.
  @inline(__always)
  private func one(ifKept rank: Int) -> Int {
    Int(UnsafeRawPointer(suppressor.isKept + rank).load(as: UInt8.self))
  }

  private var keptCount: Int {
    var kept = 0
    for rank in 0..<count { kept &+= one(ifKept: rank) }
    return kept
  }

  /// As `suppress` with the threshold t of the suppressor, but t ← t · eta whenever a box was kept while t > ½.
  mutating func suppress(eta: Double, _ rule: SuppressionRule) -> Int {
    var kept = 0
    var place = 0
    while place < count, suppressor.threshold > 0.5 {
      if !suppressor.isSuppressed(place, by: kept, rule) {
        move(place, to: kept)
        kept &+= 1
        suppressor.setThreshold(suppressor.threshold * eta)
      }
      place &+= 1
    }
    let removed = place &- kept
    for left in place..<count { move(left, to: left &- removed) }
    count &-= removed
    suppressor.boxes.pad(count)
    var rest = rule
    rest.alreadyKept = kept
    return suppress(rest)
  }

  private func move(_ place: Int, to other: Int) {
    boxAtPlace[other] = boxAtPlace[place]
    suppressor.boxes.set(other, suppressor.boxes, place)
  }

  /// Calls `body(i, box)` for the i-th kept box, best first.
  @inline(__always)
  func forEachKept(_ body: (Int, UInt32) -> Void) {
    var kept = 0
    for place in 0..<count {
      let box = boxAtPlace[place]
      var wasKept = suppressor.isKept[place]
      if isGrouped, let isKept { wasKept = isKept[Int(box)] }
      if wasKept {
        body(kept, box)
        kept &+= 1
      }
    }
  }
}
