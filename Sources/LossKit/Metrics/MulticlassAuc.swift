/// Area under the ROC curve for more than two classes: the mean over binary problems.
///
/// `ovr`: the AUC of column k with y = k as positives, for the classes that have both kinds; with the average
/// `weighted` they count by the number of their samples. `ovo`: for classes i < j, on the samples of these two, the mean
/// of the AUC of column i (with class i as positives) and of column j; `weighted` counts a pair by its number of samples.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; rows need not sum to 1.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - classes: number of columns, ≥ 1.
///   - multiClass: `ovr` is usual.
///   - average: `macro` or `weighted`.
///   - value: optional output; NaN if no problem is defined.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is out of range,
///   INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Hand and Till, A Simple Generalisation of the Area under the ROC Curve for Multiple Class
///   Classification Problems, 2001 (`ovo`); Fawcett, An Introduction to ROC Analysis, 2006 (`ovr`).
func rocAucMulticlass<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ multiClass: MulticlassScheme,
  _ average: ClassAverage, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount, classes >= 1, let size = elementCount(count, classes),
    elementCount(classes, MemoryLayout<Int>.stride) != nil
  else { return .invalidShape }
  guard average == .macro || average == .weighted else { return .invalidParameter }
  if count == 0 {
    value?.pointee = .nan
    return .ok
  }
  guard let probs, let y else { return .nullPointer }
  guard areClasses(y, count, below: classes) else { return .invalidTarget }
  guard areInUnitInterval(probs, size) else { return .invalidValue }
  return withWorkspace(layout: {
    (
      columns: ColumnRanking<S>(&$0, count: count), rows: $0.take(Int.self, count),
      ends: $0.take(Int.self, classes + 1)
    )
  }) { memory in
    let (columns, rows, ends) = memory
    groupByLabel(y, count, classes, rows, ends)
    var sum = 0.0
    var weights = 0.0
    var status = Status.ok
    @inline(__always) func add(_ area: Double, samples: Int) {
      let weight = average == .weighted ? Double(samples) : 1
      sum += weight * area
      weights += weight
    }
    for i in 0..<classes {
      let own = ends[i]..<ends[i + 1]
      if own.isEmpty || own.count == count { continue }
      if multiClass == .ovr {
        var area = 0.0
        status = columns.area(count, { probs[$0 &* classes &+ i] }, { y[$0] == Int64(i) }, &area)
        guard status == .ok else { return status }
        add(area, samples: own.count)
        continue
      }
      for j in i + 1..<classes {
        let other = ends[j]..<ends[j + 1]
        if other.isEmpty { continue }
        var areas = (0.0, 0.0)
        @inline(__always) func row(_ element: Int) -> Int {
          rows[element < own.count ? own.lowerBound &+ element : other.lowerBound &+ (element &- own.count)]
        }
        let samples = own.count + other.count
        status = columns.area(samples, { probs[row($0) &* classes &+ i] }, { $0 < own.count }, &areas.0)
        guard status == .ok else { return status }
        status = columns.area(samples, { probs[row($0) &* classes &+ j] }, { $0 >= own.count }, &areas.1)
        guard status == .ok else { return status }
        add((areas.0 + areas.1) / 2, samples: samples)
      }
    }
    value?.pointee = S(sum / weights)
    return .ok
  }
}

/// Macro-averaged AUC of several labels: the mean over the labels that have both kinds.
///
///     AUC_k = P(s_k⁺ > s_k⁻) + ½ P(s_k⁺ = s_k⁻)
///
/// - Parameters:
///   - scores: `[count, classes]`; ±∞ is allowed.
///   - t: `[count, classes]`, targets, 0 and 1.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - classes: number of labels, ≥ 0.
///   - value: optional output, the mean; NaN if no label has both kinds.
///   - auc: optional output, `[classes]`; NaN where a label has one kind only.
/// - Errors: INVALID_VALUE if a score is NaN, INVALID_TARGET if a target is neither 0 nor 1, OUT_OF_MEMORY.
/// - Reference: Wu et al., Towards Understanding Generalization of Macro-AUC in Multi-label Learning, 2023.
func macroAuc<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ count: Int, _ classes: Int,
  _ value: UnsafeMutablePointer<S>?, _ auc: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount, classes >= 0, let size = elementCount(count, classes),
    elementCount(classes, MemoryLayout<Double>.stride) != nil
  else { return .invalidShape }
  guard size == 0 || (scores != nil && t != nil) else { return .nullPointer }
  if let t {
    for i in 0..<size where t[i] != 0 && t[i] != 1 { return .invalidTarget }
  }
  if let scores, hasNaN(scores, size) { return .invalidValue }
  return withWorkspace(layout: {
    (columns: ColumnRanking<S>(&$0, count: count), areas: $0.take(Double.self, classes))
  }) { memory in
    let (columns, areas) = memory
    var sum = 0.0
    var defined = 0.0
    for k in 0..<classes {
      areas[k] = .nan
      if count > 0, let scores, let t {
        let status = columns.area(
          count, { scores[$0 &* classes &+ k] }, { t[$0 &* classes &+ k] == 1 }, &areas[k])
        guard status == .ok else { return status }
      }
      if areas[k] == areas[k] {
        sum += areas[k]
        defined += 1
      }
    }
    value?.pointee = S(sum / defined)
    for k in 0..<classes { auc?[k] = S(areas[k]) }
    return .ok
  }
}

/// Memory for a column of scores and its labels.
private struct ColumnRanking<S: Scalar> {
  let scores: UnsafeMutablePointer<S>
  let labels: LabelBits

  init(_ arena: inout Arena, count: Int) {
    scores = arena.take(S.self, count)
    labels = LabelBits(&arena, count: count)
  }

  @inline(__always)
  func area(_ count: Int, _ score: (Int) -> S, _ isPositive: (Int) -> Bool, _ area: inout Double) -> Status {
    for i in 0..<count { scores[i] = score(i) }
    labels.fill(count, isPositive)
    return LabelledScores(scores: scores, labels: labels, weights: nil, count: count).area(&area)
  }
}

/// The rows of class k, ascending, at `rows[ends[k] ..< ends[k + 1]]`.
private func groupByLabel(
  _ y: UnsafePointer<Int64>, _ count: Int, _ classes: Int, _ rows: UnsafeMutablePointer<Int>,
  _ ends: UnsafeMutablePointer<Int>
) {
  ends.initialize(repeating: 0, count: classes + 1)
  for i in 0..<count { ends[Int(y[i]) &+ 1] &+= 1 }
  for k in 0..<classes { ends[k &+ 1] &+= ends[k] }
  for i in 0..<count {
    rows[ends[Int(y[i])]] = i
    ends[Int(y[i])] &+= 1
  }
  // Each has moved on to where the next begins.
  for k in stride(from: classes, to: 0, by: -1) { ends[k] = ends[k &- 1] }
  ends[0] = 0
}

@inline(__always) private func areInUnitInterval<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n)
    bad = bad | ~((S.Vector.zero .<= x) & (x .<= S.Vector.one))
  }
  return !bad.any
}
