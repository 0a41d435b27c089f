/// Risk-coverage curve of selective prediction: the mean risk of the k most confident predictions, for each k.
///
///     coverage_k = k/N, risk_k = 1/k Σ_{i ≤ k} risk_i, i in descending order of confidence, equal ones in that of rows
///
/// - Parameters:
///   - confidence: `[count]`; infinities are allowed.
///   - risk: `[count]`, ≥ 0: 0/1 errors or any loss.
///   - count: N, 0 to 2³¹ − 1.
///   - coverage: optional output, `[count]`.
///   - selectiveRisk: optional output, `[count]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a confidence is NaN or a risk negative or NaN, OUT_OF_MEMORY.
/// - Reference: Geifman and El-Yaniv, Selective Classification for Deep Neural Networks, 2017.
func riskCoverageCurve<S: Scalar>(
  _ confidence: UnsafePointer<S>?, _ risk: UnsafePointer<S>?, _ count: Int, _ coverage: UnsafeMutablePointer<S>?,
  _ selectiveRisk: UnsafeMutablePointer<S>?
) -> Status {
  withSortedRisks(confidence, risk, count, whenEmpty: {}) { sorter, risk in
    let order = sorter.sorted(count) { confidence.unsafelyUnwrapped[$0].descendingKey }
    let n = Double(count)
    var sum = 0.0
    for k in 0..<count {
      sum += risk[Int(order[k].index)].double
      coverage?[k] = S(Double(k + 1) / n)
      selectiveRisk?[k] = S(sum / Double(k + 1))
    }
  }
}

/// Area under the risk-coverage curve, and its excess over that of the best order.
///
///     AURC = mean_k risk_k,   E-AURC = AURC − the same with the risks in ascending order
///
/// - Parameters:
///   - confidence: `[count]`; infinities are allowed.
///   - risk: `[count]`, ≥ 0: 0/1 errors or any loss.
///   - count: N, 0 to 2³¹ − 1; with N = 0 both are NaN.
///   - area: optional output, AURC.
///   - excess: optional output, E-AURC.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a confidence is NaN or a risk negative or NaN, OUT_OF_MEMORY.
/// - Reference: Geifman, Uziel and El-Yaniv, Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers, 2019.
func aurc<S: Scalar>(
  _ confidence: UnsafePointer<S>?, _ risk: UnsafePointer<S>?, _ count: Int, _ area: UnsafeMutablePointer<S>?,
  _ excess: UnsafeMutablePointer<S>?
) -> Status {
  withSortedRisks(confidence, risk, count, whenEmpty: { setUndefined(area, excess) }) { sorter, risk in
    @inline(__always) func meanRisk(_ key: (Int) -> S.Bits) -> Double {
      let order = sorter.sorted(count, key)
      var sum = 0.0
      var total = 0.0
      for k in 0..<count {
        sum += risk[Int(order[k].index)].double
        total += sum / Double(k + 1)
      }
      return total / Double(count)
    }
    let found = meanRisk { confidence.unsafelyUnwrapped[$0].descendingKey }
    area?.pointee = S(found)
    excess?.pointee = S(found - meanRisk { risk[$0].ascendingKey })
  }
}

@inline(__always)
private func withSortedRisks<S: Scalar>(
  _ confidence: UnsafePointer<S>?, _ risk: UnsafePointer<S>?, _ count: Int, whenEmpty: () -> Void,
  _ body: (Sorter<S.Bits>, UnsafePointer<S>) -> Void
) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  if count == 0 {
    whenEmpty()
    return .ok
  }
  guard let confidence, let risk else { return .nullPointer }
  guard !hasNaN(confidence, count), areNonNegative(risk, count) else { return .invalidValue }
  return withWorkspace(layout: { Sorter<S.Bits>(&$0, capacity: count) }) { sorter in
    body(sorter, risk)
    return .ok
  }
}
