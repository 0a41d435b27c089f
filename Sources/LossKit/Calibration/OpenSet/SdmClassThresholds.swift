/// Thresholds of the output for each class, and the least similarity at which they hold: of the samples that are at least so
/// similar, all classes have the share alpha of their samples above a threshold ≥ alpha.
///
/// For the distinct similarities in ascending order as cut s: the threshold of a class is, of its n outputs with
/// similarity ≥ s in ascending order, that at position min(⌊(1 − alpha) n + 1e-9⌋, n − 1), at least 0, and 0 if it has
/// none. The first s with all thresholds ≥ alpha is returned with them; else thresholds of 0 and +inf.
///
/// - Parameters:
///   - output: `[count]`, outputs of the calibration samples, such as probabilities.
///   - y: `[count]`, labels 0 ..< classes.
///   - similarity: `[count]`, rescaled similarities.
///   - count: 0 ... 2³¹ − 1.
///   - classes: ≥ 1.
///   - alpha: in (0, 1), default 0.95.
///   - thresholds: output, `[classes]`.
///   - leastSimilarity: output, s.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Schmaltz 2025, Similarity-Distance-Magnitude Universal Verification.
func sdmClassThresholds<S: Scalar>(
  _ output: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ similarity: UnsafePointer<S>?, _ count: Int,
  _ classes: Int, _ alpha: Double, _ thresholds: UnsafeMutablePointer<S>?, _ leastSimilarity: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount, classes >= 1, elementCount(classes, 1) != nil else {
    return .invalidShape
  }
  guard alpha > 0, alpha < 1 else { return .invalidParameter }
  guard let thresholds, let leastSimilarity, count == 0 || (output != nil && y != nil && similarity != nil) else {
    return .nullPointer
  }
  guard let output, let y, let similarity, count > 0 else {
    thresholds.update(repeating: 0, count: classes)
    leastSimilarity.pointee = .infinity
    return .ok
  }
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  if hasNaN(output, count) || hasNaN(similarity, count) { return .invalidValue }
  return withWorkspace {
    OutputsOfClasses(&$0, count, classes)
  } _: { (outputs: inout OutputsOfClasses) in
    outputs.sort(output, y, count)
    let items = outputs.sorter.sorted(count) { similarity[$0].double.ascendingKey }
    var next = 0
    var isFound = false
    while next < count {
      let cut = similarity[Int(items[next].index)]
      isFound = outputs.reach(alpha)
      if isFound {
        leastSimilarity.pointee = cut
        break
      }
      while next < count, similarity[Int(items[next].index)] == cut {
        outputs.remove(Int(items[next].index), y)
        next &+= 1
      }
    }
    if !isFound { leastSimilarity.pointee = .infinity }
    for c in 0..<classes { thresholds[c] = isFound ? S(outputs.thresholds[c]) : 0 }
    return .ok
  }
}

/// The outputs of each class in ascending order, from which samples are taken away. How many are left is summed in trees
/// (one for each class, node i sums so many places up to i as the lowest bit of i says), so that the n-th is soon found.
private struct OutputsOfClasses {
  let sorter: Sorter<UInt64>
  let thresholds: UnsafeMutablePointer<Double>
  private let classes: Int
  private let starts, left, tree, place: UnsafeMutablePointer<Int>
  private let sorted: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int, _ classes: Int) {
    self.classes = classes
    sorter = Sorter(&arena, capacity: count)
    thresholds = arena.take(Double.self, classes)
    starts = arena.take(Int.self, classes &+ 1)
    left = arena.take(Int.self, classes)
    tree = arena.take(Int.self, count)
    place = arena.take(Int.self, count)
    sorted = arena.take(Double.self, count)
  }

  func sort<S: Scalar>(_ output: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int) {
    left.update(repeating: 0, count: classes)
    for i in 0..<count { left[Int(y[i])] &+= 1 }
    starts[0] = 0
    for c in 0..<classes {
      starts[c &+ 1] = starts[c] &+ left[c]
      left[c] = 0
    }
    let items = sorter.sorted(count) { output[$0].double.ascendingKey }
    for k in 0..<count {
      let i = Int(items[k].index)
      let c = Int(y[i])
      place[i] = left[c]
      sorted[starts[c] &+ left[c]] = output[i].double
      left[c] &+= 1
      tree[starts[c] &+ place[i]] = left[c] & -left[c]
    }
  }

  /// Sets the thresholds; do all reach alpha?
  func reach(_ alpha: Double) -> Bool {
    for c in 0..<classes {
      let n = left[c]
      let position = Swift.min(Int((1 - alpha) * Double(n) + 1e-9), n &- 1)
      thresholds[c] = n == 0 ? 0 : Swift.max(0, sorted[starts[c] &+ find(position, c)])
      if thresholds[c] < alpha { return false }
    }
    return true
  }

  func remove(_ i: Int, _ y: UnsafePointer<Int64>) {
    let c = Int(y[i])
    let size = starts[c &+ 1] &- starts[c]
    var node = place[i] &+ 1
    while node <= size {
      tree[starts[c] &+ node &- 1] &-= 1
      node &+= node & -node
    }
    left[c] &-= 1
  }

  /// The place of the n-th sample that is left.
  private func find(_ n: Int, _ c: Int) -> Int {
    let size = starts[c &+ 1] &- starts[c]
    var step = 1
    while step &* 2 <= size { step &*= 2 }
    var place = 0
    var wanted = n
    while step > 0 {
      if place &+ step <= size, tree[starts[c] &+ place &+ step &- 1] <= wanted {
        place &+= step
        wanted &-= tree[starts[c] &+ place &- 1]
      }
      step /= 2
    }
    return place
  }
}
