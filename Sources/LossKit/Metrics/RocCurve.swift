/// The receiver operating characteristic: true against false positive rate, over all thresholds.
///
///     tpr(t) = Σ w_i [s_i ≥ t, y_i = 1] / Σ w_i [y_i = 1],   fpr(t) = Σ w_i [s_i ≥ t, y_i = 0] / Σ w_i [y_i = 0]
///
/// One point for each distinct score, from the highest down, after (0, 0) at the threshold +∞; none is dropped. The
/// rate of a class that is absent (or has no weight) stays 0. The curve of no samples has no point.
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - fpr: optional output, `[capacity]`.
///   - tpr: optional output, `[capacity]`.
///   - thresholds: optional output, `[capacity]`.
///   - capacity: entries that the outputs have room for; `count` + 1 always suffice. If there are more points:
///     BUFFER_TOO_SMALL, and `pointCount` is the number needed.
///   - pointCount: output, the number of points.
/// - Errors: INVALID_VALUE if a score is NaN or a weight negative or not finite, INVALID_TARGET if a label is neither 0
///   nor 1, BUFFER_TOO_SMALL, OUT_OF_MEMORY.
/// - Reference: Fawcett, An Introduction to ROC Analysis, 2006; `sklearn.metrics.roc_curve` with
///   `drop_intermediate=False`.
func rocCurve<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ fpr: UnsafeMutablePointer<S>?, _ tpr: UnsafeMutablePointer<S>?, _ thresholds: UnsafeMutablePointer<S>?,
  _ capacity: Int, _ pointCount: UnsafeMutablePointer<Int>?
) -> Status {
  let binary = BinaryScores(scores: scores, y: y, sampleWeight: sampleWeight, count: count)
  return binary.writeCurve(capacity, pointCount) { curve, _ in
    fpr?[0] = 0
    tpr?[0] = 0
    thresholds?[0] = .infinity
    let all = curve.total
    var point = 1
    curve.forEachStep { _, to in
      fpr?[point] = all.negatives > 0 ? S(to.negatives / all.negatives) : 0
      tpr?[point] = all.positives > 0 ? S(to.positives / all.positives) : 0
      thresholds?[point] = curve.threshold(to)
      point &+= 1
    }
  }
}
