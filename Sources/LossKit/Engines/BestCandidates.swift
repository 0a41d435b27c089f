/// The `limit` highest of a stream of scores, of equal ones the first, without sorting or keeping the stream.
///
/// Candidates collect in a buffer of twice the limit or more. When it is full, the limit-th best is found by counting digits of
/// the keys, what is worse is discarded, and from then on only better ones are let in.
struct BestCandidates<S: Scalar> {
  let scores: UnsafeMutablePointer<S>
  /// The position of each in the stream, ascending.
  let positions: UnsafeMutablePointer<Int>
  private(set) var count = 0

  private let counts: UnsafeMutablePointer<UInt32>
  private let capacity: Int
  private let limit: Int
  /// The key of the worst that is held, once there are enough.
  private var worst = S.Bits.max
  private var isFull = false

  /// - Parameters:
  ///   - limit: ≥ 1.
  ///   - total: the length of the stream at most, ≥ 1.
  init(_ arena: inout Arena, limit: Int, total: Int) {
    self.limit = Swift.min(limit, total)
    // Discarding has a price of its own, so few are not discarded often.
    capacity = limit >= total / 2 ? total : min(max(2 &* limit, 256), total)
    scores = arena.take(S.self, capacity)
    positions = arena.take(Int.self, capacity)
    counts = arena.take(UInt32.self, 256)
  }

  /// - Parameter position: greater than those before.
  @inline(__always)
  mutating func insert(_ score: S, _ position: Int) {
    if isFull, score.descendingKey >= worst { return }
    if count == capacity { discard() }
    // Discarding may have set the bar.
    if isFull, score.descendingKey >= worst { return }
    scores[count] = score
    positions[count] = position
    count &+= 1
  }

  /// Leaves the best `limit`.
  mutating func finish() {
    if count > limit { discard() }
  }

  /// Keeps the `limit` best of more than that many.
  @inline(never)
  private mutating func discard() {
    guard count > limit else { return }
    // The key of the limit-th best, digit by digit from the top, and how many of those with that key are wanted.
    var key: S.Bits = 0
    var known: S.Bits = 0
    var wanted = limit
    var shift = S.Bits.bitWidth
    while shift > 0 {
      shift &-= 8
      counts.update(repeating: 0, count: 256)
      for i in 0..<count {
        let candidate = scores[i].descendingKey
        if candidate & known == key { counts[digit(candidate, shift)] &+= 1 }
      }
      var value = 0
      while Int(counts[value]) < wanted {
        wanted &-= Int(counts[value])
        value &+= 1
      }
      key |= S.Bits(truncatingIfNeeded: value) &<< S.Bits(truncatingIfNeeded: shift)
      known |= 255 &<< S.Bits(truncatingIfNeeded: shift)
    }
    var kept = 0
    for i in 0..<count {
      let candidate = scores[i].descendingKey
      if candidate > key { continue }
      if candidate == key {
        if wanted == 0 { continue }
        wanted &-= 1
      }
      scores[kept] = scores[i]
      positions[kept] = positions[i]
      kept &+= 1
    }
    count = kept
    worst = key
    isFull = true
  }

  @inline(__always)
  private func digit(_ key: S.Bits, _ shift: Int) -> Int {
    Int(truncatingIfNeeded: (key &>> S.Bits(truncatingIfNeeded: shift)) & 255)
  }
}
