/// How usual a distance to the training is: the share of calibration samples that are at least as far, in the class where
/// that share is least.
///
///     out_i = min_c (1 − #{j of class c : d_j < distance_i} / n_c)     (0 for a class without samples)
///
/// over the classes 0 ... max(class_of).
///
/// - Parameters:
///   - distance: `[count]`.
///   - classDistances: d, distances of the calibration samples, `[sampleCount]`.
///   - classOf: their classes ≥ 0, `[sampleCount]`.
///   - count: ≥ 0.
///   - sampleCount: 0 ... 2³¹ − 1; without samples everything is 0.
///   - quantile: output, `[count]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET for a negative class, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Schmaltz 2025, Similarity-Distance-Magnitude Universal Verification.
func sdmDistanceQuantile<S: Scalar>(
  _ distance: UnsafePointer<S>?, _ classDistances: UnsafePointer<S>?, _ classOf: UnsafePointer<Int64>?, _ count: Int,
  _ sampleCount: Int, _ quantile: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, sampleCount >= 0, sampleCount <= largestSortCount else { return .invalidShape }
  if count == 0 { return .ok }
  guard let distance, let quantile, sampleCount == 0 || (classDistances != nil && classOf != nil) else {
    return .nullPointer
  }
  guard let classDistances, let classOf, sampleCount > 0 else {
    if hasNaN(distance, count) { return .invalidValue }
    quantile.update(repeating: 0, count: count)
    return .ok
  }
  guard areIndices(classOf, sampleCount, below: Int.max) else { return .invalidTarget }
  if hasNaN(distance, count) || hasNaN(classDistances, sampleCount) { return .invalidValue }
  var last = 0
  for j in 0..<sampleCount { last = Swift.max(last, Int(classOf[j])) }
  if last >= sampleCount {
    // Some class is without samples.
    quantile.update(repeating: 0, count: count)
    return .ok
  }
  let classes = last &+ 1
  return withWorkspace {
    (
      sorter: Sorter<UInt64>(&$0, capacity: sampleCount), ends: $0.take(Int.self, classes),
      sorted: $0.take(Double.self, sampleCount)
    )
  } _: { memory in
    let (sorter, ends, sorted) = memory
    ends.update(repeating: 0, count: classes)
    for j in 0..<sampleCount { ends[Int(classOf[j])] &+= 1 }
    var sum = 0
    for c in 0..<classes {
      let size = ends[c]
      ends[c] = sum
      sum &+= size
    }
    // In the order of the distances, each goes behind the last of its class: then `ends` are the ends.
    let items = sorter.sorted(sampleCount) { classDistances[$0].double.ascendingKey }
    for k in 0..<sampleCount {
      let j = Int(items[k].index)
      let c = Int(classOf[j])
      sorted[ends[c]] = classDistances[j].double
      ends[c] &+= 1
    }
    for i in 0..<count {
      var least = 1.0
      var start = 0
      for c in 0..<classes {
        let size = ends[c] &- start
        let below = countBelow(distance[i].double, sorted + start, size)
        least = Swift.min(least, size == 0 ? 0 : 1 - Double(below) / Double(size))
        start = ends[c]
      }
      quantile[i] = S(least)
    }
    return .ok
  }
}

/// How many of some sorted numbers are less than x?
private func countBelow(_ x: Double, _ sorted: UnsafePointer<Double>, _ count: Int) -> Int {
  var low = 0
  var high = count
  while low < high {
    let middle = (low &+ high) / 2
    if sorted[middle] < x { low = middle &+ 1 } else { high = middle }
  }
  return low
}
