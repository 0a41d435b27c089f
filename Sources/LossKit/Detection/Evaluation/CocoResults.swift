/// Where the results of an evaluation go.
struct CocoResults {
  let stats: UnsafeMutablePointer<Double>?
  let statCapacity: Int
  let precision, recall: UnsafeMutablePointer<Double>?

  /// What is wrong with their sizes; nil if nothing is.
  func fault(_ shape: CocoShape) -> Status? {
    guard statCapacity >= 0, let curves = elementCount(shape.criteria, shape.limits, shape.classes),
      elementCount(curves, cocoRecallPoints) != nil
    else { return .invalidShape }
    return stats != nil && statCapacity < shape.statCount ? .bufferTooSmall : nil
  }

  /// Accumulates what a sound state holds.
  func write(_ state: CocoState) -> Status {
    let shape = state.shape
    let count = state.detections
    return withWorkspace(
      layout: { (order: ElementOrder(&$0, capacity: count), means: CocoMeans(&$0, state)) }
    ) { memory in
      memory.means.clear()
      memory.order.begin(count)
      memory.order.sort { state.detection($0).image.ascendingKey }
      memory.order.sort { state.detection($0).score.descendingKey }
      memory.order.sort { UInt64(state.detection($0).label) }
      let order = memory.order
      var longest = 0
      forEachClass(state, order) { _, run in longest = Swift.max(longest, run.count) }
      return withWorkspace(layout: { CocoCurves(&$0, state, capacity: longest) }) { curves in
        forEachClass(state, order) { label, run in
          curves.read(order, run)
          for criterion in 0..<shape.criteria {
            let truths = state.truths(label, criterion / shape.thresholds)
            if truths > 0 { curves.select(criterion) }
            for limit in 0..<shape.limits {
              let place = self.place(shape, label, criterion, limit)
              guard truths > 0 else {
                recall?[place.recall] = -1
                for i in 0..<cocoRecallPoints { precision?[place.precision &+ i &* place.step] = -1 }
                continue
              }
              let curve = curves.curve(limit, truths: truths)
              var sum = 0.0
              curve.sample(cocoRecallPoints) { i, value in
                precision?[place.precision &+ i &* place.step] = value
                sum += value
              }
              recall?[place.recall] = curve.recall
              memory.means.add(criterion, limit, precision: sum, recall: curve.recall)
            }
          }
        }
        if let stats { memory.means.write(stats) }
        return .ok
      }
    }
  }

  /// Calls `body` for each class with its run of places in the order.
  @inline(__always)
  private func forEachClass(_ state: CocoState, _ order: ElementOrder, _ body: (Int, Range<Int>) -> Void) {
    var end = 0
    for label in 0..<state.shape.classes {
      let start = end
      while end < order.count, state.detection(order[end]).label == label { end &+= 1 }
      body(label, start..<end)
    }
  }

  /// Where the results of a curve are: `recall` is [T, K, A, M], `precision` [T, 101, K, A, M].
  private func place(
    _ shape: CocoShape, _ label: Int, _ criterion: Int, _ limit: Int
  ) -> (recall: Int, precision: Int, step: Int) {
    let (a, t) = (criterion / shape.thresholds, criterion % shape.thresholds)
    let step = shape.classes &* shape.ranges &* shape.limits
    let within = (label &* shape.ranges &+ a) &* shape.limits &+ limit
    return (t &* step &+ within, t &* cocoRecallPoints &* step &+ within, step)
  }
}

/// Sums over classes of what the statistics are means of.
struct CocoMeans {
  private let state: CocoState
  /// By criterion and limit: Σ precision over classes and recalls, Σ recall over classes, and the number of classes.
  private let precisions, recalls, classes: UnsafeMutablePointer<Double>
  private let count: Int

  init(_ arena: inout Arena, _ state: CocoState) {
    self.state = state
    count = state.shape.criteria &* state.shape.limits
    precisions = arena.take(Double.self, count)
    recalls = arena.take(Double.self, count)
    classes = arena.take(Double.self, count)
  }

  func clear() {
    precisions.update(repeating: 0, count: count)
    recalls.update(repeating: 0, count: count)
    classes.update(repeating: 0, count: count)
  }

  private func place(_ criterion: Int, _ limit: Int) -> Int { criterion &* state.shape.limits &+ limit }

  /// Adds a class.
  func add(_ criterion: Int, _ limit: Int, precision: Double, recall: Double) {
    precisions[place(criterion, limit)] += precision
    recalls[place(criterion, limit)] += recall
    classes[place(criterion, limit)] += 1
  }

  /// AP, AP50, AP75, AP of each range but the first; AR of each limit, AR of each range but the first.
  func write(_ stats: UnsafeMutablePointer<Double>) {
    let widest = state.widestLimit
    let points = Double(cocoRecallPoints)
    stats[0] = mean(precisions, 0, widest, per: points) { _ in true }
    stats[1] = mean(precisions, 0, widest, per: points) { $0 == 0.5 }
    stats[2] = mean(precisions, 0, widest, per: points) { $0 == 0.75 }
    var next = 3
    for a in 1..<Swift.max(state.shape.ranges, 1) {
      stats[next] = mean(precisions, a, widest, per: points) { _ in true }
      next &+= 1
    }
    for m in 0..<state.shape.limits {
      stats[next] = mean(recalls, 0, m, per: 1) { _ in true }
      next &+= 1
    }
    for a in 1..<Swift.max(state.shape.ranges, 1) {
      stats[next] = mean(recalls, a, widest, per: 1) { _ in true }
      next &+= 1
    }
  }

  /// The mean over classes and the thresholds that are wanted; −1 without classes.
  @inline(__always)
  private func mean(
    _ sums: UnsafeMutablePointer<Double>, _ a: Int, _ limit: Int, per unit: Double, _ isWanted: (Double) -> Bool
  ) -> Double {
    var (sum, number) = (0.0, 0.0)
    for t in 0..<state.shape.thresholds where isWanted(state.threshold(t)) {
      sum += sums[place(a &* state.shape.thresholds &+ t, limit)]
      number += classes[place(a &* state.shape.thresholds &+ t, limit)]
    }
    return number > 0 ? sum / (number * unit) : -1
  }
}
