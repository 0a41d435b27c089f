/// The arguments that all measures of ranked binary scores take.
struct BinaryScores<S: Scalar> {
  let scores: UnsafePointer<S>?
  let y: UnsafePointer<Int64>?
  let sampleWeight: UnsafePointer<S>?
  let count: Int

  /// Checks the arguments and runs `body` with the curve, or without one where there are no samples.
  @inline(__always) func withCurve(_ body: (RankingCurve<S>?) -> Status) -> Status {
    guard count >= 0, count <= largestSortCount else { return .invalidShape }
    if count == 0 { return body(nil) }
    guard let scores, let y else { return .nullPointer }
    guard areWeights(sampleWeight, count) else { return .invalidValue }
    return withWorkspace(layout: { LabelBits(&$0, count: count) }) { labels in
      guard labels.fill(count, y) else { return .invalidTarget }
      return withRankingCurve(
        LabelledScores(scores: scores, labels: labels, weights: sampleWeight, count: count), body)
    }
  }

  /// Runs `body` with the curve and the number of points to be written, one more than it has; not without samples.
  @inline(__always)
  func writeCurve(
    _ capacity: Int, _ pointCount: UnsafeMutablePointer<Int>?, _ body: (RankingCurve<S>, Int) -> Void
  ) -> Status {
    guard capacity >= 0 else { return .invalidShape }
    guard let pointCount else { return .nullPointer }
    return withCurve { curve in
      let points = curve.map { $0.count + 1 } ?? 0
      pointCount.pointee = points
      guard points <= capacity else { return .bufferTooSmall }
      if let curve { body(curve, points) }
      return .ok
    }
  }
}

extension LabelledScores {
  /// Writes the area under the ROC curve, NaN where a class is absent; `invalidValue` if a score is NaN.
  func area(_ area: inout Double) -> Status {
    withRankingCurve(self) { curve in
      area = curve.area()
      return .ok
    }
  }
}

extension RankingCurve {
  var hasBothClasses: Bool { total.positives > 0 && total.negatives > 0 }

  /// The area under the ROC curve up to a false positive rate, NaN where a class is absent.
  @inline(__always) func area(maxFpr: Double = 1) -> Double {
    guard hasBothClasses else { return .nan }
    let limit = maxFpr * total.negatives
    return sum(DoubledRocArea(limit: limit)) / 2 / (total.positives * total.negatives)
  }
}

/// Twice the trapezoid below a step, as far as the negatives do not exceed a limit.
private struct DoubledRocArea<S: Scalar>: CurveTerm {
  let limit: Double

  @inline(__always) func term(from: CurvePoint<S>, to: CurvePoint<S>) -> Double {
    let width = to.negatives - from.negatives
    if to.negatives <= limit { return width * (from.positives + to.positives) }
    if from.negatives >= limit { return 0 }
    let part = limit - from.negatives
    return part * (from.positives + from.positives + (to.positives - from.positives) * (part / width))
  }
}
