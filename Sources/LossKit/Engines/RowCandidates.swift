// Few elements of a row decide where a threshold lies: those that come close to the maximum. They are moved out of the
// tile's rows into a small tile of their own, lane r for row r, so that the search for a threshold runs once for many
// rows, however long they are. Where there are too many, the search runs over the rows themselves.

/// The most candidates that a row may have.
private let mostCandidates = 64

/// Room for the candidates of a tile: to be had once for many tiles, as part of what a part of the rows gathers.
struct CandidateScratch {
  // 16 · (64 + 16) floats or 8 · (64 + 8) doubles, then 64 vectors.
  private var bytes = InlineArray<1160, UInt64>(repeating: 0)

  @inline(__always) mutating func withMemory<V: Lanes, R>(_ type: V.Type, _ body: (CandidateMemory<V>) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) {
      body(CandidateMemory(rows: aligned($0.baseAddress!).assumingMemoryBound(to: V.Element.self)))
    }
  }
}

struct CandidateMemory<V: Lanes> {
  fileprivate let rows: UnsafeMutablePointer<V.Element>

  /// The candidates of one row, with room for a vector behind them.
  @inline(__always) fileprivate func row(_ r: Int) -> UnsafeMutablePointer<V.Element> {
    rows + r &* (mostCandidates &+ V.count)
  }
  @inline(__always) fileprivate var columns: UnsafeMutablePointer<V.Element> { row(V.count) }

  @inline(__always) fileprivate func tile(_ count: Int, firstRow: Int) -> ColumnRows<V> {
    let columns = UnsafePointer(self.columns)
    return ColumnRows(
      arrays: RowArrays(first: columns, second: columns, perClass: nil, output: nil), classes: count, stride: V.count,
      firstRow: firstRow, count: V.count)
  }

  /// Turns the rows, of which number r has `counts[r]` candidates, into columns.
  @inline(never) fileprivate func transpose(_ counts: InlineArray<16, Int>, rows: Int, most: Int) {
    let low = V(-V.Element.infinity)
    for r in 0..<rows { low.store(row(r) + counts[r]) }
    var first = 0
    while first < most {
      let block = UnsafeMutableRawPointer(columns + first &* V.count).assumingMemoryBound(to: V.self)
      for r in 0..<V.count { block[r] = r < rows && first < counts[r] ? V.load(row(r) + first) : low }
      V.transpose(block)
      first &+= V.count
    }
  }
}

extension LongRows {
  @inline(__always) func candidates(atLeast bound: V, _ memory: CandidateMemory<V>) -> ColumnRows<V>? {
    var counts = InlineArray<16, Int>(repeating: 0)
    var most = 0
    RowConstants<V>(a: bound).withRows { constantsOf in
      for row in 0..<count where most <= mostCandidates {
        let bound = constantsOf(row).a
        let elements = arrays.first + (firstRow &+ row) &* classes
        let found = memory.row(row)
        var n = 0
        forEachVector(V.self, 0..<classes) { c, lanes in
          let x = V.load(elements + c, lanes: lanes, fill: -.infinity)
          let isCandidate = ~(x .< bound)
          if isCandidate.any, n <= mostCandidates { n &+= x.compress(isCandidate, found + n) }
        }
        counts[row] = n
        most = Swift.max(most, n)
      }
    }
    if most > mostCandidates { return nil }
    memory.transpose(counts, rows: count, most: most)
    return memory.tile(most, firstRow: firstRow)
  }

  @inline(__always) func partialMaxima(_ parts: Int, _ memory: CandidateMemory<V>) -> ColumnRows<V>? {
    if parts > V.count { return nil }
    for row in 0..<count {
      let elements = arrays.first + (firstRow &+ row) &* classes
      let low = V(-Element.infinity)
      var m0 = low, m1 = low
      var c = 0
      while c &+ 2 &* V.count <= classes {
        m0 = V.max(V.load(elements + c), m0)
        m1 = V.max(V.load(elements + (c &+ V.count)), m1)
        c &+= 2 &* V.count
      }
      forEachVector(V.self, c..<classes) { c, n in m0 = V.max(V.load(elements + c, lanes: n, fill: -.infinity), m0) }
      V.max(m0, m1).store(memory.row(row))
    }
    memory.transpose(InlineArray(repeating: V.count), rows: count, most: V.count)
    return memory.tile(V.count, firstRow: firstRow)
  }

  @inline(__always) func count(atLeast bound: V) -> V.Integers {
    var result = V.Integers(0)
    RowConstants<V>(a: bound).withRows { constantsOf in
      for row in 0..<count {
        let bound = constantsOf(row).a
        let elements = arrays.first + (firstRow &+ row) &* classes
        var n = 0
        forEachVector(V.self, 0..<classes) { c, lanes in
          let x = V.load(elements + c, lanes: lanes, fill: .nan)
          n &+= (bound .<= x).maskBits.nonzeroBitCount
        }
        result[row] = n
      }
    }
    return result
  }
}

extension ColumnRows {
  /// Columns without a candidate are left out.
  @inline(__always) func candidates(atLeast bound: V, _ memory: CandidateMemory<V>) -> ColumnRows<V>? {
    if classes <= mostCandidates { return self }
    var n = 0
    for c in 0..<classes where n <= mostCandidates {
      let x = V.load(arrays.first + c &* stride, lanes: count, fill: -.infinity)
      let isCandidate = ~(x .< bound)
      if isCandidate.any {
        if n < mostCandidates { V.select(isCandidate, x, -V.infinity).store(memory.columns + n &* V.count) }
        n &+= 1
      }
    }
    return n > mostCandidates ? nil : memory.tile(n, firstRow: firstRow)
  }

  @inline(__always) func partialMaxima(_ parts: Int, _ memory: CandidateMemory<V>) -> ColumnRows<V>? { nil }

  @inline(__always) func count(atLeast bound: V) -> V.Integers {
    var n = V.Integers(0)
    for c in 0..<classes { n = n &- (bound .<= V.load(arrays.first + c &* stride, lanes: count)) }
    return n
  }
}
