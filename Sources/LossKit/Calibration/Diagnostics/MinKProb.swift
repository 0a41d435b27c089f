/// Min-K% Prob: the mean of a text's least token log-probabilities. High where the text was likely seen in training.
///
///     score = mean of the max(1, ⌊k T + 1e-9⌋) smallest of T log-probabilities
///
/// - Parameters:
///   - tokenLogProbs: `[count]`.
///   - count: T, 0 ... 2³¹ − 1.
///   - k: share of the tokens, in (0, 1], default 0.2.
///   - score: output; NaN without tokens.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Shi et al. 2024, Detecting Pretraining Data from Large Language Models.
func minKProb<S: Scalar>(
  _ tokenLogProbs: UnsafePointer<S>?, _ count: Int, _ k: Double, _ score: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard k > 0, k <= 1 else { return .invalidParameter }
  guard let score, count == 0 || tokenLogProbs != nil else { return .nullPointer }
  guard let tokenLogProbs, count > 0 else {
    score.pointee = .nan
    return .ok
  }
  if hasNaN(tokenLogProbs, count) { return .invalidValue }
  return withWorkspace {
    (sorter: Sorter<UInt64>(&$0, capacity: count), values: $0.take(Double.self, count))
  } _: { memory in
    widen(tokenLogProbs, step: 1, memory.values, count)
    score.pointee = S(meanOfSmallest(memory.values, count, share: k, memory.sorter))
    return .ok
  }
}

/// Min-K%++: Min-K% of token log-probabilities that are standardised over the vocabulary.
///
///     u_t = (log p_{t,y} − μ_t) / √max(σ_t², eps),   μ = Σ_v p_v log p_v,   σ² = Σ_v p_v (log p_v − μ)²
///     score = mean of the max(1, ⌊k T + 1e-9⌋) smallest u
///
/// - Parameters:
///   - logits: `[count, classes]`, a row for each token. −inf is a masked token.
///   - y: `[count]`, the text's tokens 0 ..< classes.
///   - count: T, 0 ... 2³¹ − 1.
///   - classes: size of the vocabulary, ≥ 1.
///   - k: share of the tokens, in (0, 1], default 0.2.
///   - eps: > 0, finite, default 1e-12.
///   - score: output; NaN without tokens.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Zhang et al. 2025, Min-K%++: Improved Baseline for Detecting Pre-Training Data from Large Language Models.
func minKPlusPlus<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ k: Double, _ eps: Double,
  _ score: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 1, elementCount(count, classes) != nil, count <= largestSortCount else { return .invalidShape }
  guard k > 0, k <= 1, isPositive(eps) else { return .invalidParameter }
  guard let score, count == 0 || (logits != nil && y != nil) else { return .nullPointer }
  guard let logits, let y, count > 0 else {
    score.pointee = .nan
    return .ok
  }
  if let fault = tokenFault(logits, y, count, classes) { return fault }
  return withWorkspace {
    (sorter: Sorter<UInt64>(&$0, capacity: count), values: $0.take(Double.self, count))
  } _: { memory in
    forEachRow(
      count, size: 8 &* classes,
      StandardizedTokens(logits: logits, y: y, classes: classes, eps: eps, values: memory.values))
    score.pointee = S(meanOfSmallest(memory.values, count, share: k, memory.sorter))
    return .ok
  }
}

private struct StandardizedTokens<S: Scalar>: RowWork {
  let logits: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let classes: Int
  let eps: Double
  let values: UnsafeMutablePointer<Double>

  /// log p_y − μ is the mean distance less that of y.
  @inline(__always) func run(row: Int) {
    let token = TokenStatistics(logits + row &* classes, classes)
    let deviation = token.meanDistance - token.distance(Int(y[row]))
    let variance = token.variance
    values[row] = deviation / (variance < eps ? eps : variance).squareRoot()
  }
}

/// NaN if any number is.
private func meanOfSmallest(
  _ values: UnsafePointer<Double>, _ count: Int, share: Double, _ sorter: Sorter<UInt64>
) -> Double {
  for i in 0..<count where values[i].isNaN { return .nan }
  let items = sorter.sorted(count) { values[$0].ascendingKey }
  let n = Swift.max(1, Swift.min(count, Int(share * Double(count) + 1e-9)))
  var sum = 0.0
  for i in 0..<n { sum += values[Int(items[i].index)] }
  return sum / Double(n)
}
