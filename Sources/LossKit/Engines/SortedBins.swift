import RuntimeShims

/// Bins whose edges follow from the sorted confidences: quantile, midpoint, rank.
struct SortedBins {
  let count: Int
  let binning: Binning
  let edge: BinEdge

  /// Bins of a view: `leftExtra` has one more, for confidence 1.
  var total: Int { edge == .leftExtra ? count + 1 : count }

  /// Adds the confidences of every view of `rows` to its bins: `bins[view * total + index]`. Nothing is added unless
  /// the result is `ok`. Allocates 32 bytes a row.
  ///
  /// - Parameters:
  ///   - edges: if wanted, `[count + 1]`: the edges of the last view.
  ///   - indices: if wanted, the bin of each element of view v: `indices[v * rows.count + row]`.
  func add<S: Scalar>(
    _ rows: ConfidenceRows<S>, to bins: UnsafeMutablePointer<Bin>, edges: UnsafeMutablePointer<Double>?,
    indices: UnsafeMutablePointer<Int32>?
  ) -> Status {
    let n = rows.count
    guard let itemBytes = elementCount(n, 2 * MemoryLayout<ConfidenceItem>.stride),
      let itemMemory = losskit_runtime_allocate(itemBytes)
    else { return .outOfMemory }
    defer { losskit_runtime_free(itemMemory) }
    guard let tableMemory = losskit_runtime_allocate((stableSortCounters + count + 1) * 8) else { return .outOfMemory }
    defer { losskit_runtime_free(tableMemory) }
    let items = itemMemory.bindMemory(to: ConfidenceItem.self, capacity: 2 * n)
    let counters = tableMemory.bindMemory(to: Int.self, capacity: stableSortCounters)
    let inner = (tableMemory + stableSortCounters * 8).bindMemory(to: Double.self, capacity: count + 1)

    let faults = rows.forEachTile(0..<n) { _, tile in
      if rows.views == 1 { load(tile, items) }
    }
    if faults.status != .ok { return faults.status }
    for view in 0..<rows.views {
      if rows.views > 1 {
        for row in 0..<n {
          items[row] = ConfidenceItem(
            rows.probs[row &* rows.columns &+ view].double, Int64(row) << 1 | (rows.isHit(row, view) ? 1 : 0))
        }
      }
      let sorted = stableSort(items, items + n, n, counters: counters)
      let used = setEdges(inner, sorted, n)
      distribute(sorted, n, inner, used, bins + view &* total, indices.map { $0 + view &* n })
    }
    edges?.update(from: inner, count: count + 1)
    return .ok
  }

  @inline(__always)
  private func load<V: Lanes>(_ tile: ConfidenceTile<V>, _ items: UnsafeMutablePointer<ConfidenceItem>) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { lanes in
      tile.confidence.doubles.0.store(lanes.baseAddress!)
      tile.confidence.doubles.1.store(lanes.baseAddress! + 8)
      for lane in 0..<tile.count {
        let row = tile.row &+ lane
        items[row] = ConfidenceItem(lanes[lane], Int64(row) << 1 | Int64(tile.hits >> UInt32(lane) & 1))
      }
    }
  }

  /// Writes all `count + 1` edges and returns how many inner edges are in use.
  private func setEdges(_ edges: UnsafeMutablePointer<Double>, _ sorted: UnsafePointer<ConfidenceItem>, _ n: Int) -> Int {
    edges.initialize(repeating: 1, count: count + 1)
    edges[0] = 0
    if n == 0 { return 0 }
    switch binning {
    case .uniform, .rank:
      // ⌈b·n / count⌉, in parts that do not overflow.
      for b in 1..<max(count, 1) {
        let rank = b &* (n / count) &+ (b &* (n % count) &+ count &- 1) / count
        if rank < n { edges[b] = sorted[rank].number }
      }
      return count - 1
    case .quantile:
      for b in 1..<max(count, 1) {
        let part = b &* ((n &- 1) % count)
        let position = b &* ((n &- 1) / count) &+ part / count
        let below = sorted[position].number
        let above = sorted[min(position &+ 1, n &- 1)].number
        edges[b] = below + (above - below) * (Double(part % count) / Double(count))
      }
      return count - 1
    case .midpoint:
      let runs = min(count, n)
      var used = 0
      var start = 0
      for run in 0..<runs - 1 {
        start &+= n / runs &+ (run < n % runs ? 1 : 0)
        let middle = (sorted[start &- 1].number + sorted[start].number) / 2
        if used > 0, edges[used] == middle { continue }
        used &+= 1
        edges[used] = middle
      }
      return used
    }
  }

  private func distribute(
    _ sorted: UnsafePointer<ConfidenceItem>, _ n: Int, _ edges: UnsafePointer<Double>, _ used: Int,
    _ bins: UnsafeMutablePointer<Bin>, _ indices: UnsafeMutablePointer<Int32>?
  ) {
    var index = 0
    var quota = 0  // of rank k: k·count − index·n
    for k in 0..<n {
      let item = sorted[k]
      let confidence = item.number
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
      bins[index].add(confidence, hit: item.payload & 1)
      indices?[Int(item.payload >> 1)] = Int32(truncatingIfNeeded: index)
    }
  }
}
