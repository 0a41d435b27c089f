/// False positive rate where the true positive rate first reaches a level: FPR@95TPR and its like.
///
///     t* = the highest threshold with tpr(t) ≥ τ − 10⁻¹²,  value = fpr(t*)
///
/// The points are those of `rocCurve`, with (0, 0) at +∞; there is no interpolation.
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - tpr: τ, in [0, 1]; 0.95 is usual.
///   - fpr: optional output, NaN if a class is absent.
///   - threshold: optional output, t*, NaN if a class is absent.
/// - Errors: INVALID_VALUE if a score is NaN, INVALID_TARGET if a label is neither 0 nor 1, INVALID_PARAMETER,
///   OUT_OF_MEMORY.
/// - Reference: Liang et al., Enhancing the Reliability of Out-of-distribution Image Detection in Neural Networks,
///   2018.
func fprAtTpr<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ tpr: Double,
  _ fpr: UnsafeMutablePointer<S>?, _ threshold: UnsafeMutablePointer<S>?
) -> Status {
  guard tpr >= 0, tpr <= 1 else { return .invalidParameter }
  return BinaryScores(scores: scores, y: y, sampleWeight: nil, count: count).withCurve { curve in
    guard let curve, curve.hasBothClasses else {
      fpr?.pointee = .nan
      threshold?.pointee = .nan
      return .ok
    }
    let all = curve.total
    let level = tpr - 1e-12
    var rate = 0.0
    var bar = S.infinity
    curve.forEachStep { from, to in
      if from.positives / all.positives < level, to.positives / all.positives >= level {
        rate = to.negatives / all.negatives
        bar = curve.threshold(to)
      }
    }
    fpr?.pointee = S(rate)
    threshold?.pointee = bar
    return .ok
  }
}

/// Equal error rate: where the ROC curve has as many false positives as false negatives.
///
///     EER = fpr = 1 − tpr,  linearly interpolated between the points of the curve
///
/// - Parameters:
///   - scores: `[count]`, higher for what is more likely of class 1; ±∞ is allowed.
///   - y: `[count]`, labels 0 and 1.
///   - count: number of samples, 0 … 2³¹ − 1.
///   - value: optional output, NaN if a class is absent.
/// - Errors: INVALID_VALUE if a score is NaN, INVALID_TARGET if a label is neither 0 nor 1, OUT_OF_MEMORY.
/// - Reference: Brümmer and de Villiers, The BOSARIS Toolkit User Guide, 2011.
func equalErrorRate<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ value: UnsafeMutablePointer<S>?
) -> Status {
  BinaryScores(scores: scores, y: y, sampleWeight: nil, count: count).withCurve { curve in
    guard let curve, curve.hasBothClasses else {
      value?.pointee = .nan
      return .ok
    }
    let all = curve.total
    var rate = 0.0
    curve.forEachStep { from, to in
      // fpr − (1 − tpr) rises from −1 to 1.
      let before = from.negatives / all.negatives + from.positives / all.positives - 1
      let after = to.negatives / all.negatives + to.positives / all.positives - 1
      if before < 0, after >= 0 {
        let crossing = from.negatives + (to.negatives - from.negatives) * (-before / (after - before))
        rate = crossing / all.negatives
      }
    }
    value?.pointee = S(rate)
    return .ok
  }
}
