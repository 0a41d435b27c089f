/// Similarity of an input to the training: how many of its nearest training samples in a row were predicted rightly and as
/// it is.
///
///     q_i = the length of the leading run of neighbors with train_y = train_pred = pred_i
///
/// - Parameters:
///   - trainY: `[trainCount]`, labels of the training.
///   - trainPred: `[trainCount]`, labels predicted for the training.
///   - neighbors: `[count, k]`, indices 0 ..< trainCount of training samples, from the nearest on.
///   - pred: `[count]`, predicted labels.
///   - trainCount: ≥ 0.
///   - count: ≥ 0.
///   - k: neighbors of each input, ≥ 0.
///   - q: output, `[count]`, 0 … k.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET for an index out of range.
/// - Reference: Schmaltz 2025, Similarity-Distance-Magnitude Universal Verification.
func sdmSimilarity(
  _ trainY: UnsafePointer<Int64>?, _ trainPred: UnsafePointer<Int64>?, _ neighbors: UnsafePointer<Int64>?,
  _ pred: UnsafePointer<Int64>?, _ trainCount: Int, _ count: Int, _ k: Int, _ q: UnsafeMutablePointer<Int64>?
) -> Status {
  guard elementCount(trainCount, 1) != nil, let size = elementCount(count, k) else { return .invalidShape }
  if count == 0 { return .ok }
  guard let pred, let q, size == 0 || neighbors != nil else { return .nullPointer }
  guard trainCount == 0 || (trainY != nil && trainPred != nil) else { return .nullPointer }
  guard let neighbors, let trainY, let trainPred else {
    // No neighbors, or none that exist.
    if size > 0 { return .invalidTarget }
    q.update(repeating: 0, count: count)
    return .ok
  }
  guard areIndices(neighbors, size, below: trainCount) else { return .invalidTarget }
  for i in 0..<count {
    var run = 0
    while run < k {
      let neighbor = Int(neighbors[i &* k &+ run])
      if trainY[neighbor] != pred[i] || trainPred[neighbor] != pred[i] { break }
      run &+= 1
    }
    q[i] = Int64(run)
  }
  return .ok
}

/// Similarity, rescaled by how usual the distance is.
///
///     out = cdf_value · log(2 + q)
///
/// - Parameters:
///   - q: `[count]`, similarities of `sdm_similarity`, ≥ 0.
///   - cdfValue: `[count]`, quantiles of `sdm_distance_quantile`.
///   - count: ≥ 0.
///   - rescaled: output, `[count]`; may be one of the inputs.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for q < 0.
/// - Reference: Schmaltz 2025, Similarity-Distance-Magnitude Universal Verification.
func sdmRescaledSimilarity<S: Scalar>(
  _ q: UnsafePointer<S>?, _ cdfValue: UnsafePointer<S>?, _ count: Int, _ rescaled: UnsafeMutablePointer<S>?
) -> Status {
  if let q, elementCount(count, 1) != nil, hasNegative(q, count) { return .invalidValue }
  return mapElements(RescaledSimilarity<S.Vector>(), q, cdfValue, count, rescaled)
}

private struct RescaledSimilarity<V: Lanes>: ElementMap {
  @inline(__always) func value(_ q: V, _ quantile: V) -> V { quantile * V.log(V(2) + q) }
}

/// How far an empirical distribution function of so many samples may be from the true one, by the
/// Dvoretzky–Kiefer–Wolfowitz inequality.
///
///     error = √(log(2 / (1 − alpha)) / (2 n))     (1 for n = 0)
///
/// - Parameters:
///   - sampleSize: n ≥ 0, `[count]`.
///   - count: ≥ 0.
///   - alpha: probability that it is not farther, in (0, 1), default 0.95.
///   - error: output, `[count]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for n < 0.
/// - Reference: Massart 1990, The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality.
func sdmDkwError<S: Scalar>(
  _ sampleSize: UnsafePointer<Int64>?, _ count: Int, _ alpha: Double, _ error: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  guard alpha > 0, alpha < 1 else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let sampleSize, let error else { return .nullPointer }
  guard areIndices(sampleSize, count, below: Int.max) else { return .invalidValue }
  let numerator = DoubleLanes.log(DoubleLanes(2 / (1 - alpha)))[0]
  for i in 0..<count {
    error[i] = S(sampleSize[i] == 0 ? 1 : (numerator / (2 * Double(sampleSize[i]))).squareRoot())
  }
  return .ok
}
