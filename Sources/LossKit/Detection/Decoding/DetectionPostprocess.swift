/// How logits become scores.
enum DetectionActivation: Int32 {
  /// Each by itself.
  case sigmoid = 0
  /// Over the classes of an anchor.
  case softmax = 1
  /// They are scores already.
  case none = 2
}

/// How the objectness o of an anchor (or its centre-ness) enters the score s of its classes.
enum ObjectnessMode: Int32 {
  /// s · o, as in YOLO.
  case product = 0
  /// √(s · o), as in FCOS.
  case sqrt = 1
}

/// How overlapping detections are suppressed.
enum DetectionSuppression: Int32 {
  /// `batchedNms`.
  case hard = 0
  /// `batchedSoftNms`, linear.
  case softLinear = 1
  /// `batchedSoftNms`, Gaussian.
  case softGaussian = 2
  /// Not at all.
  case none = 3
}

/// Detections from a model's raw outputs: activation, thresholding, selection, clipping and suppression in one call.
///
///  1. s = activation(logits); with objectness, o = σ(objectness): s · o or √(s · o). The background column is left out
///     after the activation; labels keep their numbers.
///  2. Candidates: every (anchor, class) with s > scoreThreshold; without `multiLabel`, only the best class of each
///     anchor (of equal ones the lowest), under the same condition.
///  3. The `preNmsTopK` best of them, in descending order of score (equal ones: lower anchor, then lower class first).
///  4. With an image size, boxes are clipped to it; with `minSize` > 0, boxes with a side shorter than it are dropped.
///  5. Suppression within each label, or among all if `classAgnostic`.
///  6. The first `maxDetections`.
///
/// Scores are not all sorted: they are filtered, and the best are selected.
///
/// - Parameters:
///   - logits: `[anchors, classes]`. A NaN score gives INVALID_VALUE.
///   - boxes: `[anchors, 4]`, decoded: x1, y1, x2, y2.
///   - objectness: optional, `[anchors]`, logits; absent if the model has none.
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - activation: how logits become scores.
///   - objectnessMode: how objectness enters; not used without it.
///   - scoreThreshold: any number but NaN (0.05 is usual).
///   - preNmsTopK: ≥ 0 (1000).
///   - suppression: how overlapping detections are suppressed.
///   - iouThreshold: for hard and soft_linear, any number but NaN (0.5).
///   - sigma: for soft_gaussian, ≥ 0 (0.5).
///   - softScoreThreshold: decayed scores below it are dropped; any number but NaN (0.001).
///   - classAgnostic: whether detections of different labels suppress each other.
///   - multiLabel: whether an anchor may give several detections.
///   - backgroundIndex: the class that is background, −1 if there is none.
///   - maxDetections: ≥ 0 (300).
///   - hasImageSize: whether boxes are clipped; if false, `imageHeight` and `imageWidth` are not read.
///   - imageHeight: ≥ 0.
///   - imageWidth: ≥ 0.
///   - minSize: shortest side, any number but NaN; 0 for no condition.
///   - detectionBoxes: optional output, `[capacity, 4]`, clipped.
///   - detectionScores: optional output, `[capacity]`; for soft suppression decayed.
///   - labels: optional output, `[capacity]`.
///   - anchorIndices: optional output, `[capacity]`: which anchor each comes from.
///   - capacity: entries that the outputs have room for; the least of `maxDetections`, `preNmsTopK` and
///     anchors · classes always suffices. If there are more detections: BUFFER_TOO_SMALL, and
///     `detectionCount` is the number needed.
///   - detectionCount: output, the number of detections.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `detectionPostprocessWorkspaceSize` says, else BUFFER_TOO_SMALL with
///     nothing written; not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score or
///   objectness, BUFFER_TOO_SMALL, OUT_OF_MEMORY.
func detectionPostprocess<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ boxes: UnsafePointer<S>?, _ objectness: UnsafePointer<S>?, _ anchors: Int,
  _ classes: Int, _ activation: DetectionActivation, _ objectnessMode: ObjectnessMode, _ scoreThreshold: Double,
  _ preNmsTopK: Int, _ suppression: DetectionSuppression, _ iouThreshold: Double, _ sigma: Double,
  _ softScoreThreshold: Double, _ classAgnostic: Bool, _ multiLabel: Bool, _ backgroundIndex: Int,
  _ maxDetections: Int, _ hasImageSize: Bool, _ imageHeight: Double, _ imageWidth: Double, _ minSize: Double,
  _ detectionBoxes: UnsafeMutablePointer<S>?, _ detectionScores: UnsafeMutablePointer<S>?,
  _ labels: UnsafeMutablePointer<Int64>?, _ anchorIndices: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ detectionCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let total = elementCount(anchors, classes), elementCount(anchors, 4) != nil, capacity >= 0 else {
    return .invalidShape
  }
  guard let detectionCount else { return .nullPointer }
  let rule = SoftNmsRule(
    method: suppression == .softLinear ? .linear : .gaussian, iouThreshold: iouThreshold, sigma: sigma,
    scoreThreshold: softScoreThreshold, maxOutput: maxDetections, offset: 0)
  guard rule.isValid, scoreThreshold == scoreThreshold, preNmsTopK >= 0, minSize == minSize,
    backgroundIndex >= -1, backgroundIndex < classes || backgroundIndex == -1,
    !hasImageSize || (imageHeight >= 0 && imageWidth >= 0)
  else { return .invalidParameter }
  let limit = Swift.min(preNmsTopK, total)
  guard limit <= largestSortCount else { return .invalidShape }
  if total == 0 {
    detectionCount.pointee = 0
    return .ok
  }
  guard let logits, let boxes else { return .nullPointer }

  return withWorkspace(
    workspace, workspaceSize,
    layout: {
      PostprocessMemory<S>(
        &$0, anchors, classes, Swift.max(limit, 1), suppression, iouThreshold, hasObjectness: objectness != nil)
    }
  ) { state in
    if let objectness {
      forEachVector(S.Vector.self, 0..<anchors) { i, n in
        S.Vector.sigmoid(S.Vector.load(objectness + i, lanes: n)).store(state.objectness + i, lanes: n)
      }
      let hasForeground = classes > 1 || backgroundIndex == -1
      if hasForeground, hasNaN(objectness, anchors) { return .invalidValue }
    }
    var collector = CandidateCollector(
      state.candidates, classes, backgroundIndex, multiLabel, scoreThreshold,
      objectness == nil ? nil : (mode: objectnessMode, values: UnsafePointer(state.objectness)), state.row)
    switch activation {
    case .sigmoid: collector.scan(logits, total, above: collector.logitBound) { S.Vector.sigmoid($0) }
    case .softmax: collector.scanSoftmax(logits, anchors)
    case .none: collector.scan(logits, total, above: collector.scoreBound) { $0 }
    }
    guard let candidates = collector.finish() else { return .invalidValue }
    state.candidates = candidates
    let image = hasImageSize ? (height: imageHeight, width: imageWidth) : nil
    let count = limit == 0 ? 0 : state.gather(boxes, classes, image, minSize)
    let found = Swift.min(state.suppress(count, rule, classAgnostic), maxDetections)
    detectionCount.pointee = found
    guard found <= capacity else { return .bufferTooSmall }
    for i in 0..<found {
      let (candidate, score) = state.detection(i)
      if let detectionBoxes {
        for side in 0..<4 { detectionBoxes[4 &* i &+ side] = state.boxes[4 &* candidate &+ side] }
      }
      detectionScores?[i] = score
      labels?[i] = state.labels[candidate]
      anchorIndices?[i] = state.anchors[candidate]
    }
    return .ok
  }
}

/// The workspace that `detectionPostprocess` wants, whatever the modes, in either precision.
///
/// - Parameters:
///   - anchors: ≥ 0.
///   - classes: ≥ 0.
///   - preNmsTopK: ≥ 0.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func detectionPostprocessWorkspaceSize(
  _ anchors: Int, _ classes: Int, _ preNmsTopK: Int, _ size: UnsafeMutablePointer<Int>?
) -> Status {
  guard let total = elementCount(anchors, classes), elementCount(anchors, 4) != nil else { return .invalidShape }
  guard preNmsTopK >= 0 else { return .invalidParameter }
  let limit = Swift.max(Swift.min(preNmsTopK, total), 1)
  guard limit <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  if total == 0 {
    // One of the sizes may be huge: nothing is laid out.
    size.pointee = 0
    return .ok
  }
  let hard = bytesTaken { PostprocessMemory<Double>(&$0, anchors, classes, limit, .hard, 0, hasObjectness: true) }
  let soft = bytesTaken {
    PostprocessMemory<Double>(&$0, anchors, classes, limit, .softGaussian, 0, hasObjectness: true)
  }
  size.pointee = Swift.max(hard, soft)
  return .ok
}

/// What the steps hand to one another.
private struct PostprocessMemory<S: Scalar> {
  var candidates: BestCandidates<S>
  /// σ(objectness) of each anchor; the scores of the classes of one.
  let objectness, row: UnsafeMutablePointer<S>
  /// The candidates in descending order of score.
  let boxes, scores: UnsafeMutablePointer<S>
  let labels, anchors: UnsafeMutablePointer<Int64>
  /// Detection → candidate.
  private let kept: UnsafeMutablePointer<UInt32>
  private let byScore: Sorter<S.Bits>
  private var hard: GroupedSuppression<S>?
  /// A copy of it works on the same memory.
  private var soft: SoftSuppressor<S>?

  init(
    _ arena: inout Arena, _ anchorCount: Int, _ classes: Int, _ limit: Int, _ suppression: DetectionSuppression,
    _ iouThreshold: Double, hasObjectness: Bool
  ) {
    candidates = BestCandidates(&arena, limit: limit, total: Swift.max(anchorCount &* classes, 1))
    objectness = arena.take(S.self, hasObjectness ? anchorCount : 0)
    row = arena.take(S.self, classes &+ S.Vector.count)
    boxes = arena.take(S.self, 4 &* limit)
    scores = arena.take(S.self, limit)
    labels = arena.take(Int64.self, limit)
    anchors = arena.take(Int64.self, limit)
    kept = arena.take(UInt32.self, limit)
    byScore = Sorter(&arena, capacity: limit)
    switch suppression {
    case .hard: hard = GroupedSuppression(&arena, capacity: limit, isBatched: true, threshold: iouThreshold)
    case .softLinear, .softGaussian: soft = SoftSuppressor(&arena, capacity: limit, isBatched: true)
    case .none: break
    }
  }

  /// Sorts the candidates, clips their boxes and drops small ones; returns how many are left.
  mutating func gather(
    _ decoded: UnsafePointer<S>, _ classes: Int, _ image: (height: Double, width: Double)?, _ minSize: Double
  ) -> Int {
    let best = byScore.sorted(candidates.count) { candidates.scores[$0].descendingKey }
    var count = 0
    for i in 0..<candidates.count {
      let candidate = Int(best[i].index)
      let position = candidates.positions[candidate]
      let anchor = position / classes
      let box = boxes + 4 &* count
      for side in 0..<4 {
        let x = decoded[4 &* anchor &+ side]
        guard let image else {
          box[side] = x
          continue
        }
        let bound = S(side & 1 == 0 ? image.width : image.height)
        // NaN is neither below nor above, and stays.
        box[side] = x < 0 ? 0 : x > bound ? bound : x
      }
      if minSize > 0, (box[2] - box[0]).double < minSize || (box[3] - box[1]).double < minSize { continue }
      scores[count] = candidates.scores[candidate]
      labels[count] = Int64(position &- anchor &* classes)
      anchors[count] = Int64(anchor)
      count &+= 1
    }
    return count
  }

  /// Suppresses among the first `count` candidates; returns how many are left.
  mutating func suppress(_ count: Int, _ rule: SoftNmsRule, _ classAgnostic: Bool) -> Int {
    let groups = classAgnostic ? nil : UnsafePointer(labels)
    if count == 0 { return 0 }
    if var soft { return rule.run(&soft, boxes, scores, groups, count) }
    for i in 0..<count { kept[i] = UInt32(truncatingIfNeeded: i) }
    guard var hard else { return count }
    let found = hard.run(boxes, scores, groups, count)
    hard.forEachKept { [kept] i, candidate in kept[i] = candidate }
    return found
  }

  /// The i-th detection: its candidate, and its final score.
  @inline(__always)
  func detection(_ i: Int) -> (candidate: Int, score: S) {
    if let soft { return (Int(soft.selected[i]), soft.selectedScores[i]) }
    return (Int(kept[i]), scores[Int(kept[i])])
  }
}
