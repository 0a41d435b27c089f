/// What becomes of the detections of a class: the precision-recall curves of every criterion and limit.
struct CocoCurves {
  private let state: CocoState
  /// By place in the order of scores: 64 criteria a word, of the flags of each detection.
  private let hits, counted: UnsafeMutablePointer<Int64>
  /// Of one criterion: the same flags, 64 detections a word. Of each limit: is the detection within it?
  private let hitBits, countedBits, withinBits: UnsafeMutablePointer<UInt64>
  private let precisions: UnsafeMutablePointer<Double>
  private let capacity: Int
  private var count = 0

  /// - Parameter capacity: the most detections of a class.
  init(_ arena: inout Arena, _ state: CocoState, capacity most: Int) {
    self.state = state
    capacity = (most &+ 63) / 64 &* 64
    hits = arena.take(Int64.self, capacity &* state.shape.flagWords)
    counted = arena.take(Int64.self, capacity &* state.shape.flagWords)
    hitBits = arena.take(UInt64.self, capacity / 64)
    countedBits = arena.take(UInt64.self, capacity / 64)
    withinBits = arena.take(UInt64.self, capacity / 64 &* state.shape.limits)
    precisions = arena.take(Double.self, most)
  }

  private var words: Int { (count &+ 63) / 64 }

  /// Reads the detections of a class.
  mutating func read(_ order: ElementOrder, _ detections: Range<Int>) {
    count = detections.count
    for m in 0..<state.shape.limits { withinBits.advanced(by: m &* words).update(repeating: 0, count: words) }
    for place in 0..<(words &* 64) {
      let isFilling = place >= count
      let i = isFilling ? 0 : order[detections.lowerBound &+ place]
      for w in 0..<state.shape.flagWords {
        let flags = isFilling ? (0, 0) : state.flags(i, w)
        (hits[w &* capacity &+ place], counted[w &* capacity &+ place]) = flags
      }
      if isFilling { continue }
      let rank = Int64(state.detection(i).rank)
      for m in 0..<state.shape.limits where rank < state.limit(m) {
        withinBits[m &* words &+ place / 64] |= 1 << UInt64(place % 64)
      }
    }
  }

  /// Gathers the flags of a criterion.
  func select(_ criterion: Int) {
    let first = criterion / 64 &* capacity
    gather(hits + first, criterion % 64, hitBits)
    gather(counted + first, criterion % 64, countedBits)
  }

  @inline(__always)
  private func gather(_ flags: UnsafeMutablePointer<Int64>, _ bit: Int, _ bits: UnsafeMutablePointer<UInt64>) {
    for word in 0..<words {
      var gathered: UInt64 = 0
      for part in 0..<8 {
        let lanes = Int64Lanes.load(UnsafePointer(flags + (word &* 64 &+ part &* 8))).shiftedLeft(63 &- bit)
        gathered |= UInt64((lanes .< Int64Lanes(0)).maskBits) << UInt64(part &* 8)
      }
      bits[word] = gathered
    }
  }

  /// The curve of the selected criterion with the detections within a limit.
  func curve(_ limit: Int, truths: Int64) -> PrecisionCurve {
    var curve = PrecisionCurve(precisions, truths: truths)
    var before = 0
    for word in 0..<words {
      let within = withinBits[limit &* words &+ word]
      let counted = countedBits[word] & within
      var hits = hitBits[word] & within
      while hits != 0 {
        let upToHit = hits ^ (hits &- 1)
        let total = Double(before &+ (counted & upToHit).nonzeroBitCount)
        // The reference implementation adds the spacing of 1.
        curve.append(Double(curve.truePositives &+ 1) / (total + 0x1p-52))
        hits &= hits &- 1
      }
      before &+= counted.nonzeroBitCount
    }
    curve.makeMonotonic()
    return curve
  }
}
