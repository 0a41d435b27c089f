/// Bins whose edges follow from the sorted confidences: quantile, midpoint, rank.
struct SortedBins {
  let count: Int
  let binning: Binning
  let edge: BinEdge

  /// Bins of a view: `leftExtra` has one more, for confidence 1.
  var total: Int { edge == .leftExtra ? count + 1 : count }

  /// Adds the confidences of every view of `rows` to its bins: `bins[view * total + index]`. Nothing is added unless
  /// the result is `ok`. Allocates 32 bytes a row, of which there are `largestSortCount` at most.
  ///
  /// - Parameters:
  ///   - edges: if wanted, `[count + 1]`: the edges of the last view.
  ///   - indices: if wanted, the bin of each element of view v: `indices[v * rows.count + row]`.
  ///   - threshold: lower confidences are left out.
  func add<S: Scalar>(
    _ rows: ConfidenceRows<S>, to bins: UnsafeMutablePointer<Bin>, edges: UnsafeMutablePointer<Double>?,
    indices: UnsafeMutablePointer<Int32>?, from threshold: Double = 0
  ) -> Status {
    let n = rows.count
    return withWorkspace(layout: {
      (sorter: ConfidenceSorter<S>(&$0, capacity: n), edges: $0.take(Double.self, count + 1))
    }) { memory in
      let status = memory.sorter.take(rows)
      if status != .ok { return status }
      for view in 0..<rows.views {
        let sorted = memory.sorter.sorted(rows, view: view, from: threshold)
        let used = setEdges(memory.edges, sorted)
        distribute(sorted, memory.edges, used, bins + view &* total, indices.map { $0 + view &* n })
      }
      edges?.update(from: memory.edges, count: count + 1)
      return .ok
    }
  }

  /// Writes all `count + 1` edges and returns how many inner edges are in use.
  private func setEdges<C: Scalar>(_ edges: UnsafeMutablePointer<Double>, _ sorted: SortedConfidences<C>) -> Int {
    let n = sorted.count
    edges.initialize(repeating: 1, count: count + 1)
    edges[0] = 0
    if n == 0 { return 0 }
    switch binning {
    case .uniform, .rank:
      // ⌈b·n / count⌉, in parts that do not overflow.
      for b in 1..<max(count, 1) {
        let rank = b &* (n / count) &+ (b &* (n % count) &+ count &- 1) / count
        if rank < n { edges[b] = sorted.confidence(rank) }
      }
      return count - 1
    case .quantile:
      for b in 1..<max(count, 1) {
        let part = b &* ((n &- 1) % count)
        let position = b &* ((n &- 1) / count) &+ part / count
        let below = sorted.confidence(position)
        let above = sorted.confidence(min(position &+ 1, n &- 1))
        edges[b] = below + (above - below) * (Double(part % count) / Double(count))
      }
      return count - 1
    case .midpoint:
      let runs = min(count, n)
      var used = 0
      var start = 0
      for run in 0..<runs - 1 {
        start &+= n / runs &+ (run < n % runs ? 1 : 0)
        let middle = (sorted.confidence(start &- 1) + sorted.confidence(start)) / 2
        if used > 0, edges[used] == middle { continue }
        used &+= 1
        edges[used] = middle
      }
      return used
    }
  }

  private func distribute<C: Scalar>(
    _ sorted: SortedConfidences<C>, _ edges: UnsafePointer<Double>, _ used: Int, _ bins: UnsafeMutablePointer<Bin>,
    _ indices: UnsafeMutablePointer<Int32>?
  ) {
    let n = sorted.count
    var index = 0
    var quota = 0  // of rank k: k·count − index·n
    // What the current bin gets: bins follow one another, so each is added to once, or once in a while.
    var tally = Tally()
    var tallied = 0
    var end = Tally.capacity
    for k in 0..<n {
      let confidence = sorted.confidence(k)
      if binning == .rank {
        while quota >= n {
          quota &-= n
          index &+= 1
        }
        quota &+= count
      } else {
        while index < used, edges[index &+ 1] < confidence || (edge != .right && edges[index &+ 1] == confidence) {
          index &+= 1
        }
        if edge == .leftExtra, confidence == 1 { index = count }
      }
      if index != tallied || k == end {
        tally.add(to: &bins[tallied])
        tally = Tally()
        tallied = index
        end = k &+ Tally.capacity
      }
      tally.add(confidence, hit: sorted.isHit(k) ? 1 : 0)
      indices?[sorted.row(k)] = Int32(truncatingIfNeeded: index)
    }
    if n > 0 { tally.add(to: &bins[tallied]) }
  }
}
