// Probabilities and labels, seen as confidences and hits: what calibration metrics bin.

/// `count` rows of probabilities with a label each, and the views of them that are binned.
///
/// The top-label view gives one confidence a row, the largest probability; its hit is that the class is the label. The
/// class-wise views give one a column. The binary view is that of a single column of P(class 1) with labels 0 and 1.
struct ConfidenceRows<S: Scalar> {
  let probs: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let count: Int
  let columns: Int
  let isTopLabel: Bool
  /// The label that column 0 stands for.
  let firstLabel: Int
  /// Labels are in 0 ..< labelCount.
  let labelCount: Int

  /// - Parameter classes: columns of `probs`; 0 for the binary view, whatever `isTopLabel` says.
  init(_ probs: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int, classes: Int, isTopLabel: Bool) {
    self.probs = probs
    self.y = y
    self.count = count
    columns = max(classes, 1)
    self.isTopLabel = isTopLabel && classes > 0
    firstLabel = classes > 0 ? 0 : 1
    labelCount = classes > 0 ? classes : 2
  }

  var views: Int { isTopLabel ? 1 : columns }

  /// Is (row, column) a hit?
  @inline(__always) func isHit(_ row: Int, _ column: Int) -> Bool { y[row] == Int64(column &+ firstLabel) }
}

/// What is wrong with data that were looked at.
struct DataFaults {
  var target = false
  var value = false

  var status: Status { target ? .invalidTarget : value ? .invalidValue : .ok }

  mutating func join(_ other: DataFaults) {
    target = target || other.target
    value = value || other.value
  }
}

/// A tile of confidences, one row a lane, of which the first `count` count.
struct ConfidenceTile<V: Lanes> {
  let row: Int
  let count: Int
  /// Where in its row each confidence stands.
  let column: V.Integers
  let confidence: V
  /// Bit i: lane i is a hit.
  let hits: UInt32
}

extension ConfidenceRows {
  /// Calls `body(view, tile)` for the confidences of `rows`. What is not in [0, 1] comes as 0 and is reported, as are
  /// labels out of range.
  @inline(__always)
  func forEachTile(_ rows: Range<Int>, _ body: (Int, ConfidenceTile<S.Vector>) -> Void) -> DataFaults {
    typealias V = S.Vector
    var faults = DataFaults()
    var square = VectorTile<V>()
    var lastLabels = InlineArray<16, Int64>(repeating: 0)
    square.withPointer { tile in
      withUnsafeMutableBytes(of: &lastLabels) { bytes in
        let lastLabels = bytes.baseAddress!.assumingMemoryBound(to: Int64.self)
        var badLabels = Int64Lanes(0)
        var valid = V.zero .== V.zero
        var row = rows.lowerBound
        while row < rows.upperBound {
          let n = min(V.count, rows.upperBound &- row)
          var labels = y + row
          if n < V.count {
            for lane in 0..<V.count { lastLabels[lane] = lane < n ? labels[lane] : 0 }
            labels = UnsafePointer(lastLabels)
          }
          for part in 0..<V.count / 8 {
            let label = Int64Lanes.load(labels + part &* 8)
            badLabels = badLabels | (label .< Int64Lanes(0)) | (Int64Lanes(labelCount &- 1) .< label)
          }
          let label = V.Integers.load(labels)
          if isTopLabel {
            var best = -V.one
            var column = V.Integers(0)
            forEachColumn(row, n, tile) { c, p in
              valid = valid & (V.zero .<= p)
              let isLarger = best .< p
              best = V.select(isLarger, p, best)
              column = V.Integers.select(isLarger, V.Integers(c), column)
            }
            let inRange = (V.zero .<= best) & (best .<= V.one)
            valid = valid & inRange
            body(
              0,
              ConfidenceTile(
                row: row, count: n, column: column, confidence: V.select(inRange, best, V.zero),
                hits: (label .== column).maskBits))
          } else {
            forEachColumn(row, n, tile) { c, p in
              let inRange = (V.zero .<= p) & (p .<= V.one)
              valid = valid & inRange
              body(
                c,
                ConfidenceTile(
                  row: row, count: n, column: V.Integers(c), confidence: V.select(inRange, p, V.zero),
                  hits: (label .== V.Integers(c &+ firstLabel)).maskBits))
            }
          }
          row &+= V.count
        }
        faults.target = badLabels.any
        faults.value = (~valid).any
      }
    }
    return faults
  }

  /// Calls `body(c, lanes)` with each column of rows `row ..< row + n`; the lanes from n on are 0.
  @inline(__always)
  private func forEachColumn(
    _ row: Int, _ n: Int, _ tile: UnsafeMutablePointer<S.Vector>, _ body: (Int, S.Vector) -> Void
  ) {
    typealias V = S.Vector
    let first = probs + row &* columns
    if columns == 1 { return body(0, V.load(first, lanes: n)) }
    // Whole vectors may be loaded where the array goes on behind the tile's last row; what they hold beyond their row
    // is not looked at.
    let goesOn = (row &+ V.count) &* columns &+ V.count <= count &* columns
    var c = 0
    while c < columns {
      let width = min(V.count, columns &- c)
      if goesOn {
        for lane in 0..<V.count { tile[lane] = V.load(first + (lane &* columns &+ c)) }
      } else {
        for lane in 0..<V.count {
          tile[lane] = lane < n ? V.load(first + (lane &* columns &+ c), lanes: width) : V.zero
        }
      }
      V.transpose(tile)
      for lane in 0..<width { body(c &+ lane, tile[lane]) }
      c &+= V.count
    }
  }
}
