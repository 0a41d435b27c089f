/// How often samples of the tail classes are taken for head classes, at several borders between head and tail.
///
///     B = ⌊C · ratio + ½⌋,      FHR = #{rank(y) ≥ B, rank(pred) < B} / #{rank(y) ≥ B}
///
/// - Parameters:
///   - pred: `[count]`, predicted labels 0 ..< classes.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: ≥ 0.
///   - classes: C ≥ 1.
///   - ratios: shares of the classes that are head, in [0, 1], `[ratioCount]`.
///   - ratioCount: ≥ 0.
///   - classCounts: optional, `[classes]`: the classes' rank is their place in descending order of these, of equal ones the
///     lower class first; else it is the class itself.
///   - rates: output, `[ratioCount]`; NaN where no sample is of the tail.
///   - mean: output, the mean of the rates that are defined; NaN if none is.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN in `classCounts`,
///   OUT_OF_MEMORY.
/// - Reference: Li et al. 2024, Long-tailed Classification from a Bayesian-decision-theory Perspective.
func falseHeadRate<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  _ ratios: UnsafePointer<Double>?, _ ratioCount: Int, _ classCounts: UnsafePointer<Double>?,
  _ rates: UnsafeMutablePointer<S>?, _ mean: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, elementCount(ratioCount, 1) != nil, classes >= 1, classes <= largestSortCount
  else { return .invalidShape }
  guard let mean, count == 0 || (pred != nil && y != nil), ratioCount == 0 || (ratios != nil && rates != nil) else {
    return .nullPointer
  }
  if let ratios {
    for r in 0..<ratioCount where !(ratios[r] >= 0 && ratios[r] <= 1) { return .invalidParameter }
  }
  if let pred, let y, !areIndices(pred, count, below: classes) || !areIndices(y, count, below: classes) {
    return .invalidTarget
  }
  if let classCounts, hasNaN(classCounts, classes) { return .invalidValue }
  return withWorkspace {
    (sorter: Sorter<UInt64>(&$0, capacity: classes), ranks: $0.take(Int.self, classes))
  } _: { memory in
    let ranks = memory.ranks
    if let classCounts {
      let items = memory.sorter.sorted(classes) { classCounts[$0].descendingKey }
      for place in 0..<classes { ranks[Int(items[place].index)] = place }
    } else {
      for c in 0..<classes { ranks[c] = c }
    }
    var sum = 0.0
    var defined = 0.0
    for r in 0..<ratioCount {
      guard let ratios, let rates else { break }
      let border = Int(Double(classes) * ratios[r] + 0.5)
      var tail = 0
      var wrong = 0
      if let pred, let y {
        for i in 0..<count where ranks[Int(y[i])] >= border {
          tail &+= 1
          if ranks[Int(pred[i])] < border { wrong &+= 1 }
        }
      }
      let rate = tail == 0 ? Double.nan : Double(wrong) / Double(tail)
      rates[r] = S(rate)
      if tail > 0 {
        sum += rate
        defined += 1
      }
    }
    mean.pointee = S(defined == 0 ? .nan : sum / defined)
    return .ok
  }
}
