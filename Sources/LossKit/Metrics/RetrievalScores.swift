// Measures of rankings with relevant documents and others. A document is relevant if its relevance is greater than 0;
// documents with equal scores rank in the order of their indices.

/// Mean reciprocal rank: how early the first relevant document comes.
///
///     RR = 1 / rank of the first relevant document, if that is ≤ k, else 0
///
/// - Parameters:
///   - scores: `[queries, documents]`; ±∞ is allowed.
///   - relevance: `[queries, documents]`; what is > 0 is relevant.
///   - queries: number of rankings, ≥ 0.
///   - documents: in each of them, 0 … 2³¹ − 1.
///   - k: ranks that count, ≥ 1; `documents` or more for all.
///   - value: optional output, the mean over the queries with a relevant document; 0 if there is none, NaN without
///     queries.
///   - perQuery: optional output, `[queries]`; 0 without a relevant document.
/// - Errors: INVALID_VALUE if a score or a relevance is NaN, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Voorhees, The TREC-8 Question Answering Track Report, 1999.
func meanReciprocalRank<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ relevance: UnsafePointer<S>?, _ queries: Int, _ documents: Int, _ k: Int,
  _ value: UnsafeMutablePointer<S>?, _ perQuery: UnsafeMutablePointer<S>?
) -> Status {
  RankedQueries(scores: scores, relevance: relevance, queries: queries, documents: documents, cut: k)
    .measure(ReciprocalRank(), mean: value, perQuery: perQuery)
}

/// Recall at k: how many of the relevant documents are among the first k.
///
///     hits among the first k / relevant documents
///
/// - Parameters:
///   - scores: `[queries, documents]`; ±∞ is allowed.
///   - relevance: `[queries, documents]`; what is > 0 is relevant.
///   - queries: number of rankings, ≥ 0.
///   - documents: in each of them, 0 … 2³¹ − 1.
///   - k: ranks that count, ≥ 1; 10 is usual.
///   - value: optional output, the mean over the queries with a relevant document; 0 if there is none, NaN without
///     queries.
///   - perQuery: optional output, `[queries]`; 0 without a relevant document.
/// - Errors: INVALID_VALUE if a score or a relevance is NaN, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Manning et al., Introduction to Information Retrieval, 2008.
func recallAtK<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ relevance: UnsafePointer<S>?, _ queries: Int, _ documents: Int, _ k: Int,
  _ value: UnsafeMutablePointer<S>?, _ perQuery: UnsafeMutablePointer<S>?
) -> Status {
  RankedQueries(scores: scores, relevance: relevance, queries: queries, documents: documents, cut: k)
    .measure(HitRate(cut: nil), mean: value, perQuery: perQuery)
}

/// Precision at k: how many of the first k documents are relevant.
///
///     hits among the first k / k,  also where there are fewer than k documents
///
/// - Parameters:
///   - scores: `[queries, documents]`; ±∞ is allowed.
///   - relevance: `[queries, documents]`; what is > 0 is relevant.
///   - queries: number of rankings, ≥ 0.
///   - documents: in each of them, 0 … 2³¹ − 1.
///   - k: ranks that count, ≥ 1; 10 is usual.
///   - value: optional output, the mean over the queries with a relevant document; 0 if there is none, NaN without
///     queries.
///   - perQuery: optional output, `[queries]`; 0 without a relevant document.
/// - Errors: INVALID_VALUE if a score or a relevance is NaN, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Manning et al., Introduction to Information Retrieval, 2008.
func precisionAtK<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ relevance: UnsafePointer<S>?, _ queries: Int, _ documents: Int, _ k: Int,
  _ value: UnsafeMutablePointer<S>?, _ perQuery: UnsafeMutablePointer<S>?
) -> Status {
  RankedQueries(scores: scores, relevance: relevance, queries: queries, documents: documents, cut: k)
    .measure(HitRate(cut: k), mean: value, perQuery: perQuery)
}

/// Mean average precision of rankings: the mean precision at the ranks of the relevant documents.
///
///     AP = Σ_{r ≤ k} (hits among the first r / r) [document at rank r is relevant] / min(relevant documents, k)
///
/// - Parameters:
///   - scores: `[queries, documents]`; ±∞ is allowed.
///   - relevance: `[queries, documents]`; what is > 0 is relevant.
///   - queries: number of rankings, ≥ 0.
///   - documents: in each of them, 0 … 2³¹ − 1.
///   - k: ranks that count, ≥ 1; `documents` or more for all.
///   - value: optional output, the mean over the queries with a relevant document; 0 if there is none, NaN without
///     queries.
///   - perQuery: optional output, `[queries]`; 0 without a relevant document.
/// - Errors: INVALID_VALUE if a score or a relevance is NaN, INVALID_PARAMETER, OUT_OF_MEMORY.
/// - Reference: Buckley and Voorhees, Evaluating Evaluation Measure Stability, 2000.
func meanAveragePrecision<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ relevance: UnsafePointer<S>?, _ queries: Int, _ documents: Int, _ k: Int,
  _ value: UnsafeMutablePointer<S>?, _ perQuery: UnsafeMutablePointer<S>?
) -> Status {
  RankedQueries(scores: scores, relevance: relevance, queries: queries, documents: documents, cut: k)
    .measure(MeanPrecision(), mean: value, perQuery: perQuery)
}

extension RankedQuery {
  @inline(__always) fileprivate func isRelevant(_ document: Int) -> Bool { relevance[document] > 0 }

  /// How many documents are.
  @inline(__always) fileprivate var relevantCount: Int {
    var total = 0
    forEachVector(S.Vector.self, 0..<documents) { i, n in
      total &+= (S.Vector.zero .< S.Vector.load(relevance + i, lanes: n)).maskBits.nonzeroBitCount
    }
    return total
  }
}

/// The best relevant document is found without sorting, and how many come before it by counting.
private struct ReciprocalRank<S: Scalar>: RankingMeasure {
  @inline(__always) func value(_ query: RankedQuery<S>) -> Double? {
    var first = -1
    for document in 0..<query.documents where query.isRelevant(document) {
      if first < 0 || query.scores[document] > query.scores[first] { first = document }
    }
    if first < 0 { return nil }
    typealias V = S.Vector
    let score = V(query.scores[first])
    var rank = 1
    forEachVector(V.self, 0..<first) { i, n in
      rank &+= ((score .<= V.load(query.scores + i, lanes: n)) & V.Integers.first(n)).maskBits.nonzeroBitCount
    }
    forEachVector(V.self, first..<query.documents) { i, n in
      rank &+= ((score .< V.load(query.scores + i, lanes: n)) & V.Integers.first(n)).maskBits.nonzeroBitCount
    }
    return rank <= query.depth ? 1 / Double(rank) : 0
  }
}

private struct HitRate<S: Scalar>: RankingMeasure {
  /// What hits are divided by; nil for the number of relevant documents.
  let cut: Int?

  @inline(__always) func value(_ query: RankedQuery<S>) -> Double? {
    let relevant = query.relevantCount
    if relevant == 0 { return nil }
    let order = query.best(query.scores)
    var hits = 0
    for rank in 0..<query.depth where query.isRelevant(Int(order[rank])) { hits &+= 1 }
    return Double(hits) / Double(cut ?? relevant)
  }
}

private struct MeanPrecision<S: Scalar>: RankingMeasure {
  @inline(__always) func value(_ query: RankedQuery<S>) -> Double? {
    let relevant = query.relevantCount
    if relevant == 0 { return nil }
    let order = query.best(query.scores)
    var hits = 0.0
    var sum = 0.0
    for rank in 0..<query.depth where query.isRelevant(Int(order[rank])) {
      hits += 1
      sum += hits / Double(rank &+ 1)
    }
    return sum / Double(min(relevant, query.depth))
  }
}
