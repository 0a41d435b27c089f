/// Confusion matrix: how often class i is the label and class j the prediction.
///
///     m_ij = Σ_n w_n [y_n = i, pred_n = j]
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - normalize: what entries are divided by; 0/0 is 0.
///   - matrix: optional output, `[numClasses, numClasses]`, a row for each label.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, INVALID_VALUE if a weight is negative or not
///   finite, OUT_OF_MEMORY.
/// - Reference: `sklearn.metrics.confusion_matrix`.
func confusionMatrix<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ numClasses: Int, _ normalize: ConfusionNormalization, _ matrix: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(numClasses, numClasses) != nil else { return .invalidShape }
  let pairs = LabelPairs(predictions: pred, labels: y, weights: sampleWeight, count: count, classes: numClasses)
  return pairs.count(ConfusionTally(classes: numClasses)) { cells in
    guard let matrix else { return .ok }
    let c = numClasses
    switch normalize {
    case .none: break
    case .true: for i in 0..<c { normalizeLine(cells + i &* c, stride: 1, c) }
    case .pred: for j in 0..<c { normalizeLine(cells + j, stride: c, c) }
    case .all: normalizeLine(cells, stride: 1, c &* c)
    }
    for i in 0..<c &* c { matrix[i] = S(cells[i]) }
    return .ok
  }
}

private struct ConfusionTally: LabelTally {
  let classes: Int
  var cells: Int { classes &* classes }

  @inline(__always)
  func add(prediction: Int, label: Int, weight: Double, to table: UnsafeMutablePointer<Double>) {
    table[label &* classes &+ prediction] += weight
  }
}

private func normalizeLine(_ cells: UnsafeMutablePointer<Double>, stride: Int, _ count: Int) {
  var sum = 0.0
  for i in 0..<count { sum += cells[i &* stride] }
  for i in 0..<count { cells[i &* stride] = quotient(cells[i &* stride], sum) }
}
