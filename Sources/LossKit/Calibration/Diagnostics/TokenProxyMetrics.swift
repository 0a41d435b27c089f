/// How well a language model foresees an expert's tokens, as cheap proxies of its downstream performance.
///
///     nll = −log p_y,   entropy = −Σ p log p,   rank = 1 + #{v : z_v > z_y},   p = softmax(z)
///     aggregates = means over the tokens of nll, entropy, [rank ≤ k], rank, log rank, 1/rank
///
/// - Parameters:
///   - logits: z, `[count, classes]`, a row for each token. −inf is a masked token.
///   - y: `[count]`, the expert's tokens 0 ..< classes.
///   - count: number of tokens, ≥ 0.
///   - classes: size of the vocabulary, ≥ 1.
///   - k: ≥ 1, default 5.
///   - aggregates: optional output, `[6]`; NaN without tokens.
///   - nll: optional output, `[count]`.
///   - entropy: optional output, `[count]`.
///   - rank: optional output, `[count]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Forecasting Downstream Performance of LLMs With Proxy Metrics, 2025; reconstructed from its abstract.
func tokenProxyMetrics<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ k: Int,
  _ aggregates: UnsafeMutablePointer<S>?, _ nll: UnsafeMutablePointer<S>?, _ entropy: UnsafeMutablePointer<S>?,
  _ rank: UnsafeMutablePointer<Int64>?
) -> Status {
  guard classes >= 1, elementCount(count, classes) != nil else { return .invalidShape }
  guard k >= 1 else { return .invalidParameter }
  if count == 0 {
    aggregates?.update(repeating: .nan, count: 6)
    return .ok
  }
  guard let logits, let y else { return .nullPointer }
  if let fault = tokenFault(logits, y, count, classes) { return fault }
  return withWorkspace {
    TokenProxies<S>(
      logits: logits, y: y, classes: classes, nll: $0.take(Double.self, count), entropy: $0.take(Double.self, count),
      rank: $0.take(Int64.self, count))
  } _: { (tokens: inout TokenProxies<S>) in
    forEachRow(count, size: 4 &* classes, tokens)
    if let aggregates {
      var sums = InlineArray<6, Double>(repeating: 0)
      for i in 0..<count {
        let place = Double(tokens.rank[i])
        sums[0] += tokens.nll[i]
        sums[1] += tokens.entropy[i]
        sums[2] += tokens.rank[i] <= k ? 1 : 0
        sums[3] += place
        sums[4] += DoubleLanes.log(DoubleLanes(place))[0]
        sums[5] += 1 / place
      }
      for i in 0..<6 { aggregates[i] = S(sums[i] / Double(count)) }
    }
    if let nll { narrow(tokens.nll, nll, step: 1, count) }
    if let entropy { narrow(tokens.entropy, entropy, step: 1, count) }
    rank?.update(from: tokens.rank, count: count)
    return .ok
  }
}

private struct TokenProxies<S: Scalar>: RowWork {
  let logits: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let classes: Int
  let nll, entropy: UnsafeMutablePointer<Double>
  let rank: UnsafeMutablePointer<Int64>

  @inline(__always) func run(row: Int) {
    let token = TokenStatistics(logits + row &* classes, classes)
    let target = Int(y[row])
    nll[row] = token.logSum + token.distance(target)
    entropy[row] = token.logSum + token.meanDistance
    rank[row] = token.rank(target)
  }
}
