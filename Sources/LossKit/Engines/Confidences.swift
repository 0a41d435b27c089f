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

/// A tile of confidences, one row a lane, of which the first `count` count; the others are 0.
struct ConfidenceTile<V: Lanes> {
  let row: Int
  let count: Int
  /// Where in its row each confidence stands.
  let column: V.Integers
  let confidence: V
  /// Masks of the lower and the upper eight lanes: is the label that of the column?
  let isHit: (Int64Lanes, Int64Lanes)

  /// Bit i: lane i is a hit.
  @inline(__always) var hits: UInt32 { isHit.0.maskBits | (V.count > 8 ? isHit.1.maskBits << 8 : 0) }
}

extension ConfidenceRows {
  /// Calls `body(view, tile)` for the confidences of `rows`. What is not in [0, 1] comes as 0 and is reported, as are
  /// labels out of range.
  @inline(__always)
  func forEachTile(_ rows: Range<Int>, _ body: (Int, ConfidenceTile<S.Vector>) -> Void) -> DataFaults {
    typealias V = S.Vector
    var memory = TileMemory<V>()
    return memory.withPointers { memory in
      var check = RangeCheck<V>()
      @inline(__always) func emit(_ view: Int, _ row: Int, _ n: Int, _ p: V, _ column: V.Integers, first: Int) {
        var labels = y + row
        if n < V.count {
          for lane in 0..<V.count { memory.labels[lane] = lane < n ? labels[lane] : 0 }
          labels = UnsafePointer(memory.labels)
        }
        let label = (Int64Lanes.load(labels), Int64Lanes.load(labels + (V.count &- 8)))
        check.add(label)
        let own = (column &+ V.Integers(first)).halves
        let inRange = (V.zero .<= p) & (p .<= V.one)
        body(
          view,
          ConfidenceTile(
            row: row, count: n, column: column, confidence: V.select(inRange, p, V.zero),
            isHit: (label.0 .== own.0, label.1 .== own.1)))
      }
      var row = rows.lowerBound
      while row < rows.upperBound {
        let block = row..<min(row &+ TileMemory<V>.tiles &* V.count, rows.upperBound)
        if isTopLabel {
          // Each tile is a long chain of operations. In two passes over a block more of them run side by side.
          forEachTileStart(block) { i, row, n in
            fetchAhead(row)
            var largest = -V.one
            var column = V.Integers(0)
            var current = V.Integers(0)
            forEachColumn(row, n, memory.tile) { _, p in
              check.add(p)
              column = V.Integers.select(largest .< p, current, column)
              largest = V.max(p, largest)
              current = current &+ V.Integers(1)
            }
            memory.largest[i] = largest
            memory.columns[i] = column
          }
          forEachTileStart(block) { i, row, n in emit(0, row, n, memory.largest[i], memory.columns[i], first: 0) }
        } else {
          forEachTileStart(block) { _, row, n in
            forEachColumn(row, n, memory.tile) { c, p in
              check.add(p)
              emit(c, row, n, p, V.Integers(c), first: firstLabel)
            }
          }
        }
        row = block.upperBound
      }
      return DataFaults(
        target: check.findsLabels(from: labelCount),
        // −0 is the only number that is suspected and is none the less in order.
        value: check.suspectsValues && !areFractions(probs + rows.lowerBound &* columns, rows.count &* columns))
    }
  }

  /// Asks for the rows that come a while after a tile's, where a tile is not long enough for the processor to do so.
  @inline(__always) private func fetchAhead(_ row: Int) {
    if columns < 5 || columns > 128 { return }
    let later = probs + (row &* columns &+ 128 &* S.Vector.count)
    for line in 0..<columns { prefetch(later + line &* S.Vector.count) }
    prefetch(y + (row &+ 256))
    prefetch(y + (row &+ 264))
  }

  /// Calls `body(i, row, n)` with the first row of each tile i and how many it has.
  @inline(__always) private func forEachTileStart(_ rows: Range<Int>, _ body: (Int, Int, Int) -> Void) {
    var row = rows.lowerBound
    var i = 0
    while row < rows.upperBound {
      body(i, row, min(S.Vector.count, rows.upperBound &- row))
      row &+= S.Vector.count
      i &+= 1
    }
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
      if goesOn && n == V.count {
        V.transpose(first + c, stride: columns, to: tile)
      } else {
        for lane in 0..<V.count {
          tile[lane] = lane < n ? V.load(first + (lane &* columns &+ c), lanes: width) : V.zero
        }
        V.transpose(tile)
      }
      for lane in 0..<width { body(c &+ lane, tile[lane]) }
      c &+= V.count
    }
  }
}

/// What data are looked through for: labels out of range and numbers outside [0, 1].
private struct RangeCheck<V: Lanes> {
  /// As unsigned integers the bits of numbers below 0, above 1 and of NaN are above those of 1, as are those of −0; and
  /// labels below 0 are above all others.
  private var mostBits = V.one.bits
  private var mostLabels = Int64Lanes(0)

  @inline(__always) mutating func add(_ labels: (Int64Lanes, Int64Lanes)) {
    mostLabels = Int64Lanes.unsignedMax(mostLabels, Int64Lanes.unsignedMax(labels.0, labels.1))
  }

  @inline(__always) mutating func add(_ p: V) { mostBits = V.Integers.unsignedMax(mostBits, p.bits) }

  @inline(__always) var suspectsValues: Bool { (~(mostBits .== V.one.bits)).any }
  @inline(__always) func findsLabels(from limit: Int) -> Bool {
    let last = Int64Lanes(limit &- 1)
    return (~(Int64Lanes.unsignedMax(mostLabels, last) .== last)).any
  }
}

/// Memory that goes with tiles, on the stack.
private struct TileMemory<V: Lanes> {
  /// How many tiles have room for what is found of them.
  static var tiles: Int { 4 }

  struct Pointers {
    /// A square of numbers.
    let tile: UnsafeMutablePointer<V>
    let largest: UnsafeMutablePointer<V>
    let columns: UnsafeMutablePointer<V.Integers>
    let labels: UnsafeMutablePointer<Int64>
  }

  private var bytes = InlineArray<216, UInt64>(repeating: 0)

  @inline(__always) mutating func withPointers<R>(_ body: (Pointers) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) {
      let tile = aligned($0.baseAddress!).assumingMemoryBound(to: V.self)
      let columns = UnsafeMutableRawPointer(tile + (16 &+ Self.tiles)).assumingMemoryBound(to: V.Integers.self)
      let labels = UnsafeMutableRawPointer(columns + Self.tiles).assumingMemoryBound(to: Int64.self)
      return body(Pointers(tile: tile, largest: tile + 16, columns: columns, labels: labels))
    }
  }
}
