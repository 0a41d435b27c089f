/// Group fairness: how the rates of a binary classifier differ between groups.
///
///     rates of a group: share predicted positive, TPR, FPR, accuracy; NaN where undefined
///     dp = max − min of the positive rates (demographic parity),  opp = the same of the TPRs (equal opportunity),
///     eo = the larger of the same of the TPRs and of the FPRs (equalized odds)
///
/// - Parameters:
///   - pred: `[count]`, predictions 0 and 1.
///   - y: `[count]`, labels 0 and 1.
///   - group: `[count]`, in 0 ..< numGroups.
///   - count: number of samples, ≥ 0.
///   - numGroups: ≥ 1.
///   - rates: optional output, `[numGroups, 4]`.
///   - dp: optional output. NaN rates do not count; NaN if no other is left, as for `eo` and `opp`.
///   - eo: optional output.
///   - opp: optional output.
/// - Errors: INVALID_TARGET if a prediction or label is neither 0 nor 1, or a group out of range.
/// - Reference: Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning, 2016.
func groupFairness<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ group: UnsafePointer<Int64>?, _ count: Int,
  _ numGroups: Int, _ rates: UnsafeMutablePointer<S>?, _ dp: UnsafeMutablePointer<S>?, _ eo: UnsafeMutablePointer<S>?,
  _ opp: UnsafeMutablePointer<S>?
) -> Status {
  guard numGroups >= 1, elementCount(count, 1) != nil, elementCount(numGroups, 4) != nil else { return .invalidShape }
  guard count == 0 || (pred != nil && y != nil && group != nil) else { return .nullPointer }
  return withWorkspace(layout: { $0.take(Outcomes.self, numGroups) }) { groups in
    groups.initialize(repeating: Outcomes(), count: numGroups)
    if count > 0, let pred, let y, let group {
      guard areIndices(pred, count, below: 2), areIndices(y, count, below: 2) else { return .invalidTarget }
      for i in 0..<count {
        guard group[i] >= 0, group[i] < Int64(numGroups) else { return .invalidTarget }
        groups[Int(group[i])].add(predicted: pred[i] == 1, actual: y[i] == 1)
      }
    }
    var spans = InlineArray<4, Span>(repeating: Span())
    for g in 0..<numGroups {
      let values = groups[g].rates
      for k in 0..<4 {
        rates?[4 &* g &+ k] = S(values[k])
        spans[k].add(values[k])
      }
    }
    let (truePositive, falsePositive) = (spans[1].width, spans[2].width)
    dp?.pointee = S(spans[0].width)
    opp?.pointee = S(truePositive)
    // Whichever is defined, if only one is.
    eo?.pointee = S(falsePositive > truePositive || truePositive.isNaN ? falsePositive : truePositive)
    return .ok
  }
}

/// The confusion matrix of a group.
private struct Outcomes {
  private var truePositives = 0.0, falsePositives = 0.0, trueNegatives = 0.0, falseNegatives = 0.0

  mutating func add(predicted: Bool, actual: Bool) {
    switch (predicted, actual) {
    case (true, true): truePositives += 1
    case (true, false): falsePositives += 1
    case (false, false): trueNegatives += 1
    case (false, true): falseNegatives += 1
    }
  }

  /// NaN where there is nothing to divide by.
  var rates: InlineArray<4, Double> {
    let positives = truePositives + falseNegatives
    let negatives = falsePositives + trueNegatives
    return [
      (truePositives + falsePositives) / (positives + negatives), truePositives / positives,
      falsePositives / negatives, (truePositives + trueNegatives) / (positives + negatives),
    ]
  }
}

/// From the least to the greatest of the numbers that are no NaN.
private struct Span {
  private var least = Double.infinity
  private var greatest = -Double.infinity

  mutating func add(_ x: Double) {
    if x < least { least = x }
    if x > greatest { greatest = x }
  }

  /// NaN if there are none.
  var width: Double { least <= greatest ? greatest - least : .nan }
}
