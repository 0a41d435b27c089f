/// Precision against recall, over all thresholds.
///
///     precision(t) = Σ w_i [s_i ≥ t, y_i = 1] / Σ w_i [s_i ≥ t]
///     recall(t) = Σ w_i [s_i ≥ t, y_i = 1] / Σ w_i [y_i = 1]
///
/// One point for each distinct score, in ascending order of the threshold, then (1, 0), which has no threshold. Without
/// positives recall is 1; precision is 0 where no weight reaches the threshold. The curve of no samples has no point.
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - precision: optional output, `[capacity]`.
///   - recall: optional output, `[capacity]`.
///   - thresholds: optional output, `[capacity]`, of which the last that the others use is not.
///   - capacity: entries that the outputs have room for; `count` + 1 always suffice. If there are more points:
///     BUFFER_TOO_SMALL, and `pointCount` is the number needed.
///   - pointCount: output, the number of points, with (1, 0).
/// - Errors: INVALID_VALUE if a score is NaN or a weight negative or not finite, INVALID_TARGET if a label is neither 0
///   nor 1, BUFFER_TOO_SMALL, OUT_OF_MEMORY.
/// - Reference: Raghavan et al., A Critical Investigation of Recall and Precision as Measures of Retrieval System
///   Performance, 1989; `sklearn.metrics.precision_recall_curve`.
func precisionRecallCurve<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ precision: UnsafeMutablePointer<S>?, _ recall: UnsafeMutablePointer<S>?, _ thresholds: UnsafeMutablePointer<S>?,
  _ capacity: Int, _ pointCount: UnsafeMutablePointer<Int>?
) -> Status {
  let binary = BinaryScores(scores: scores, y: y, sampleWeight: sampleWeight, count: count)
  return binary.writeCurve(capacity, pointCount) { curve, points in
    precision?[points - 1] = 1
    recall?[points - 1] = 0
    let all = curve.total
    var point = points &- 1
    curve.forEachStep { _, to in
      point &-= 1
      precision?[point] = S(to.precision)
      recall?[point] = all.positives > 0 ? S(to.positives / all.positives) : 1
      thresholds?[point] = curve.threshold(to)
    }
  }
}

/// Average precision: the area under the precision–recall curve by the step rule.
///
///     AP = Σ_t (recall(t) − recall(t⁺)) precision(t),  t over the distinct scores, t⁺ the next higher one
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - value: optional output; 0 without positives, NaN without samples.
/// - Errors: INVALID_VALUE if a score is NaN or a weight negative or not finite, INVALID_TARGET if a label is neither 0
///   nor 1, OUT_OF_MEMORY.
/// - Reference: Zhu, Recall, Precision and Average Precision, 2004; `sklearn.metrics.average_precision_score`.
func averagePrecision<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  BinaryScores(scores: scores, y: y, sampleWeight: sampleWeight, count: count).withCurve { curve in
    guard let curve else {
      value?.pointee = .nan
      return .ok
    }
    let positives = curve.total.positives
    value?.pointee = positives > 0 ? S(curve.sum(PrecisionStep()) / positives) : 0
    return .ok
  }
}

private struct PrecisionStep<S: Scalar>: CurveTerm {
  @inline(__always) func term(from: CurvePoint<S>, to: CurvePoint<S>) -> Double {
    (to.positives - from.positives) * to.precision
  }
}

extension CurvePoint {
  @inline(__always) fileprivate var precision: Double { positives > 0 ? positives / (positives + negatives) : 0 }
}
