// What metrics over bins of confidences share: the checks, the bins of every view, and the way back from elements to bins.

/// How many bins, and where their edges are.
struct BinLayout {
  let count: Int
  let binning: Binning
  let edge: BinEdge

  var uniform: UniformBins { UniformBins(count: count, edge: edge) }
  var isValid: Bool { count >= 1 && count <= largestBinCount }
}

/// The filled bins of all views.
struct BinnedConfidences<S: Scalar> {
  let layout: BinLayout
  /// Nil where there are no rows: then all bins are empty.
  let rows: ConfidenceRows<S>?
  let views: Int
  /// `[views, perView]`
  let bins: UnsafePointer<Bin>
  let perView: Int
  /// All edges of the last view.
  let edges: UnsafePointer<Double>
  /// The bin of each row in each view, `[views, rows]`; absent where the layout says it.
  fileprivate let indices: UnsafeMutablePointer<Int32>?

  var samples: Double { Double(rows?.count ?? 0) }

  /// The bins of a view.
  func view(_ v: Int) -> UnsafeBufferPointer<Bin> { UnsafeBufferPointer(start: bins + v &* perView, count: perView) }

  /// The mean of a number of each view.
  @inline(__always) func mean(_ value: (UnsafeBufferPointer<Bin>) -> Double) -> Double {
    var sum = 0.0
    for v in 0..<views { sum += value(view(v)) }
    return sum / Double(views)
  }

  /// Calls `body(row, column, bin)` for each element of `range` that is in a view; `bin` counts over all views.
  @inline(__always) func forEachElement(_ range: Range<Int>, _ body: (Int, Int, Int) -> Void) {
    guard let rows else { return }
    var lanes = InlineArray<32, Int64>(repeating: 0)
    withUnsafeMutableBytes(of: &lanes) { bytes in
      let bin = bytes.baseAddress!.assumingMemoryBound(to: Int64.self)
      let column = bin + 16
      _ = rows.forEachTile(range) { view, tile in
        locate(tile, view, bin, column)
        for lane in 0..<tile.count { body(tile.row &+ lane, Int(column[lane]), view &* perView &+ Int(bin[lane])) }
      }
    }
  }

  /// Writes the bin and the column of each lane of a tile.
  @inline(__always)
  private func locate(
    _ tile: ConfidenceTile<S.Vector>, _ view: Int, _ bin: UnsafeMutablePointer<Int64>,
    _ column: UnsafeMutablePointer<Int64>
  ) {
    if let indices, let rows {
      for lane in 0..<tile.count { bin[lane] = Int64(indices[view &* rows.count &+ tile.row &+ lane]) }
    } else {
      layout.uniform.index(tile.confidence.doubles.0).store(bin)
      if S.Vector.count > 8 { layout.uniform.index(tile.confidence.doubles.1).store(bin + 8) }
    }
    tile.column.store(column)
  }
}

/// Runs `body` on the bins of probabilities with labels, after the checks that every exported function makes.
///
/// - Parameters:
///   - isTopLabel: of each row the largest probability alone; else every class is a view of its own. The binary view
///     (`classes` = 0) has one column.
///   - threshold: lower confidences are left out, where bins are sorted for.
///   - needsElements: will elements be looked up?
///   - layout: what else the body needs, given the number of bins in all views.
@inline(__always)
func withBins<S: Scalar, Layout>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, isTopLabel: Bool,
  _ bins: BinLayout, from threshold: Double = 0, needsElements: Bool = false, layout: (inout Arena, Int) -> Layout,
  _ body: (BinnedConfidences<S>, Layout) -> Void
) -> Status {
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard bins.isValid else { return .invalidParameter }
  let isUniform = bins.binning == .uniform
  guard isUniform || count <= largestSortCount else { return .invalidShape }
  let views = isTopLabel ? 1 : max(classes, 1)
  let perView = bins.uniform.total
  guard let binCount = elementCount(views, perView), elementCount(binCount, MemoryLayout<Bin>.stride) != nil,
    let indexCount = elementCount(count, isUniform || !needsElements ? 0 : views)
  else { return .outOfMemory }
  return withWorkspace(layout: {
    (
      bins: $0.take(Bin.self, binCount), edges: $0.take(Double.self, bins.count + 1),
      indices: $0.take(Int32.self, indexCount), rest: layout(&$0, binCount)
    )
  }) { memory in
    memory.bins.initialize(repeating: Bin(), count: binCount)
    for b in 0...bins.count { memory.edges[b] = isUniform || b == 0 ? bins.uniform.border(b) : 1 }
    var rows: ConfidenceRows<S>?
    let indices = indexCount == 0 ? nil : memory.indices
    if count > 0, let probs, let y {
      let filled = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: isTopLabel)
      let sorted = SortedBins(count: bins.count, binning: bins.binning, edge: bins.edge)
      let status =
        isUniform
        ? bins.uniform.add(filled, to: memory.bins)
        : sorted.add(filled, to: memory.bins, edges: memory.edges, indices: indices, from: threshold)
      if status != .ok { return status }
      rows = filled
    }
    body(
      BinnedConfidences(
        layout: bins, rows: rows, views: views, bins: memory.bins, perView: perView, edges: memory.edges,
        indices: indices), memory.rest)
    return .ok
  }
}

/// The same for metrics that need no memory of their own.
@inline(__always)
func withBins<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, isTopLabel: Bool,
  _ bins: BinLayout, from threshold: Double = 0, _ body: (BinnedConfidences<S>) -> Void
) -> Status {
  withBins(
    probs, y, count, classes, isTopLabel: isTopLabel, bins, from: threshold, layout: { _, _ in () }
  ) { binned, _ in body(binned) }
}

/// Writes NaN: numbers of a metric that is undefined.
@inline(__always)
func setUndefined<S: Scalar>(
  _ a: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>? = nil, _ c: UnsafeMutablePointer<S>? = nil,
  _ d: UnsafeMutablePointer<S>? = nil, _ e: UnsafeMutablePointer<S>? = nil
) {
  a?.pointee = .nan
  b?.pointee = .nan
  c?.pointee = .nan
  d?.pointee = .nan
  e?.pointee = .nan
}
