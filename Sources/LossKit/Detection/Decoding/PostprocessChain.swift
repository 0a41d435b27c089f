// What every way from a head's raw outputs to detections has in common: all but the boxes of a candidate.

/// Thresholds and modes.
struct PostprocessOptions {
  let activation: DetectionActivation
  let objectnessMode: ObjectnessMode
  let scoreThreshold: Double
  let preNmsTopK: Int
  let suppression: DetectionSuppression
  let iouThreshold, sigma, softScoreThreshold: Double
  let classAgnostic, multiLabel: Bool
  let backgroundIndex: Int
  let maxDetections: Int
  let image: (height: Double, width: Double)?
  let minSize: Double

  var rule: SoftNmsRule {
    SoftNmsRule(
      method: suppression == .softLinear ? .linear : .gaussian, iouThreshold: iouThreshold, sigma: sigma,
      scoreThreshold: softScoreThreshold, maxOutput: maxDetections, offset: 0)
  }

  func areValid(classes: Int) -> Bool {
    if let image, !(image.height >= 0 && image.width >= 0) { return false }
    return rule.isValid && scoreThreshold == scoreThreshold && preNmsTopK >= 0 && minSize == minSize
      && backgroundIndex >= -1 && (backgroundIndex < classes || backgroundIndex == -1)
  }
}

/// Among which scores the best `preNmsTopK` are chosen.
enum CandidateScope {
  case all
  /// Those of each feature level: how many anchors each has, null for one level of all.
  case levels(UnsafePointer<Int64>?, Int)
  case classes
}

/// How much a chain has to hold.
struct PostprocessPlan {
  let anchors, classes: Int
  let scope: CandidateScope
  /// Streams of at most `length` scores, of each the best `limit`, and how many candidates that may be.
  let streams, length, limit, candidates: Int
  /// Numbers that the decoding of a vector of candidates may use.
  let scratch: Int

  /// nil where a size is negative or too large.
  init?(anchors: Int, classes: Int, preNmsTopK: Int, _ scope: CandidateScope, scratch: Int = 0) {
    guard let total = elementCount(anchors, classes), elementCount(anchors, 4) != nil, classes < largestCount / 8,
      scratch < largestCount / 8
    else { return nil }
    self.anchors = anchors
    self.classes = classes
    self.scope = scope
    self.scratch = Swift.max(scratch, 4 &* FloatLanes.count)
    let most = Swift.max(preNmsTopK, 0)
    switch scope {
    case .all, .levels:
      streams = 1
      length = total
    case .classes:
      streams = classes
      length = anchors
    }
    limit = Swift.min(most, length)
    if case .levels(_, let levels) = scope {
      guard elementCount(levels, 1) != nil else { return nil }
      let (sum, overflow) = Swift.max(levels, 1).multipliedReportingOverflow(by: limit)
      candidates = overflow ? total : Swift.min(sum, total)
    } else {
      candidates = streams &* limit
    }
    // Streams hold twice as many scores as are wanted, with their positions, and counts of digits.
    guard candidates <= largestSortCount, elementCount(streams, 4096) != nil else { return nil }
  }

  var isEmpty: Bool { anchors == 0 || classes == 0 }

  /// Do the levels have all anchors between them? Not called with a null pointer.
  var levelsAreComplete: Bool {
    guard case .levels(let sizes?, let levels) = scope else { return true }
    var rest = anchors
    for level in 0..<levels {
      guard sizes[level] >= 0, sizes[level] <= Int64(rest) else { return false }
      rest &-= Int(sizes[level])
    }
    return rest == 0
  }

  /// Bytes of workspace, whatever the modes, in either precision.
  var workspaceSize: Int {
    // One of the sizes may be huge where the other is 0: nothing is laid out.
    if isEmpty { return 0 }
    let hard = bytesTaken { PostprocessMemory<Double>(&$0, self, .hard, 0, hasObjectness: true) }
    let soft = bytesTaken { PostprocessMemory<Double>(&$0, self, .softGaussian, 0, hasObjectness: true) }
    return Swift.max(hard, soft)
  }

  /// What the functions named `…WorkspaceSize` do with their plan.
  static func report(_ plan: PostprocessPlan?, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
    guard let plan else { return .invalidShape }
    guard preNmsTopK >= 0 else { return .invalidParameter }
    guard let size else { return .nullPointer }
    size.pointee = plan.workspaceSize
    return .ok
  }
}

/// Where detections go.
struct DetectionOutputs<S: Scalar> {
  let boxes, scores: UnsafeMutablePointer<S>?
  let labels, anchorIndices: UnsafeMutablePointer<Int64>?
  let capacity: Int
  let count: UnsafeMutablePointer<Int>?
}

/// The boxes of candidates, decoded when they are wanted.
protocol CandidateBoxes {
  associatedtype V: Lanes
  /// - Parameter anchors: `n` of them, at most `V.count`.
  func boxes(_ anchors: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<V.Element>) -> Quads<V>
}

/// A chain with the arguments of a public function.
struct PostprocessCall<S: Scalar> {
  let plan: PostprocessPlan
  let options: PostprocessOptions
  let outputs: DetectionOutputs<S>
  let workspace: UnsafeMutableRawPointer?
  let workspaceSize: Int

  /// With the parameters that all chains have, in their order.
  init(
    _ plan: PostprocessPlan, _ activation: DetectionActivation, objectnessMode: ObjectnessMode = .product,
    _ scoreThreshold: Double, _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double,
    _ sigma: Double, _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool,
    backgroundIndex: Int = -1, _ maxDetections: Int, _ hasImageSize: Bool, _ imageHeight: Double,
    _ imageWidth: Double, _ minSize: Double, _ detectionBoxes: UnsafeMutablePointer<S>?,
    _ detectionScores: UnsafeMutablePointer<S>?, _ labels: UnsafeMutablePointer<Int64>?,
    _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ detectionCount: UnsafeMutablePointer<Int>?,
    _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
  ) {
    self.plan = plan
    options = PostprocessOptions(
      activation: activation, objectnessMode: objectnessMode, scoreThreshold: scoreThreshold, preNmsTopK: preNmsTopK,
      suppression: suppression, iouThreshold: iouThreshold, sigma: sigma, softScoreThreshold: softScoreThreshold,
      classAgnostic: classAgnostic, multiLabel: multiLabel, backgroundIndex: backgroundIndex,
      maxDetections: maxDetections, image: hasImageSize ? (imageHeight, imageWidth) : nil, minSize: minSize)
    outputs = DetectionOutputs(
      boxes: detectionBoxes, scores: detectionScores, labels: labels, anchorIndices: anchorIndices,
      capacity: capacity, count: detectionCount)
    self.workspace = workspace
    self.workspaceSize = workspaceSize
  }

  /// What a call returns that is refused, or that has no scores; nil where there is work to do.
  func answerWithoutWork() -> Status? {
    guard outputs.capacity >= 0 else { return .invalidShape }
    if case .levels(nil, let levels) = plan.scope, levels > 0 { return .nullPointer }
    guard plan.levelsAreComplete else { return .invalidShape }
    guard let count = outputs.count else { return .nullPointer }
    guard options.areValid(classes: plan.classes) else { return .invalidParameter }
    if !plan.isEmpty { return nil }
    count.pointee = 0
    return .ok
  }

  @inline(__always)
  func run<Boxes: CandidateBoxes>(_ head: HeadScores<S>, _ boxes: Boxes) -> Status where Boxes.V == S.Vector {
    withWorkspace(
      workspace, workspaceSize,
      layout: {
        PostprocessMemory<S>(
          &$0, plan, options.suppression, options.iouThreshold, hasObjectness: head.objectness != nil)
      }
    ) { state in
      guard state.select(head, options) else { return .invalidValue }
      forEachVector(S.Vector.self, 0..<state.count) { i, n in
        boxes.boxes(state.anchors + i, n, state.scratch).store(state.boxes + 4 &* i, rows: n)
      }
      return state.finish(options, outputs)
    }
  }
}

/// What the steps hand to one another.
struct PostprocessMemory<S: Scalar> {
  private let plan: PostprocessPlan
  /// The activated objectness of each anchor; the scores and the logits of the classes of one; see `PostprocessPlan`.
  private let objectness, row: UnsafeMutablePointer<S>
  let scratch: UnsafeMutablePointer<S>
  /// The candidates, in descending order of score once they are sorted.
  let boxes: UnsafeMutablePointer<S>
  let anchors: UnsafeMutablePointer<Int64>
  private let labels: UnsafeMutablePointer<Int64>
  private let scores: UnsafeMutablePointer<S>
  private(set) var count = 0

  private let streams: UnsafeMutablePointer<BestCandidates<S>>
  private let streamMemory: UnsafeMutablePointer<UInt8>
  private let streamBytes: Int
  private let found: UnsafeMutablePointer<S>
  private let positions: UnsafeMutablePointer<Int>
  /// Detection → candidate.
  private let kept: UnsafeMutablePointer<UInt32>
  private let byScore: Sorter<S.Bits>
  private var hard: GroupedSuppression<S>?
  /// A copy of it works on the same memory.
  private var soft: SoftSuppressor<S>?

  init(
    _ arena: inout Arena, _ plan: PostprocessPlan, _ suppression: DetectionSuppression, _ iouThreshold: Double,
    hasObjectness: Bool
  ) {
    self.plan = plan
    let candidates = Swift.max(plan.candidates, 1)
    objectness = arena.take(S.self, hasObjectness ? plan.anchors : 0)
    row = arena.take(S.self, 2 &* (plan.classes &+ S.Vector.count))
    scratch = arena.take(S.self, plan.scratch)
    boxes = arena.take(S.self, 4 &* candidates)
    scores = arena.take(S.self, candidates)
    labels = arena.take(Int64.self, candidates)
    anchors = arena.take(Int64.self, candidates)
    streams = arena.take(BestCandidates<S>.self, plan.streams)
    streamBytes = bytesTaken { Self.stream(&$0, plan) }
    streamMemory = arena.take(UInt8.self, plan.streams &* streamBytes)
    found = arena.take(S.self, candidates)
    positions = arena.take(Int.self, candidates)
    kept = arena.take(UInt32.self, candidates)
    byScore = Sorter(&arena, capacity: candidates)
    switch suppression {
    case .hard: hard = GroupedSuppression(&arena, capacity: candidates, isBatched: true, threshold: iouThreshold)
    case .softLinear, .softGaussian: soft = SoftSuppressor(&arena, capacity: candidates, isBatched: true)
    case .none: break
    }
  }

  private static func stream(_ arena: inout Arena, _ plan: PostprocessPlan) -> BestCandidates<S> {
    BestCandidates(&arena, limit: Swift.max(plan.limit, 1), total: Swift.max(plan.length, 1))
  }

  /// Finds the candidates and sorts them; false if a score was NaN.
  @inline(never)
  mutating func select(_ head: HeadScores<S>, _ options: PostprocessOptions) -> Bool {
    let hasForeground = plan.classes > 1 || options.backgroundIndex == -1
    guard activateObjectness(head) || !hasForeground else { return false }
    var total = 0
    if case .levels(let sizes?, let levels) = plan.scope {
      var first = 0
      for level in 0..<levels {
        let next = first &+ Int(sizes[level])
        guard collect(head, options, first..<next, &total) else { return false }
        first = next
      }
    } else {
      guard collect(head, options, 0..<plan.anchors, &total) else { return false }
    }
    count = plan.limit == 0 ? 0 : total
    let best = byScore.sorted(count) { found[$0].descendingKey }
    for i in 0..<count {
      let candidate = Int(best[i].index)
      let anchor = positions[candidate] / plan.classes
      scores[i] = found[candidate]
      labels[i] = Int64(positions[candidate] &- anchor &* plan.classes)
      anchors[i] = Int64(anchor)
    }
    return true
  }

  /// False if one is NaN.
  private func activateObjectness(_ head: HeadScores<S>) -> Bool {
    guard let logits = head.objectness else { return true }
    if head.objectnessStride != 1 {
      for anchor in 0..<plan.anchors { objectness[anchor] = logits[anchor &* head.objectnessStride] }
    }
    let source = head.objectnessStride == 1 ? logits : UnsafePointer(objectness)
    guard !hasNaN(source, plan.anchors) else { return false }
    forEachVector(S.Vector.self, 0..<plan.anchors) { i, n in
      let x = S.Vector.load(source + i, lanes: n)
      (head.hasActiveObjectness ? x : S.Vector.sigmoid(x)).store(objectness + i, lanes: n)
    }
    return true
  }

  /// Appends the candidates among some anchors; false if a score was NaN.
  private mutating func collect(
    _ head: HeadScores<S>, _ options: PostprocessOptions, _ range: Range<Int>, _ total: inout Int
  ) -> Bool {
    for i in 0..<plan.streams {
      var arena = Arena(UnsafeMutableRawPointer(streamMemory + i &* streamBytes))
      (streams + i).initialize(to: Self.stream(&arena, plan))
    }
    var isPerClass = false
    if case .classes = plan.scope { isPerClass = true }
    var collector = CandidateCollector(
      head, classes: plan.classes, options, objectness: head.objectness == nil ? nil : UnsafePointer(objectness),
      streams, isPerClass: isPerClass, row: row)
    collector.scan(range)
    if collector.sawNaN { return false }
    for i in 0..<plan.streams {
      streams[i].finish()
      let stream = streams[i]
      if plan.limit == 0 { continue }
      (found + total).update(from: stream.scores, count: stream.count)
      (positions + total).update(from: stream.positions, count: stream.count)
      total &+= stream.count
    }
    return true
  }

  /// Clips the boxes, drops small ones, suppresses, and hands the detections out.
  @inline(never)
  mutating func finish(_ options: PostprocessOptions, _ outputs: DetectionOutputs<S>) -> Status {
    clip(options)
    let detections = Swift.min(suppress(options), options.maxDetections)
    outputs.count?.pointee = detections
    guard detections <= outputs.capacity else { return .bufferTooSmall }
    for i in 0..<detections {
      let (candidate, score) = detection(i)
      if let target = outputs.boxes {
        for side in 0..<4 { target[4 &* i &+ side] = boxes[4 &* candidate &+ side] }
      }
      outputs.scores?[i] = score
      outputs.labels?[i] = labels[candidate]
      outputs.anchorIndices?[i] = anchors[candidate]
    }
    return .ok
  }

  private mutating func clip(_ options: PostprocessOptions) {
    if options.image == nil && !(options.minSize > 0) { return }
    var left = 0
    for i in 0..<count {
      let box = boxes + 4 &* left
      for side in 0..<4 {
        let x = boxes[4 &* i &+ side]
        guard let image = options.image else {
          box[side] = x
          continue
        }
        let bound = S(side & 1 == 0 ? image.width : image.height)
        // NaN is neither below nor above, and stays.
        box[side] = x < 0 ? 0 : x > bound ? bound : x
      }
      let least = options.minSize
      if least > 0, (box[2] - box[0]).double < least || (box[3] - box[1]).double < least { continue }
      scores[left] = scores[i]
      labels[left] = labels[i]
      anchors[left] = anchors[i]
      left &+= 1
    }
    count = left
  }

  /// Suppresses among the candidates; returns how many are left.
  private mutating func suppress(_ options: PostprocessOptions) -> Int {
    let groups = options.classAgnostic ? nil : UnsafePointer(labels)
    if count == 0 { return 0 }
    if var soft { return options.rule.run(&soft, boxes, scores, groups, count) }
    for i in 0..<count { kept[i] = UInt32(truncatingIfNeeded: i) }
    guard var hard else { return count }
    let left = hard.run(boxes, scores, groups, count)
    hard.forEachKept { [kept] i, candidate in kept[i] = candidate }
    return left
  }

  /// The i-th detection: its candidate, and its final score.
  @inline(__always)
  private func detection(_ i: Int) -> (candidate: Int, score: S) {
    if let soft { return (Int(soft.selected[i]), soft.selectedScores[i]) }
    return (Int(kept[i]), scores[Int(kept[i])])
  }
}

extension Quads {
  /// Four numbers of each of n anchors: number k of anchor a at a · stride + k · step.
  @inline(__always)
  init(
    _ source: UnsafePointer<V.Element>, _ anchors: UnsafePointer<Int64>, _ n: Int, stride: Int = 4, step: Int = 1,
    _ scratch: UnsafeMutablePointer<V.Element>
  ) {
    for i in 0..<n {
      let row = source + Int(anchors[i]) &* stride
      for k in 0..<4 { scratch[4 &* i &+ k] = row[k &* step] }
    }
    self.init(UnsafePointer(scratch), rows: n)
  }
}

extension Lanes {
  /// One number of each of n anchors.
  @inline(__always)
  static func gather(
    _ source: UnsafePointer<Element>, _ anchors: UnsafePointer<Int64>, _ n: Int, stride: Int = 1,
    _ scratch: UnsafeMutablePointer<Element>
  ) -> Self {
    for i in 0..<n { scratch[i] = source[Int(anchors[i]) &* stride] }
    return load(UnsafePointer(scratch), first: n, fill: 0)
  }
}
