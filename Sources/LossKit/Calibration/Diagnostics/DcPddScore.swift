/// DC-PDD: the divergence of a text's token probabilities from the tokens' frequencies. High where the text was likely seen
/// in training.
///
///     f_v = (count_v + 1) / (Σ count + V),      score = mean of min(p_t log(1 / f_t), a)
///
/// over the first occurrences of the text's distinct tokens.
///
/// - Parameters:
///   - tokenLogProbs: log p, `[count]`.
///   - tokenIds: `[count]`, 0 ..< classes.
///   - tokenCounts: how often a reference corpus has each token, ≥ 0, `[classes]`.
///   - count: number of tokens, ≥ 0.
///   - classes: V, size of the vocabulary, ≥ 0.
///   - a: > 0, default 0.01; +inf is allowed.
///   - score: output; NaN without tokens.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN or a negative count,
///   OUT_OF_MEMORY.
/// - Reference: Zhang et al. 2024, Pretraining Data Detection for Large Language Models: A Divergence-based Calibration
///   Method.
func dcPddScore<S: Scalar>(
  _ tokenLogProbs: UnsafePointer<S>?, _ tokenIds: UnsafePointer<Int64>?, _ tokenCounts: UnsafePointer<Int64>?,
  _ count: Int, _ classes: Int, _ a: Double, _ score: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, elementCount(classes, 1) != nil else { return .invalidShape }
  guard a > 0 else { return .invalidParameter }
  guard let score, count == 0 || (tokenLogProbs != nil && tokenIds != nil), classes == 0 || tokenCounts != nil else {
    return .nullPointer
  }
  if let tokenCounts, !areIndices(tokenCounts, classes, below: Int.max) { return .invalidValue }
  guard let tokenLogProbs, let tokenIds, count > 0 else {
    score.pointee = .nan
    return .ok
  }
  guard areIndices(tokenIds, count, below: classes), let tokenCounts else { return .invalidTarget }
  if hasNaN(tokenLogProbs, count) { return .invalidValue }
  return withWorkspace {
    $0.take(Bool.self, classes)
  } _: { (isKnown: inout UnsafeMutablePointer<Bool>) in
    isKnown.update(repeating: false, count: classes)
    var total = Double(classes)
    for v in 0..<classes { total += Double(tokenCounts[v]) }
    var sum = 0.0
    var distinct = 0.0
    for t in 0..<count {
      let v = Int(tokenIds[t])
      if isKnown[v] { continue }
      isKnown[v] = true
      let p = DoubleLanes.exp(DoubleLanes(tokenLogProbs[t].double))[0]
      let rarity = DoubleLanes.log(DoubleLanes(total / (Double(tokenCounts[v]) + 1)))[0]
      sum += Swift.min(p * rarity, a)
      distinct += 1
    }
    score.pointee = S(sum / distinct)
    return .ok
  }
}
