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
  func add<S: Scalar>(
    _ rows: ConfidenceRows<S>, to bins: UnsafeMutablePointer<Bin>, edges: UnsafeMutablePointer<Double>?,
    indices: UnsafeMutablePointer<Int32>?
  ) -> Status {
    let n = rows.count
    return withWorkspace(layout: {
      (sorter: Sorter<UInt64>(&$0, capacity: n), edges: $0.take(Double.self, count + 1))
    }) { memory in
      let items = memory.sorter.items
      let faults = rows.forEachTile(0..<n) { _, tile in
        if rows.views == 1 { load(tile, items) }
      }
      if faults.status != .ok { return faults.status }
      for view in 0..<rows.views {
        if rows.views > 1 {
          for row in 0..<n {
            let confidence = rows.probs[row &* rows.columns &+ view].double
            items[row] = SortItem(confidence, row: row, isHit: rows.isHit(row, view))
          }
        }
        let sorted = memory.sorter.sort(n)
        let used = setEdges(memory.edges, sorted, n)
        distribute(sorted, n, memory.edges, used, bins + view &* total, indices.map { $0 + view &* n })
      }
      edges?.update(from: memory.edges, count: count + 1)
      return .ok
    }
  }

  @inline(__always)
  private func load<V: Lanes>(_ tile: ConfidenceTile<V>, _ items: UnsafeMutablePointer<SortItem<UInt64>>) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { lanes in
      tile.confidence.doubles.0.store(lanes.baseAddress!)
      tile.confidence.doubles.1.store(lanes.baseAddress! + 8)
      for lane in 0..<tile.count {
        let row = tile.row &+ lane
        items[row] = SortItem(lanes[lane], row: row, isHit: tile.hits >> UInt32(lane) & 1 == 1)
      }
    }
  }

  /// Writes all `count + 1` edges and returns how many inner edges are in use.
  private func setEdges(
    _ edges: UnsafeMutablePointer<Double>, _ sorted: UnsafePointer<SortItem<UInt64>>, _ n: Int
  ) -> Int {
    edges.initialize(repeating: 1, count: count + 1)
    edges[0] = 0
    if n == 0 { return 0 }
    switch binning {
    case .uniform, .rank:
      // ⌈b·n / count⌉, in parts that do not overflow.
      for b in 1..<max(count, 1) {
        let rank = b &* (n / count) &+ (b &* (n % count) &+ count &- 1) / count
        if rank < n { edges[b] = sorted[rank].confidence }
      }
      return count - 1
    case .quantile:
      for b in 1..<max(count, 1) {
        let part = b &* ((n &- 1) % count)
        let position = b &* ((n &- 1) / count) &+ part / count
        let below = sorted[position].confidence
        let above = sorted[min(position &+ 1, n &- 1)].confidence
        edges[b] = below + (above - below) * (Double(part % count) / Double(count))
      }
      return count - 1
    case .midpoint:
      let runs = min(count, n)
      var used = 0
      var start = 0
      for run in 0..<runs - 1 {
        start &+= n / runs &+ (run < n % runs ? 1 : 0)
        let middle = (sorted[start &- 1].confidence + sorted[start].confidence) / 2
        if used > 0, edges[used] == middle { continue }
        used &+= 1
        edges[used] = middle
      }
      return used
    }
  }

  private func distribute(
    _ sorted: UnsafePointer<SortItem<UInt64>>, _ n: Int, _ edges: UnsafePointer<Double>, _ used: Int,
    _ bins: UnsafeMutablePointer<Bin>, _ indices: UnsafeMutablePointer<Int32>?
  ) {
    var index = 0
    var quota = 0  // of rank k: k·count − index·n
    for k in 0..<n {
      let item = sorted[k]
      let confidence = item.confidence
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
      bins[index].add(confidence, hit: item.isHit ? 1 : 0)
      indices?[item.row] = Int32(truncatingIfNeeded: index)
    }
  }
}

/// A confidence in [0, 1] and, in one integer, the row it belongs to and whether that is a hit.
extension SortItem<UInt64> {
  @inline(__always) fileprivate init(_ confidence: Double, row: Int, isHit: Bool) {
    key = confidence.ascendingKey
    index = UInt32(truncatingIfNeeded: row) | (isHit ? 1 << 31 : 0)
  }

  @inline(__always) fileprivate var confidence: Double { Double(ascendingKey: key) }
  @inline(__always) fileprivate var isHit: Bool { index >> 31 == 1 }
  @inline(__always) fileprivate var row: Int { Int(index & ~(1 << 31)) }
}
