/// Accuracy: how much of the weight is predicted rightly, of all samples or averaged over the classes.
///
///     micro:  Σ_i w_i [pred_i = y_i] / Σ_i w_i
///     macro:  the mean over the classes that occur as labels of Σ_i w_i [pred_i = y_i = k] / Σ_i w_i [y_i = k]
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - average: `micro`, or `macro` for balanced accuracy.
///   - value: optional output; NaN if the total weight is 0.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, INVALID_VALUE if a weight is negative or not
///   finite, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, 2010 (`macro`).
func accuracyScore<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ numClasses: Int, _ average: ClassAverage, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard average == .micro || average == .macro else { return .invalidParameter }
  let pairs = LabelPairs(predictions: pred, labels: y, weights: sampleWeight, count: count, classes: numClasses)
  return pairs.count(ClassTally(classes: numClasses)) { table in
    let counts = ClassCounts(table, numClasses)
    // A class that is never the label has no recall: NaN, which is left out.
    value?.pointee = S(counts.mean(average, none: .nan) { quotient($0.hits, $0.actual, none: .nan) })
    return .ok
  }
}

/// Top-k accuracy: how often the label is among the k classes with the highest scores.
///
///     rank_i = |{c : s_ic > s_{i,y_i}}| + |{c < y_i : s_ic = s_{i,y_i}}|,   value = Σ_i [rank_i < k] / N
///
/// - Parameters:
///   - scores: `[count, classes]`; ±∞ is allowed.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, ≥ 0.
///   - classes: number of columns, ≥ 1.
///   - k: ≥ 1; 5 is usual. From `classes` on the value is 1.
///   - value: optional output; NaN without samples.
/// - Errors: INVALID_TARGET if a label is out of range, INVALID_VALUE if a score is NaN, INVALID_PARAMETER.
/// - Reference: Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015.
func topKAccuracy<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ k: Int,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 1, let size = elementCount(count, classes) else { return .invalidShape }
  guard k >= 1 else { return .invalidParameter }
  if count == 0 {
    value?.pointee = .nan
    return .ok
  }
  guard let scores, let y else { return .nullPointer }
  guard areClasses(y, count, below: classes) else { return .invalidTarget }
  guard !hasNaN(scores, size) else { return .invalidValue }
  let split = Split(count, smallest: max(smallestElementwisePart / classes, 1))
  var hits = InlineArray<64, Int>(repeating: 0)  // one for each of Split.limit
  withUnsafeMutableBytes(of: &hits) {
    let hits = $0.baseAddress!.assumingMemoryBound(to: Int.self)
    parallel(split.parts, TopKJob(scores: scores, y: y, classes: classes, k: k, split: split, hits: hits))
    for part in 1..<max(split.parts, 1) { hits[0] &+= hits[part] }
  }
  value?.pointee = S(Double(hits[0]) / Double(count))
  return .ok
}

private struct TopKJob<S: Scalar>: ParallelJob {
  let scores: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let classes: Int
  let k: Int
  let split: Split
  let hits: UnsafeMutablePointer<Int>

  func run(part: Int) {
    var found = 0
    for row in split.range(part) where rank(scores + row &* classes, Int(y[row])) < k { found &+= 1 }
    hits[part] = found
  }

  /// How many classes come before the label.
  @inline(__always) private func rank(_ row: UnsafePointer<S>, _ label: Int) -> Int {
    typealias V = S.Vector
    let own = V(row[label])
    var rank = 0
    forEachVector(V.self, 0..<label) { c, n in
      rank &+= ((own .<= V.load(row + c, lanes: n)) & V.Integers.first(n)).maskBits.nonzeroBitCount
    }
    forEachVector(V.self, label &+ 1..<classes) { c, n in
      rank &+= ((own .< V.load(row + c, lanes: n)) & V.Integers.first(n)).maskBits.nonzeroBitCount
    }
    return rank
  }
}
