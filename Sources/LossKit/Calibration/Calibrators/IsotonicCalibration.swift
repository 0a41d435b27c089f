/// Isotonic calibration: the non-decreasing map from confidence to accuracy that fits best.
///
/// Equal confidences are pooled (weighted mean), and the means are fitted by isotonic regression. The map is given by
/// knots, between which it is linear and outside of which it is constant: every distinct confidence with its fitted
/// value, or with `centered` one knot for each block at its weighted mean confidence, and the least and the greatest
/// confidence with the values of the end blocks, unless they are knots already.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - correct: `[count]`, 1 where the prediction was right, else 0.
///   - count: number of predictions, 1 to 2³¹ − 1.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite, default 1; a prediction of weight 0 does not count.
///   - centered: a map that increases between blocks instead of in steps; false is usual.
///   - knotsX: optional output, `[capacity]`, strictly ascending.
///   - knotsY: optional output, `[capacity]`, in [0, 1], not descending.
///   - capacity: knots that the outputs have room for; `count + 1` is always enough.
///   - knotCount: optional output, how many there are.
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], a weight negative, or all weights are 0, INVALID_TARGET
///   if `correct` is neither 0 nor 1, BUFFER_TOO_SMALL if there are more than `capacity` knots: then `knotCount` says how
///   many, and nothing else is written.
/// - Reference: Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates, 2002;
///   Oron and Flournoy, Centered Isotonic Regression, 2017.
func isotonicCalibrationFit<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ correct: UnsafePointer<Int64>?, _ count: Int, _ sampleWeight: UnsafePointer<S>?,
  _ centered: Bool, _ knotsX: UnsafeMutablePointer<S>?, _ knotsY: UnsafeMutablePointer<S>?, _ capacity: Int,
  _ knotCount: UnsafeMutablePointer<Int>?
) -> Status {
  guard count >= 1, count <= largestSortCount, capacity >= 0 else { return .invalidShape }
  guard let conf, let correct else { return .nullPointer }
  let knots = KnotOutputs(x: knotsX, y: knotsY, capacity: capacity, count: knotCount)
  guard let sampleWeight else {
    return withWorkspace(layout: { ConfidenceCells<S>(&$0, capacity: count) }) { cells in
      let status = cells.take(ConfidenceRows(conf, correct, count, classes: 0, isTopLabel: true))
      guard status == .ok else { return status }
      return knots.fit(ConfidenceGroups(samples: EqualSamples(items: cells.sorted(), count: count)), centered)
    }
  }
  let status = statusOfConfidences(conf, correct, count, classes: 0)
  guard status == .ok else { return status }
  guard areWeights(sampleWeight, count) else { return .invalidValue }
  return withWorkspace(layout: { Sorter<S.Bits>(&$0, capacity: count) }) { sorter in
    // The highest bit of an index says that the prediction was right.
    var n = 0
    for i in 0..<count where sampleWeight[i] > 0 {
      sorter.items[n] = SortItem(
        key: conf[i].ascendingKey, index: UInt32(truncatingIfNeeded: i) | (correct[i] == 1 ? 1 << 31 : 0))
      n &+= 1
    }
    if n == 0 { return .invalidValue }
    let samples = WeightedSamples(items: sorter.sort(n), count: n, weights: sampleWeight)
    return knots.fit(ConfidenceGroups(samples: samples), centered)
  }
}

/// Where the knots go.
private struct KnotOutputs<S: Scalar> {
  let x: UnsafeMutablePointer<S>?
  let y: UnsafeMutablePointer<S>?
  let capacity: Int
  let count: UnsafeMutablePointer<Int>?

  @inline(__always)
  func fit<Samples: ConfidenceSamples>(
    _ groups: ConfidenceGroups<Samples>, _ centered: Bool
  ) -> Status where Samples.S == S {
    let distinct = groups.count
    return withWorkspace(layout: { IsotonicBlocks(&$0, capacity: distinct) }) { blocks in
      if !centered, let fault = setCount(distinct) { return fault }
      groups.forEach {
        blocks.add(sum: $0.hits, weight: $0.weight, index: $0.index)
        if !centered { x?[$0.index] = $0.confidence }
      }
      blocks.finish()
      if !centered {
        if let y { blocks.expand(into: y) }
        return .ok
      }
      let fit = IsotonicFit(groups: groups, blocks: blocks)
      var needed = 0
      fit.forEachCenter { _, _ in needed &+= 1 }
      if let fault = setCount(needed) { return fault }
      var next = 0
      fit.forEachCenter { center, mean in
        x?[next] = center
        y?[next] = S(mean)
        next &+= 1
      }
      return .ok
    }
  }

  /// Says how many there are; a fault if that is more than there is room for.
  private func setCount(_ needed: Int) -> Status? {
    count?.pointee = needed
    return needed <= capacity ? nil : .bufferTooSmall
  }
}

/// Applies an isotonic calibration: linear interpolation between knots, constant outside.
///
/// - Parameters:
///   - conf: `[count]`, confidences in [0, 1].
///   - count: number of confidences, ≥ 0.
///   - knotsX: `[knots]`, ascending.
///   - knotsY: `[knots]`.
///   - knots: how many, ≥ 1.
///   - output: `[count]`; may be `conf`.
/// - Errors: INVALID_VALUE if a confidence is NaN or outside [0, 1], or `knotsX` does not ascend.
/// - Reference: Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates, 2002.
func isotonicCalibrationApply<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ count: Int, _ knotsX: UnsafePointer<S>?, _ knotsY: UnsafePointer<S>?, _ knots: Int,
  _ output: UnsafeMutablePointer<S>?
) -> Status {
  guard knots >= 1, elementCount(count, 1) != nil, elementCount(knots, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let conf, let knotsX, let knotsY, let output else { return .nullPointer }
  let x = AscendingNumbers(first: knotsX, count: knots)
  guard areFractions(conf, count), x.areAscending else { return .invalidValue }
  return withWorkspace(layout: { SearchTable(&$0, x, queries: count) }) { table in
    table.fill()
    let split = Split(count, smallest: smallestElementwisePart / 16)
    parallel(split.parts, InterpolationJob(conf: conf, x: table, y: knotsY, output: output, split: split))
    return .ok
  }
}

private struct InterpolationJob<S: Scalar>: ParallelJob {
  let conf: UnsafePointer<S>
  let x: SearchTable<S>
  let y: UnsafePointer<S>
  let output: UnsafeMutablePointer<S>
  let split: Split

  @inline(__always) func run(part: Int) {
    for i in split.range(part) {
      let c = conf[i]
      let above = x.count(below: c)
      let knots = x.numbers
      if above == knots.count {
        output[i] = y[above &- 1]
      } else if above == 0 || knots.first[above] == c {
        output[i] = y[above]
      } else {
        let (x0, x1) = (knots.first[above &- 1].double, knots.first[above].double)
        let (y0, y1) = (y[above &- 1].double, y[above].double)
        output[i] = S(y0 + (y1 - y0) * ((c.double - x0) / (x1 - x0)))
      }
    }
  }
}

/// Predictions of equal confidence.
private struct ConfidenceGroup<S: Scalar> {
  let index: Int
  let confidence: S
  /// Σ w of the right ones, and of all.
  var hits = 0.0
  var weight = 0.0
}

/// Predictions in ascending order of confidence.
private protocol ConfidenceSamples {
  associatedtype S: Scalar
  var count: Int { get }
  func key(_ k: Int) -> S.Bits
  func confidence(_ k: Int) -> S
  func hit(_ k: Int) -> Double
  func weight(_ k: Int) -> Double
}

private struct EqualSamples<S: Scalar>: ConfidenceSamples {
  let items: UnsafePointer<HitKey<S>>
  let count: Int

  @inline(__always) func key(_ k: Int) -> S.Bits { items[k].key }
  @inline(__always) func confidence(_ k: Int) -> S { items[k].confidence }
  @inline(__always) func hit(_ k: Int) -> Double { items[k].hit }
  @inline(__always) func weight(_ k: Int) -> Double { 1 }
}

private struct WeightedSamples<S: Scalar>: ConfidenceSamples {
  let items: UnsafePointer<SortItem<S.Bits>>
  let count: Int
  let weights: UnsafePointer<S>

  @inline(__always) func key(_ k: Int) -> S.Bits { items[k].key }
  @inline(__always) func confidence(_ k: Int) -> S { S(ascendingKey: items[k].key) }
  @inline(__always) func hit(_ k: Int) -> Double { Double(items[k].index >> 31) }
  @inline(__always) func weight(_ k: Int) -> Double { weights[Int(items[k].index & ~(1 << 31))].double }
}

/// Predictions, those of equal confidence together.
private struct ConfidenceGroups<Samples: ConfidenceSamples> {
  typealias S = Samples.S
  let samples: Samples

  /// How many groups there are.
  var count: Int {
    var count = 1
    for k in 1..<samples.count { count &+= samples.key(k) == samples.key(k &- 1) ? 0 : 1 }
    return count
  }

  /// From the least confidence to the greatest.
  @inline(__always) func forEach(_ body: (ConfidenceGroup<S>) -> Void) {
    var start = 0
    var index = 0
    while start < samples.count {
      let key = samples.key(start)
      var group = ConfidenceGroup(index: index, confidence: samples.confidence(start))
      repeat {
        let weight = samples.weight(start)
        group.weight += weight
        group.hits += weight * samples.hit(start)
        start &+= 1
      } while start < samples.count && samples.key(start) == key
      body(group)
      index &+= 1
    }
  }
}

/// The groups with the blocks into which they were pooled.
private struct IsotonicFit<Samples: ConfidenceSamples> {
  typealias S = Samples.S
  let groups: ConfidenceGroups<Samples>
  let blocks: IsotonicBlocks

  /// The knots of a centered map: the end points, and the blocks' weighted mean confidences.
  @inline(__always) func forEachCenter(_ body: (S, Double) -> Void) {
    var block = 0
    var first = 0  // group of the block
    var sum = 0.0  // Σ w · confidence of the block
    var least: S?
    groups.forEach { group in
      if first == group.index { sum = 0 }
      if least == nil { least = group.confidence }
      sum += group.weight * group.confidence.double
      guard group.index == blocks[block].last else { return }
      let value = blocks[block].mean
      let center = first == group.index ? group.confidence : S(sum / blocks[block].weight)
      if block == 0, let least, center > least { body(least, value) }
      body(center, value)
      if block &+ 1 == blocks.count, group.confidence > center { body(group.confidence, value) }
      block &+= 1
      first = group.index &+ 1
    }
  }
}
