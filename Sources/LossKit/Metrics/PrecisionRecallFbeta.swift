/// Precision, recall and F-score of every class, or averaged.
///
///     precision = tp / pp,  recall = tp / sp,  F = (1 + β²) tp / (β² sp + pp)
///
/// with tp the weight of the samples of class k predicted as k, pp of those predicted as k, sp of those of class k.
/// `micro` adds these up over the classes first; `macro` is the mean over the classes that occur (sp + pp > 0),
/// `weighted` that weighted by sp.
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - beta: β ≥ 0, the weight of recall; 1 is usual, with ∞ F is the recall.
///   - average: `macro` is usual.
///   - zeroDivision: the value where a denominator is 0, and where there is nothing to average; 0 is usual. NaN leaves
///     such classes out of averages.
///   - precision: optional output, one number, or one for each class with average `none`.
///   - recall: optional output, as `precision`.
///   - fScore: optional output, as `precision`.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, INVALID_VALUE if a weight is negative or not
///   finite, INVALID_PARAMETER if β is negative or NaN, OUT_OF_MEMORY.
/// - Reference: van Rijsbergen, Information Retrieval, 1979; `sklearn.metrics.precision_recall_fscore_support`.
func precisionRecallFbeta<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ numClasses: Int, _ beta: Double, _ average: ClassAverage, _ zeroDivision: Double,
  _ precision: UnsafeMutablePointer<S>?, _ recall: UnsafeMutablePointer<S>?, _ fScore: UnsafeMutablePointer<S>?
) -> Status {
  guard beta >= 0 else { return .invalidParameter }
  let pairs = LabelPairs(predictions: pred, labels: y, weights: sampleWeight, count: count, classes: numClasses)
  return pairs.count(ClassTally(classes: numClasses)) { table in
    let counts = ClassCounts(table, numClasses)
    // β² and 1, scaled so that none overflows.
    let scale = max(1, beta * beta)
    let (ofRecall, ofPrecision) = scale < .infinity ? (beta * beta / scale, 1 / scale) : (1, 0)
    counts.write(average, none: zeroDivision, to: precision) { quotient($0.hits, $0.predicted, none: zeroDivision) }
    counts.write(average, none: zeroDivision, to: recall) { quotient($0.hits, $0.actual, none: zeroDivision) }
    counts.write(average, none: zeroDivision, to: fScore) {
      quotient(
        (ofRecall + ofPrecision) * $0.hits, ofRecall * $0.actual + ofPrecision * $0.predicted, none: zeroDivision)
    }
    return .ok
  }
}
