/// Specificity, the true negative rate: how many of the samples of other classes are predicted as others.
///
///     tn / (tn + fp),  tn + fp = N − sp,  fp = pp − tp;  0/0 = 0
///
/// with tp, pp, sp as in `precisionRecallFbeta`. `micro` adds numerators and denominators up over the classes first,
/// `macro` is the mean over the classes that occur (sp + pp > 0).
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - count: N, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - average: `none`, `micro` or `macro`; the last is usual.
///   - value: optional output, one number, or one for each class with average `none`.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Yerushalmy, Statistical Problems in Assessing Methods of Medical Diagnosis, 1947;
///   `torchmetrics.Specificity`.
func specificityScore<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ numClasses: Int, _ average: ClassAverage,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard average != .weighted else { return .invalidParameter }
  let pairs = LabelPairs<S>(predictions: pred, labels: y, weights: nil, count: count, classes: numClasses)
  return pairs.count(ClassTally(classes: numClasses)) { table in
    ClassCounts(table, numClasses).write(average, none: 0, to: value) {
      quotient($0.total - $0.actual - ($0.predicted - $0.hits), $0.total - $0.actual)
    }
    return .ok
  }
}

/// Jaccard index: intersection over union of the samples of a class and those predicted as it.
///
///     tp / (sp + pp − tp);  0/0 = 0
///
/// with tp, pp, sp as in `precisionRecallFbeta`. `micro` adds numerators and denominators up over the classes first,
/// `macro` is the mean over the classes that occur (sp + pp > 0), `weighted` that weighted by sp.
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - count: N, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - average: `macro` is usual.
///   - value: optional output, one number, or one for each class with average `none`.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, OUT_OF_MEMORY.
/// - Reference: Jaccard, The Distribution of the Flora in the Alpine Zone, 1912; `sklearn.metrics.jaccard_score`.
func jaccardScore<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ numClasses: Int, _ average: ClassAverage,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  let pairs = LabelPairs<S>(predictions: pred, labels: y, weights: nil, count: count, classes: numClasses)
  return pairs.count(ClassTally(classes: numClasses)) { table in
    ClassCounts(table, numClasses).write(average, none: 0, to: value) {
      quotient($0.hits, $0.actual + $0.predicted - $0.hits)
    }
    return .ok
  }
}
