/// Area under the ROC curve: the probability that a positive scores higher than a negative, ties counted by half.
///
///     AUC = Σ_steps Δfpr (tpr + tpr′) / 2 = P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)
///     a = the area up to fpr ≤ f, linearly interpolated;  standardised  ½ (1 + (a − f²/2) / (f − f²/2))
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - maxFpr: f, in (0, 1]; 1 for the whole area.
///   - value: optional output, the area; NaN if a class is absent (or has no weight).
/// - Errors: INVALID_VALUE if a score is NaN or a weight negative or not finite, INVALID_TARGET if a label is neither 0
///   nor 1, OUT_OF_MEMORY.
/// - Reference: Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982; McClish, Analyzing a
///   Portion of the ROC Curve, 1989 (`maxFpr`).
func rocAuc<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ maxFpr: Double, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard maxFpr > 0, maxFpr <= 1 else { return .invalidParameter }
  return BinaryScores(scores: scores, y: y, sampleWeight: sampleWeight, count: count).withCurve { curve in
    let area = curve?.area(maxFpr: maxFpr) ?? .nan
    let chance = maxFpr * maxFpr / 2
    value?.pointee = S(maxFpr == 1 ? area : (1 + (area - chance) / (maxFpr - chance)) / 2)
    return .ok
  }
}

/// How well a score tells two samples apart: the probability that one of the first scores higher than one of the
/// second.
///
///     AUROC = P(in > out) + ½ P(in = out)
///
/// - Parameters:
///   - scoresIn: `[inCount]`, the scores of what should score high.
///   - scoresOut: `[outCount]`, the scores of what should score low.
///   - inCount: number of the former, ≥ 0; both together 2³¹ − 1 at most.
///   - outCount: number of the latter, ≥ 0.
///   - value: optional output; NaN if either is empty.
/// - Errors: INVALID_VALUE if a score is NaN, OUT_OF_MEMORY.
/// - Reference: Hendrycks and Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples, 2017.
func detectionAuroc<S: Scalar>(
  _ scoresIn: UnsafePointer<S>?, _ scoresOut: UnsafePointer<S>?, _ inCount: Int, _ outCount: Int,
  _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard inCount >= 0, outCount >= 0, inCount <= largestSortCount, outCount <= largestSortCount - inCount else {
    return .invalidShape
  }
  guard inCount == 0 || scoresIn != nil, outCount == 0 || scoresOut != nil else { return .nullPointer }
  let count = inCount + outCount
  return withWorkspace(layout: { (scores: $0.take(S.self, count), labels: LabelBits(&$0, count: count)) }) { memory in
    if let scoresIn { memory.scores.update(from: scoresIn, count: inCount) }
    if let scoresOut { (memory.scores + inCount).update(from: scoresOut, count: outCount) }
    memory.labels.fill(count) { $0 < inCount }
    var area = Double.nan
    if count > 0 {
      let status = LabelledScores(scores: memory.scores, labels: memory.labels, weights: nil, count: count).area(&area)
      guard status == .ok else { return status }
    }
    value?.pointee = S(area)
    return .ok
  }
}
