/// Steps 1 to 3 of `detectionPostprocess`: reads the logits once and keeps the best scores above the threshold.
struct CandidateCollector<S: Scalar> {
  typealias V = S.Vector
  private var candidates: BestCandidates<S>
  private let classes: Int
  private let background: Int
  private let multiLabel: Bool
  private let threshold: Double
  /// x > threshold exactly if x > limit.
  private let limit: S
  private let objectness: (mode: ObjectnessMode, values: UnsafePointer<S>)?
  private let row: UnsafeMutablePointer<S>

  private var sawNaN = false
  /// The anchor that the scan is at, and its first position.
  private var anchor = 0
  private var start = 0
  /// Without `multiLabel`: the best of the anchor so far, < 0 if none.
  private var bestPosition = -1
  private var bestScore: S = 0

  /// - Parameter row: room for the scores of an anchor, and for a vector.
  init(
    _ candidates: BestCandidates<S>, _ classes: Int, _ background: Int, _ multiLabel: Bool, _ threshold: Double,
    _ objectness: (mode: ObjectnessMode, values: UnsafePointer<S>)?, _ row: UnsafeMutablePointer<S>
  ) {
    self.candidates = candidates
    self.classes = classes
    self.background = background
    self.multiLabel = multiLabel
    self.threshold = threshold
    self.objectness = objectness
    self.row = row
    limit = S.roundedDown(threshold)
  }

  /// A logit that is not above has a sigmoid that is not above the threshold, as computed: nil if there is none. Most
  /// logits of a detector are below, and cost a comparison.
  var logitBound: S? {
    // With o ≤ 1, s · o > t needs s > t, and √(s · o) > t needs s > t². The factor allows for rounding.
    let least = objectness?.mode == .sqrt ? threshold * threshold : threshold
    let safe = least * (1 - 0x1p-18)
    guard threshold > 0, safe > 0x1p-100 else { return nil }
    guard safe < 1 else { return .infinity }
    let logit = DoubleLanes.log(DoubleLanes(safe / (1 - safe))).maximum
    return S.roundedDown(logit - 0x1p-30 * (logit.magnitude + 1))
  }

  /// The same for scores that are given.
  var scoreBound: S? { objectness == nil ? limit : nil }

  /// Takes `activation` of every logit, without computing it for vectors of which none is above `bound`.
  @inline(__always)
  mutating func scan(_ logits: UnsafePointer<S>, _ total: Int, above bound: S?, _ activation: (V) -> V) {
    forEachVector(V.self, 0..<total) { i, n in
      let x = V.load(logits + i, lanes: n)
      // Negated, so that NaN is seen.
      var lanes = V.Integers.first(n)
      if let bound { lanes = lanes & ~(x .<= V(bound)) }
      var bits = lanes.maskBits
      if bits == 0 { return }
      activation(x).store(row)
      while bits != 0 {
        consider(i &+ bits.trailingZeroBitCount, row[bits.trailingZeroBitCount])
        bits &= bits &- 1
      }
    }
  }

  /// Takes the softmax of every anchor's logits.
  @inline(__always)
  mutating func scanSoftmax(_ logits: UnsafePointer<S>, _ anchors: Int) {
    for anchor in 0..<anchors {
      let x = logits + anchor &* classes
      var greatest = -V.infinity
      forEachVector(V.self, 0..<classes) { i, n in
        greatest = V.max(V.load(x + i, lanes: n, fill: -S.infinity), greatest)
      }
      let largest = V(greatest.maximum)
      var sum = V.zero
      forEachVector(V.self, 0..<classes) { i, n in
        let e = V.exp(V.load(x + i, lanes: n, fill: -S.infinity) - largest)
        e.store(row + i)
        sum = sum + e
      }
      let total = V(sum.sum)
      forEachVector(V.self, 0..<classes) { i, n in
        let s = V.load(row + i) / total
        s.store(row + i)
        var lanes = V.Integers.first(n)
        if objectness == nil { lanes = lanes & ~(s .<= V(limit)) }
        var bits = lanes.maskBits
        while bits != 0 {
          let column = i &+ bits.trailingZeroBitCount
          consider(anchor &* classes &+ column, row[column])
          bits &= bits &- 1
        }
      }
    }
  }

  /// A score before objectness, at ascending positions.
  @inline(__always)
  private mutating func consider(_ position: Int, _ score: S) {
    while position &- start >= classes {
      anchor &+= 1
      start &+= classes
    }
    if position &- start == background { return }
    var score = score
    if let objectness {
      score *= objectness.values[anchor]
      if objectness.mode == .sqrt { score = score.squareRoot() }
    }
    if score != score { sawNaN = true }
    guard score > limit else { return }
    if multiLabel {
      candidates.insert(score, position)
    } else if bestPosition < start {
      flush()
      bestPosition = position
      bestScore = score
    } else if score > bestScore {
      bestPosition = position
      bestScore = score
    }
  }

  private mutating func flush() {
    if bestPosition >= 0 { candidates.insert(bestScore, bestPosition) }
    bestPosition = -1
  }

  /// The best candidates; nil if a score was NaN.
  mutating func finish() -> BestCandidates<S>? {
    flush()
    candidates.finish()
    return sawNaN ? nil : candidates
  }
}
