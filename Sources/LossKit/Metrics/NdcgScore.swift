/// Normalised discounted cumulative gain of rankings.
///
///     DCG = Σ_{r ≤ k} gain(r) / log₂(r + 1),   NDCG = DCG / DCG of the documents in descending order of gain
///
/// Documents are ranked by score. With the ties `average`, every document of a group with equal scores gets the group's
/// mean gain, also where the cut goes through the group. An ideal DCG of 0 gives 0.
///
/// - Parameters:
///   - scores: `[queries, documents]`; ±∞ is allowed.
///   - relevance: `[queries, documents]`, ≥ 0 and finite.
///   - queries: number of rankings, ≥ 0.
///   - documents: in each of them, 0 … 2³¹ − 1.
///   - k: ranks that count, ≥ 1; `documents` or more for all.
///   - gain: of a relevance; `linear` is usual.
///   - ties: `average` is usual.
///   - value: optional output, the mean over all queries; NaN without queries.
///   - perQuery: optional output, `[queries]`.
/// - Errors: INVALID_VALUE if a score is NaN or a relevance negative or not finite, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Järvelin and Kekäläinen, Cumulated Gain-based Evaluation of IR Techniques, 2002; McSherry and Najork,
///   Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores, 2008.
func ndcgScore<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ relevance: UnsafePointer<S>?, _ queries: Int, _ documents: Int, _ k: Int,
  _ gain: RelevanceGain, _ ties: RankingTies, _ value: UnsafeMutablePointer<S>?, _ perQuery: UnsafeMutablePointer<S>?
) -> Status {
  let all = RankedQueries(scores: scores, relevance: relevance, queries: queries, documents: documents, cut: k)
  guard documents >= 0, documents <= largestSortCount else { return .invalidShape }
  let depth = max(min(k, documents), 0)
  return withWorkspace(layout: { $0.take(Double.self, depth) }) { discounts in
    for rank in 0..<depth { discounts[rank] = 1 / logarithm2(Double(rank &+ 2)) }
    let measure = DiscountedGain<S>(discounts: discounts, gain: gain, ties: ties)
    return all.measure(measure, mean: value, perQuery: perQuery)
  }
}

private func logarithm2(_ x: Double) -> Double { DoubleLanes.log2(DoubleLanes(x))[0] }

private struct DiscountedGain<S: Scalar>: RankingMeasure {
  let discounts: UnsafePointer<Double>
  let gain: RelevanceGain
  let ties: RankingTies

  @inline(__always) func faultOf(_ relevance: UnsafePointer<S>, _ count: Int) -> Status? {
    areWeights(relevance, count) ? nil : .invalidValue
  }

  @inline(__always) func value(_ query: RankedQuery<S>) -> Double? {
    let gains = query.numbers
    fillGains(query.relevance, query.documents, gains)
    var ideal = 0.0
    let order = query.best(query.relevance)
    for rank in 0..<query.depth { ideal += gains[Int(order[rank])] * discounts[rank] }
    return quotient(discountedGain(query, gains, query.best(query.scores)), ideal)
  }

  @inline(__always)
  private func fillGains(_ relevance: UnsafePointer<S>, _ count: Int, _ gains: UnsafeMutablePointer<Double>) {
    for i in 0..<count { gains[i] = relevance[i].double }
    if gain == .linear { return }
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      // 2^r − 1 = e^{r ln 2} − 1
      let r = DoubleLanes.load(gains + i, first: n, fill: 0)
      DoubleLanes.expm1(r * DoubleLanes(0.6931471805599453)).store(gains + i, first: n)
    }
  }

  @inline(__always)
  private func discountedGain(
    _ query: RankedQuery<S>, _ gains: UnsafePointer<Double>, _ order: UnsafePointer<Int32>
  ) -> Double {
    var sum = 0.0
    if ties == .index {
      for rank in 0..<query.depth { sum += gains[Int(order[rank])] * discounts[rank] }
      return sum
    }
    var rank = 0
    while rank < query.depth {
      let score = query.scores[Int(order[rank])]
      var total = 0.0
      var size = 0.0
      var discount = 0.0
      while rank < query.depth, query.scores[Int(order[rank])] == score {
        total += gains[Int(order[rank])]
        discount += discounts[rank]
        size += 1
        rank &+= 1
      }
      if rank == query.depth, rank < query.documents {
        // The group may go on behind the cut.
        total = 0
        size = 0
        for document in 0..<query.documents where query.scores[document] == score {
          total += gains[document]
          size += 1
        }
      }
      sum += total / size * discount
    }
    return sum
  }
}
