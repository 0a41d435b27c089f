/// Where the class scores of a head stand, and the objectness of its anchors.
struct HeadScores<S: Scalar> {
  /// Element (a, c) is at a · anchorStride + c · classStride.
  let logits: UnsafePointer<S>
  let anchorStride, classStride: Int
  let objectness: UnsafePointer<S>?
  let objectnessStride: Int
  /// Is it a probability already?
  var hasActiveObjectness = false

  /// Rows of so many classes, one behind the other.
  init(_ logits: UnsafePointer<S>, classes: Int, objectness: UnsafePointer<S>? = nil) {
    self.init(logits, anchorStride: classes, classStride: 1, objectness: objectness, objectnessStride: 1)
  }

  init(
    _ logits: UnsafePointer<S>, anchorStride: Int, classStride: Int, objectness: UnsafePointer<S>?,
    objectnessStride: Int
  ) {
    self.logits = logits
    self.anchorStride = anchorStride
    self.classStride = classStride
    self.objectness = objectness
    self.objectnessStride = objectnessStride
  }
}

/// Activation and threshold of `detectionPostprocess`: reads the logits once, hands the scores above the threshold on.
struct CandidateCollector<S: Scalar> {
  typealias V = S.Vector
  private let head: HeadScores<S>
  private let classes: Int
  private let options: PostprocessOptions
  /// By anchor, after its activation; null without objectness.
  private let objectness: UnsafePointer<S>?
  /// One stream for all, or one for each class.
  private let streams: UnsafeMutablePointer<BestCandidates<S>>
  private let isPerClass: Bool
  /// Room for the activated scores of an anchor, and for its logits.
  private let row, gathered: UnsafeMutablePointer<S>
  /// x > threshold exactly if x > limit.
  private let limit: S

  private(set) var sawNaN = false
  /// The anchor that the scan is at, and its first position.
  private var anchor = 0
  private var start = 0
  /// Without `multiLabel`: the best of the anchor so far, < 0 if none.
  private var bestPosition = -1
  private var bestScore: S = 0

  init(
    _ head: HeadScores<S>, classes: Int, _ options: PostprocessOptions, objectness: UnsafePointer<S>?,
    _ streams: UnsafeMutablePointer<BestCandidates<S>>, isPerClass: Bool, row: UnsafeMutablePointer<S>
  ) {
    self.head = head
    self.classes = classes
    self.options = options
    self.objectness = objectness
    self.streams = streams
    self.isPerClass = isPerClass
    self.row = row
    gathered = row + (classes &+ V.count)
    limit = S.roundedDown(options.scoreThreshold)
  }

  /// A score, or the objectness of an anchor, that is not above has a product that is not above the threshold, as
  /// computed: nil if there is none.
  private var factorBound: Double? {
    let threshold = options.scoreThreshold
    // With o ≤ 1, s · o > t needs s > t, and √(s · o) > t needs s > t². The factor allows for rounding.
    let least = objectness != nil && options.objectnessMode == .sqrt ? threshold * threshold : threshold
    let safe = least * (1 - 0x1p-18)
    return threshold > 0 && safe > 0x1p-100 ? safe : nil
  }

  /// Most logits of a detector are not above this, and cost a comparison.
  private var logitBound: S? {
    if options.activation == .none { return objectness == nil ? limit : nil }
    guard let safe = factorBound else { return nil }
    guard safe < 1 else { return .infinity }
    let logit = DoubleLanes.log(DoubleLanes(safe / (1 - safe))).maximum
    return S.roundedDown(logit - 0x1p-30 * (logit.magnitude + 1))
  }

  /// Takes the scores of the anchors; positions are a · classes + c.
  @inline(never)
  mutating func scan(_ anchors: Range<Int>) {
    anchor = anchors.lowerBound
    start = anchor &* classes
    let bound = logitBound
    let isDense = head.anchorStride == classes && head.classStride == 1
    if options.activation == .softmax {
      for anchor in anchors { scanSoftmax(logits(of: anchor), anchor) }
    } else if isDense {
      scan(head.logits, start..<anchors.upperBound &* classes, first: 0, above: bound)
    } else {
      forEachVector(V.self, anchors) { first, n in
        var bits = promising(first, n, bound).maskBits
        while bits != 0 {
          let anchor = first &+ bits.trailingZeroBitCount
          scan(logits(of: anchor), 0..<classes, first: anchor &* classes, above: bound)
          bits &= bits &- 1
        }
      }
    }
    flush()
  }

  /// Which of n anchors may have a score above the threshold.
  @inline(__always)
  private func promising(_ first: Int, _ n: Int, _ bound: S?) -> V.Integers {
    var lanes = V.Integers.first(n)
    if options.activation != .none, let objectness, let least = factorBound {
      // Negated here and below, so that NaN is seen.
      lanes = lanes & ~(V.load(objectness + first, lanes: n) .<= V(S.roundedDown(least)))
    }
    guard head.anchorStride == 1, let bound, lanes.any else { return lanes }
    var above = V.Integers(0)
    for c in 0..<classes {
      above = above | ~(V.load(head.logits + (c &* head.classStride &+ first), lanes: n) .<= V(bound))
    }
    return lanes & above
  }

  /// The logits of an anchor, one behind the other.
  @inline(__always)
  private func logits(of anchor: Int) -> UnsafePointer<S> {
    let first = head.logits + anchor &* head.anchorStride
    if head.classStride == 1 { return first }
    for c in 0..<classes { gathered[c] = first[c &* head.classStride] }
    return UnsafePointer(gathered)
  }

  /// Takes elements of `logits`, of which element 0 has the position `first`.
  @inline(__always)
  private mutating func scan(_ logits: UnsafePointer<S>, _ range: Range<Int>, first: Int, above bound: S?) {
    forEachVector(V.self, range) { i, n in
      let x = V.load(logits + i, lanes: n)
      var lanes = V.Integers.first(n)
      if let bound { lanes = lanes & ~(x .<= V(bound)) }
      var bits = lanes.maskBits
      if bits == 0 { return }
      (options.activation == .sigmoid ? V.sigmoid(x) : x).store(row)
      while bits != 0 {
        consider(first &+ i &+ bits.trailingZeroBitCount, row[bits.trailingZeroBitCount])
        bits &= bits &- 1
      }
    }
  }

  @inline(__always)
  private mutating func scanSoftmax(_ x: UnsafePointer<S>, _ anchor: Int) {
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

  /// A score before objectness, at ascending positions.
  @inline(__always)
  private mutating func consider(_ position: Int, _ score: S) {
    while position &- start >= classes {
      anchor &+= 1
      start &+= classes
    }
    let column = position &- start
    if column == options.backgroundIndex { return }
    var score = score
    if let objectness {
      score *= objectness[anchor]
      if options.objectnessMode == .sqrt { score = score.squareRoot() }
    }
    if score != score { sawNaN = true }
    guard score > limit else { return }
    if options.multiLabel {
      streams[isPerClass ? column : 0].insert(score, position)
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
    if bestPosition >= 0 { streams[isPerClass ? bestPosition % classes : 0].insert(bestScore, bestPosition) }
    bestPosition = -1
  }
}
