/// What an overlap with a box that was taken does to the scores of others.
protocol ScoreDecay<V> {
  associatedtype V: Lanes
  /// Scores after the overlaps `overlap`; NaN for boxes that are dropped. A NaN overlap changes nothing.
  func decayed(_ score: V, _ overlap: V) -> V
  /// Are scores unchanged where there is no overlap?
  var needsOverlap: Bool { get }
}

/// Soft non-maximum suppression: takes the box with the highest score, decays the scores of those that overlap it, and
/// again, until no score reaches the threshold.
///
/// The boxes lie in spatial order in blocks of one vector. Each block has the bounds of its boxes, by which a round
/// passes over the blocks that the taken box does not touch, and the highest of its scores, so that a round does not
/// search scores but blocks. Boxes that are taken or dropped have the score NaN, which is no maximum of anything.
struct SoftSuppressor<S: Scalar> {
  typealias V = S.Vector

  /// What is returned: boxes in the order of selection, and their scores then.
  let selected: UnsafeMutablePointer<UInt32>
  let selectedScores: UnsafeMutablePointer<S>

  private let byGroup: Sorter<UInt64>?
  private var order: SpatialOrder
  /// Slot → box, and where the slots of its group begin and end.
  private let boxOfSlot, groupBegin, groupEnd: UnsafeMutablePointer<UInt32>
  private let slots: BoxColumns<S>
  private let scores: UnsafeMutablePointer<S>
  /// Boxes whose areas add up to this or less overlap by 1, wherever they are.
  var areaOfNone: S?
  /// By block: the bounds of the boxes (the area: the smallest), and the highest score (NaN: none is left).
  private let bounds: BoxColumns<S>
  private let best: UnsafeMutablePointer<S>
  private var count = 0
  private var blocks = 0

  init(_ arena: inout Arena, capacity: Int, isBatched: Bool) {
    let blocks = (capacity &+ V.count &- 1) / V.count
    selected = arena.take(UInt32.self, capacity)
    selectedScores = arena.take(S.self, capacity)
    byGroup = isBatched ? Sorter(&arena, capacity: capacity) : nil
    order = SpatialOrder(&arena, capacity: capacity, tile: V.count)
    boxOfSlot = arena.take(UInt32.self, capacity)
    groupBegin = arena.take(UInt32.self, capacity)
    groupEnd = arena.take(UInt32.self, capacity)
    slots = BoxColumns(&arena, capacity: capacity)
    scores = arena.take(S.self, capacity &+ V.count)
    bounds = BoxColumns(&arena, capacity: blocks)
    best = arena.take(S.self, blocks &+ V.count)
  }

  /// Selects at most `limit` boxes with scores ≥ `scoreThreshold`, and returns how many.
  ///
  /// - Parameter areas: of the boxes; nil: the products of their sides, `offset` added.
  @inline(__always)
  mutating func run<Decay: ScoreDecay>(
    _ boxes: UnsafePointer<S>, _ initial: UnsafePointer<S>, _ groups: UnsafePointer<Int64>?, _ count: Int,
    _ decay: Decay, scoreThreshold: Double, limit: Int, offset: S, areas: UnsafePointer<S>?
  ) -> Int where Decay.V == V {
    self.count = count
    blocks = (count &+ V.count &- 1) / V.count
    arrange(boxes, groups)
    load(boxes, initial, scoreThreshold, offset, areas)
    var taken = 0
    while taken < limit, let slot = highest(), !(scores[slot].double < scoreThreshold) {
      selected[taken] = boxOfSlot[slot]
      selectedScores[taken] = scores[slot]
      taken &+= 1
      scores[slot] = .nan
      refresh(slot / V.count, V.load(scores + slot / V.count &* V.count))
      // NaN coordinates overlap nothing.
      if slots.area[slot] == slots.area[slot] { self.decay(around: slot, decay, scoreThreshold, offset) }
    }
    return taken
  }

  /// Gives every box a slot: groups together, neighbours together, and ascending within a block, so that the first of
  /// equal scores is that of the lowest index.
  private mutating func arrange(_ boxes: UnsafePointer<S>, _ groups: UnsafePointer<Int64>?) {
    if let groups, let byGroup {
      let members = byGroup.sorted(count) { groups[$0].ascendingKey }
      for slot in 0..<count { boxOfSlot[slot] = members[slot].index }
      var begin = 0
      for slot in 1...count where slot == count || members[slot].key != members[begin].key {
        arrange(begin..<slot, boxes)
        begin = slot
      }
    } else {
      for slot in 0..<count { boxOfSlot[slot] = UInt32(truncatingIfNeeded: slot) }
      arrange(0..<count, boxes)
    }
  }

  private mutating func arrange(_ group: Range<Int>, _ boxes: UnsafePointer<S>) {
    for slot in group {
      groupBegin[slot] = UInt32(truncatingIfNeeded: group.lowerBound)
      groupEnd[slot] = UInt32(truncatingIfNeeded: group.upperBound)
    }
    guard group.count > 4 &* V.count else { return }
    let members = boxOfSlot + group.lowerBound
    order.build(group.count) { i in
      let box = boxes + 4 &* Int(members[i])
      let x = Float(box[0].double + box[2].double)
      let y = Float(box[1].double + box[3].double)
      return (x == x ? x : 0, y == y ? y : 0)
    }
    // `selected` is free until the first box is taken.
    for i in 0..<group.count { selected[i] = members[Int(order.box[i])] }
    for i in 0..<group.count { members[i] = selected[i] }
    var block = group.lowerBound / V.count &* V.count
    while block < group.upperBound {
      let range = Swift.max(block, group.lowerBound)..<Swift.min(block &+ V.count, group.upperBound)
      for i in range.dropFirst() {
        let box = boxOfSlot[i]
        var hole = i
        while hole > range.lowerBound, boxOfSlot[hole &- 1] > box {
          boxOfSlot[hole] = boxOfSlot[hole &- 1]
          hole &-= 1
        }
        boxOfSlot[hole] = box
      }
      block &+= V.count
    }
  }

  private func load(
    _ boxes: UnsafePointer<S>, _ initial: UnsafePointer<S>, _ scoreThreshold: Double, _ offset: S,
    _ areas: UnsafePointer<S>?
  ) {
    for slot in 0..<count {
      let box = Int(boxOfSlot[slot])
      slots.set(slot, boxes + 4 &* box)
      let score = initial[box]
      scores[slot] = scoreThreshold > 0 && score.double < scoreThreshold ? .nan : score
    }
    slots.pad(count)
    V.nan.store(scores + count)
    slots.computeAreas(count, offset: offset)
    if let areas { for slot in 0..<count { slots.area[slot] = areas[Int(boxOfSlot[slot])] } }
    for block in 0..<blocks {
      let first = block &* V.count
      let lanes = slots.load(first)
      let isBox = V.Integers.first(Swift.min(V.count, count &- first))
      // A NaN coordinate is no bound.
      bounds.x1[block] = V.min(V.select(isBox, lanes.x1, V.infinity), V.infinity).minimum
      bounds.y1[block] = V.min(V.select(isBox, lanes.y1, V.infinity), V.infinity).minimum
      bounds.x2[block] = V.max(V.select(isBox, lanes.x2, -V.infinity), -V.infinity).maximum
      bounds.y2[block] = V.max(V.select(isBox, lanes.y2, -V.infinity), -V.infinity).maximum
      bounds.area[block] = V.min(V.select(isBox, lanes.area, V.infinity), V.infinity).minimum
      refresh(block, V.load(scores + first))
    }
    bounds.pad(blocks)
    V.nan.store(best + blocks)
  }

  /// Notes the highest score of a block.
  @inline(__always)
  private func refresh(_ block: Int, _ lanes: V) {
    let highest = V.max(lanes, -V.infinity).maximum
    best[block] = (lanes .== V(highest)).any ? highest : .nan
  }

  /// The slot with the highest score; of several, that of the lowest box. Nil if none is left.
  @inline(__always)
  private func highest() -> Int? {
    var running = -V.infinity
    var block = 0
    while block < blocks {
      running = V.max(V.load(best + block), running)
      block &+= V.count
    }
    let highest = V(running.maximum)
    var found: Int?
    block = 0
    while block < blocks {
      var bits = (V.load(best + block) .== highest).maskBits
      while bits != 0 {
        let first = (block &+ bits.trailingZeroBitCount) &* V.count
        var equal = (V.load(scores + first) .== highest).maskBits
        // Within a group the first lane has the lowest index; groups may meet in a block.
        while equal != 0 {
          let slot = first &+ equal.trailingZeroBitCount
          if found.map({ boxOfSlot[slot] < boxOfSlot[$0] }) ?? true { found = slot }
          equal = byGroup == nil ? 0 : equal & (equal &- 1)
        }
        bits &= bits &- 1
      }
      block &+= V.count
    }
    return found
  }

  @inline(__always)
  private func decay<Decay: ScoreDecay>(
    around slot: Int, _ decay: Decay, _ scoreThreshold: Double, _ offset: S
  ) where Decay.V == V {
    let box = slots.broadcast(slot)
    let begin = Int(groupBegin[slot])
    let end = Int(groupEnd[slot])
    let floor = V(S.roundedUp(scoreThreshold))
    let margin = V(offset)
    let lastBlock = (end &- 1) / V.count
    var block = begin / V.count
    while block <= lastBlock {
      let others = bounds.load(block)
      let width = V.min(box.x2, others.x2) - V.max(box.x1, others.x1) + margin
      let height = V.min(box.y2, others.y2) - V.max(box.y1, others.y1) + margin
      var isTouched = V.Integers.first(Swift.min(V.count, lastBlock &+ 1 &- block))
      if decay.needsOverlap {
        var overlaps = (V.zero .< width) & (V.zero .< height)
        if let areaOfNone { overlaps = overlaps | (box.area + others.area .<= V(areaOfNone)) }
        isTouched = isTouched & overlaps
      }
      var bits = isTouched.maskBits
      while bits != 0 {
        let touched = block &+ bits.trailingZeroBitCount
        bits &= bits &- 1
        let first = touched &* V.count
        let score = V.load(scores + first)
        let boxes = slots.load(first)
        var overlap = box.intersectionOverUnion(with: boxes, offset: margin)
        if let areaOfNone { overlap = V.select(box.area + boxes.area .<= V(areaOfNone), V.one, overlap) }
        var next = decay.decayed(score, overlap)
        // Scores only fall: what is below a positive threshold now will never be taken.
        if scoreThreshold > 0 { next = V.select(next .< floor, V.nan, next) }
        if byGroup != nil {
          let isOther = V.Integers.first(Swift.max(0, Swift.min(V.count, begin &- first)))
            | ~V.Integers.first(Swift.min(V.count, end &- first))
          next = V.select(isOther, score, next)
        }
        next.store(scores + first)
        refresh(touched, next)
      }
      block &+= V.count
    }
  }
}

extension Scalar {
  /// The least number of this precision that is ≥ x.
  @inline(__always)
  static func roundedUp(_ x: Double) -> Self {
    let nearest = Self(x)
    return nearest.double < x ? nearest.nextUp : nearest
  }
}
