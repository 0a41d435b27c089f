/// Detections and ground truths of some images, as the caller gives them.
struct CocoImages<S: Scalar> {
  let boxes, scores: UnsafePointer<S>?
  let labels, images: UnsafePointer<Int64>?
  let count: Int
  let truthBoxes: UnsafePointer<S>?
  let truthLabels, truthImages: UnsafePointer<Int64>?
  let crowd: UnsafePointer<UInt8>?
  let areas: UnsafePointer<S>?
  let truthCount: Int

  /// What is wrong with them; nil if nothing is.
  func fault(classes: Int) -> Status? {
    guard count >= 0, count <= largestSortCount, truthCount >= 0, truthCount <= largestSortCount else {
      return .invalidShape
    }
    if count > 0 {
      guard boxes != nil, let scores, let labels, images != nil else { return .nullPointer }
      guard areWithin(labels, count, classes) else { return .invalidTarget }
      if hasNaN(scores, count) { return .invalidValue }
    }
    if truthCount > 0 {
      guard truthBoxes != nil, let truthLabels, truthImages != nil else { return .nullPointer }
      guard areWithin(truthLabels, truthCount, classes) else { return .invalidTarget }
    }
    return nil
  }

  private func areWithin(_ labels: UnsafePointer<Int64>, _ count: Int, _ classes: Int) -> Bool {
    for i in 0..<count where labels[i] < 0 || labels[i] >= Int64(classes) { return false }
    return true
  }

  /// Matches all detections and adds them to a state that has room for them. Nothing is written if memory is short.
  func add(to state: CocoState) -> Status {
    withWorkspace(
      layout: { (detections: ElementOrder(&$0, capacity: count), truths: ElementOrder(&$0, capacity: truthCount)) }
    ) { order in
      order.detections.begin(count)
      if let scores { order.detections.sort { scores[$0].double.descendingKey } }
      group(&order.detections, labels, images)
      order.truths.begin(truthCount)
      group(&order.truths, truthLabels, truthImages)
      let truths = Groups(order: order.truths, labels: truthLabels, images: truthImages)
      let detections = Groups(order: order.detections, labels: labels, images: images)
      return withWorkspace(layout: { DetectionMatcher(&$0, state.shape, capacity: truths.largest) }) { matcher in
        matcher.setUp(state)
        match(detections, truths, &matcher, state)
        countTruths(state)
        return .ok
      }
    }
  }

  /// Sorts by image, then class.
  private func group(
    _ order: inout ElementOrder, _ labels: UnsafePointer<Int64>?, _ images: UnsafePointer<Int64>?
  ) {
    guard let labels, let images else { return }
    order.sort { labels[$0].ascendingKey }
    order.sort { images[$0].ascendingKey }
  }

  private func match(_ detections: Groups, _ truths: Groups, _ matcher: inout DetectionMatcher, _ state: CocoState) {
    guard let boxes, let scores else { return }
    let most = Int(clamping: state.limit(state.widestLimit))
    var group = detections.first
    var other = truths.first
    while !group.isEmpty {
      while !other.isEmpty, truths.key(other.lowerBound) < detections.key(group.lowerBound) {
        other = truths.next(other)
      }
      matcher.clear()
      if !other.isEmpty, truths.key(other.lowerBound) == detections.key(group.lowerBound) {
        for place in other { addTruth(truths.order[place], &matcher) }
      }
      let key = detections.key(group.lowerBound)
      for rank in 0..<Swift.min(group.count, most) {
        let i = detections.order[group.lowerBound &+ rank]
        let flags = state.append(
          CocoDetection(score: scores[i].double, image: key.image, label: Int(key.label), rank: rank))
        matcher.match(corners(boxes + 4 &* i), flags.hits, flags.counted)
      }
      group = detections.next(group)
    }
  }

  private func addTruth(_ i: Int, _ matcher: inout DetectionMatcher) {
    guard let truthBoxes else { return }
    let box = corners(truthBoxes + 4 &* i)
    matcher.addTruth(box, area: area(i, box), isCrowd: isCrowd(i))
  }

  private func area(_ i: Int, _ box: SIMD4<Double>) -> Double { areas?[i].double ?? (box.z - box.x) * (box.w - box.y) }

  private func isCrowd(_ i: Int) -> Bool { crowd.map { $0[i] != 0 } ?? false }

  /// Counts the ground truths that are not ignored.
  private func countTruths(_ state: CocoState) {
    guard let truthBoxes, let truthLabels else { return }
    for i in 0..<truthCount where !isCrowd(i) {
      let area = area(i, corners(truthBoxes + 4 &* i))
      for a in 0..<state.shape.ranges {
        let range = state.range(a)
        if !(area < range.least || area > range.greatest) { state.addTruths(Int(truthLabels[i]), a, 1) }
      }
    }
  }
}

/// Runs of elements of one image and class.
private struct Groups {
  let order: ElementOrder
  let labels, images: UnsafePointer<Int64>?

  func key(_ place: Int) -> (image: Int64, label: Int64) {
    guard let labels, let images else { return (0, 0) }
    return (images[order[place]], labels[order[place]])
  }

  var first: Range<Int> { next(0..<0) }

  /// The run behind one; empty at the end.
  func next(_ run: Range<Int>) -> Range<Int> {
    let start = run.upperBound
    var end = start
    while end < order.count, key(end) == key(start) { end &+= 1 }
    return start..<end
  }

  /// The length of the longest run.
  var largest: Int {
    var (longest, run) = (0, first)
    while !run.isEmpty {
      longest = Swift.max(longest, run.count)
      run = next(run)
    }
    return longest
  }
}

/// The four numbers of a box, as doubles.
@inline(__always)
private func corners<S: Scalar>(_ box: UnsafePointer<S>) -> SIMD4<Double> {
  SIMD4(box[0].double, box[1].double, box[2].double, box[3].double)
}
