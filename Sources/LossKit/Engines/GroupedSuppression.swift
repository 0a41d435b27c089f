/// Non-maximum suppression of unsorted boxes, all together or, if `isBatched`, within groups.
struct GroupedSuppression<S: Scalar> {
  private let byScore: Sorter<S.Bits>
  private let byGroup: Sorter<UInt64>?
  private var suppressor: Suppressor<S>
  /// Place in the order of scores → box, and → its place in the suppressor, where groups are contiguous.
  private let boxAtPlace: UnsafeMutablePointer<UInt32>
  private let rankOfPlace: UnsafeMutablePointer<UInt32>?
  private var count = 0
  private var isGrouped = false

  init(_ arena: inout Arena, capacity: Int, isBatched: Bool, threshold: Double) {
    byScore = Sorter(&arena, capacity: capacity)
    boxAtPlace = arena.take(UInt32.self, capacity)
    byGroup = isBatched ? Sorter(&arena, capacity: capacity) : nil
    rankOfPlace = isBatched ? arena.take(UInt32.self, capacity) : nil
    suppressor = Suppressor(&arena, capacity: capacity, threshold: threshold)
  }

  /// Suppresses, and returns how many boxes are kept.
  mutating func run(
    _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ groups: UnsafePointer<Int64>?, _ count: Int
  ) -> Int {
    self.count = count
    isGrouped = groups != nil
    let best = byScore.sorted(count) { scores[$0].descendingKey }
    for place in 0..<count { boxAtPlace[place] = best[place].index }
    if let groups, let byGroup, let rankOfPlace {
      let members = byGroup.sorted(count) { groups[Int(boxAtPlace[$0])].ascendingKey }
      for rank in 0..<count {
        rankOfPlace[Int(members[rank].index)] = UInt32(truncatingIfNeeded: rank)
        suppressor.boxes.set(rank, boxes + 4 &* Int(boxAtPlace[Int(members[rank].index)]))
      }
      suppressor.boxes.pad(count)
      suppressor.boxes.computeAreas(count, offset: 0)
      var start = 0
      for rank in 1...count where rank == count || members[rank].key != members[start].key {
        suppressor.run(start..<rank)
        start = rank
      }
    } else {
      for place in 0..<count { suppressor.boxes.set(place, boxes + 4 &* Int(boxAtPlace[place])) }
      suppressor.boxes.pad(count)
      suppressor.boxes.computeAreas(count, offset: 0)
      suppressor.run(0..<count)
    }
    var kept = 0
    for rank in 0..<count { kept &+= suppressor.isKept[rank] ? 1 : 0 }
    return kept
  }

  /// Calls `body(i, box)` for the i-th kept box, best first.
  @inline(__always)
  func forEachKept(_ body: (Int, UInt32) -> Void) {
    var kept = 0
    for place in 0..<count {
      var rank = place
      if isGrouped, let rankOfPlace { rank = Int(rankOfPlace[place]) }
      if suppressor.isKept[rank] {
        body(kept, boxAtPlace[place])
        kept &+= 1
      }
    }
  }
}
