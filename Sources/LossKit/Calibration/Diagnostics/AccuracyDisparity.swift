/// How far the accuracies of the classes lie apart.
///
///     acc_c = #{y = c, pred = c} / #{y = c};   gap = max − min, least = min, deviation = population standard deviation
///
/// - Parameters:
///   - pred: `[count]`, predicted labels 0 ..< classes.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: ≥ 0.
///   - classes: ≥ 1.
///   - accuracy: output, `[classes]`; NaN for classes without samples, which the other results leave out.
///   - gap: output; NaN without samples, as are the following.
///   - least: output.
///   - deviation: output.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Hu et al. 2023, Understanding the Impact of Adversarial Robustness on Accuracy Disparity.
func accuracyDisparity<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  _ accuracy: UnsafeMutablePointer<S>?, _ gap: UnsafeMutablePointer<S>?, _ least: UnsafeMutablePointer<S>?,
  _ deviation: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, classes >= 1, elementCount(classes, 4) != nil else { return .invalidShape }
  guard let accuracy, let gap, let least, let deviation, count == 0 || (pred != nil && y != nil) else {
    return .nullPointer
  }
  if let pred, let y, !areIndices(pred, count, below: classes) || !areIndices(y, count, below: classes) {
    return .invalidTarget
  }
  return withWorkspace {
    (samples: $0.take(Int.self, classes), hits: $0.take(Int.self, classes))
  } _: { memory in
    let (samples, hits) = memory
    samples.update(repeating: 0, count: classes)
    hits.update(repeating: 0, count: classes)
    if let pred, let y {
      for i in 0..<count {
        samples[Int(y[i])] &+= 1
        if pred[i] == y[i] { hits[Int(y[i])] &+= 1 }
      }
    }
    func share(_ c: Int) -> Double { Double(hits[c]) / Double(samples[c]) }
    var present = 0.0
    var sum = 0.0
    var lowest = Double.infinity
    var highest = -Double.infinity
    for c in 0..<classes {
      accuracy[c] = samples[c] == 0 ? .nan : S(share(c))
      if samples[c] == 0 { continue }
      present += 1
      sum += share(c)
      lowest = Swift.min(lowest, share(c))
      highest = Swift.max(highest, share(c))
    }
    var squares = 0.0
    for c in 0..<classes where samples[c] > 0 {
      let difference = share(c) - sum / present
      squares += difference * difference
    }
    gap.pointee = S(present == 0 ? .nan : highest - lowest)
    least.pointee = S(present == 0 ? .nan : lowest)
    deviation.pointee = S(present == 0 ? .nan : (squares / present).squareRoot())
    return .ok
  }
}
