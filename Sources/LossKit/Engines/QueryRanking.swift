// Queries, each with documents that have scores and relevances: what measures of retrieval look at.

/// What a ranking of documents is worth.
protocol RankingMeasure {
  associatedtype S: Scalar
  /// The value of one query; nil where it has none, so that it does not count in the mean (its own value is 0).
  func value(_ query: RankedQuery<S>) -> Double?
  /// Why relevances may not be measured, if they may not.
  func faultOf(_ relevance: UnsafePointer<S>, _ count: Int) -> Status?
}

extension RankingMeasure {
  @inline(__always) func faultOf(_ relevance: UnsafePointer<S>, _ count: Int) -> Status? {
    hasNaN(relevance, count) ? .invalidValue : nil
  }
}

/// The documents of a query.
struct RankedQuery<S: Scalar> {
  let scores: UnsafePointer<S>
  let relevance: UnsafePointer<S>
  let documents: Int
  /// So many of the first are looked at: the cut, but not more than there are.
  let depth: Int
  fileprivate let memory: QueryMemory<S>

  /// Room for a number for each document.
  @inline(__always) var numbers: UnsafeMutablePointer<Double> { memory.numbers }

  /// The documents with the `depth` highest of `values`, from the highest down, of equal ones the first first. Valid
  /// until the next call.
  func best(_ values: UnsafePointer<S>) -> UnsafePointer<Int32> {
    let items = memory.sorter.items
    let places = memory.places
    // Selecting pays where it leaves little to sort.
    if depth < documents / 4 {
      var selection = memory.selection
      for document in 0..<documents { selection.insert(values[document], document) }
      selection.finish()
      for i in 0..<selection.count {
        items[i] = SortItem(
          key: selection.scores[i].descendingKey, index: UInt32(truncatingIfNeeded: selection.positions[i]))
      }
    } else {
      for document in 0..<documents {
        items[document] = SortItem(key: values[document].descendingKey, index: UInt32(truncatingIfNeeded: document))
      }
    }
    let sorted = memory.sorter.sort(depth < documents / 4 ? depth : documents)
    for place in 0..<depth { places[place] = Int32(truncatingIfNeeded: sorted[place].index) }
    return UnsafePointer(places)
  }
}

private struct QueryMemory<S: Scalar> {
  let sorter: Sorter<S.Bits>
  let selection: BestCandidates<S>
  let places: UnsafeMutablePointer<Int32>
  let numbers: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, documents: Int, depth: Int) {
    sorter = Sorter(&arena, capacity: documents)
    selection = BestCandidates(&arena, limit: max(depth, 1), total: max(documents, 1))
    places = arena.take(Int32.self, depth)
    numbers = arena.take(Double.self, documents)
  }
}

/// Scores and relevances as a function got them, shaped `[queries, documents]`.
struct RankedQueries<S: Scalar> {
  let scores: UnsafePointer<S>?
  let relevance: UnsafePointer<S>?
  let queries: Int
  let documents: Int
  /// Ranks from the cut on do not count.
  let cut: Int

  /// Checks the arguments, measures each query and writes the values and their mean, which is NaN without queries and 0
  /// if none of them counts.
  @inline(__always)
  func measure<Measure: RankingMeasure>(
    _ measure: Measure, mean: UnsafeMutablePointer<S>?, perQuery: UnsafeMutablePointer<S>?
  ) -> Status where Measure.S == S {
    guard let size = elementCount(queries, documents), elementCount(queries, MemoryLayout<Double>.stride) != nil,
      documents <= largestSortCount
    else { return .invalidShape }
    guard cut >= 1 else { return .invalidParameter }
    guard size == 0 || (scores != nil && relevance != nil) else { return .nullPointer }
    if size > 0, let scores, let relevance {
      guard !hasNaN(scores, size) else { return .invalidValue }
      if let fault = measure.faultOf(relevance, size) { return fault }
    }
    let depth = min(cut, documents)
    let split = Split(queries, smallest: max((queries + 7) / 8, 8192 / max(documents, 1), 1))
    // Each part has a block of its own.
    let block = bytesTaken { QueryMemory<S>(&$0, documents: documents, depth: depth) }
    guard let bytes = elementCount(split.parts, block) else { return .outOfMemory }
    return withWorkspace(layout: { (blocks: $0.take(UInt8.self, bytes), values: $0.take(Double.self, queries)) }) {
      arrays in
      let job = QueryJob(
        all: self, measure: measure, depth: depth, split: split, blocks: arrays.blocks, block: block,
        values: arrays.values)
      parallel(split.parts, job)
      var sum = 0.0
      var counted = 0.0
      for query in 0..<queries {
        let value = arrays.values[query]
        perQuery?[query] = value == QueryJob<Measure>.uncounted ? 0 : S(value)
        if value == QueryJob<Measure>.uncounted { continue }
        sum += value
        counted += 1
      }
      mean?.pointee = S(queries == 0 ? .nan : quotient(sum, counted))
      return .ok
    }
  }
}

private struct QueryJob<Measure: RankingMeasure>: ParallelJob {
  typealias S = Measure.S
  let all: RankedQueries<S>
  let measure: Measure
  let depth: Int
  let split: Split
  let blocks: UnsafeMutablePointer<UInt8>
  let block: Int
  let values: UnsafeMutablePointer<Double>

  /// Stands for a query that has no value: none is negative.
  static var uncounted: Double { -1 }

  func run(part: Int) {
    var arena = Arena(UnsafeMutableRawPointer(blocks + part &* block))
    let memory = QueryMemory<S>(&arena, documents: all.documents, depth: depth)
    for query in split.range(part) {
      guard all.documents > 0, let scores = all.scores, let relevance = all.relevance else {
        values[query] = Self.uncounted
        continue
      }
      let start = query &* all.documents
      let one = RankedQuery(
        scores: scores + start, relevance: relevance + start, documents: all.documents, depth: depth,
        memory: memory)
      values[query] = measure.value(one) ?? Self.uncounted
    }
  }
}
