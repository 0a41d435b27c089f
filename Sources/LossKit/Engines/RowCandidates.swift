// Few elements of a row decide where a threshold lies, and only they get a share of what a sparse map gives out: those
// that come close to the maximum. They are moved out of the tile's rows into a small tile of their own, lane r for row r,
// so that the search for a threshold runs once for many rows, however long they are. What is then computed for them is
// put back where they came from, among zeros. Where there are too many, all is done on the rows themselves.

/// The most candidates that a row may have.
private let mostCandidates = 48

/// What `RowScratch` has room for, and behind it for the candidates of a tile: twice 16 · (48 + 16) floats or 8 · (48 + 8)
/// doubles, then 49 vectors and the scratch of their tile.
struct CandidateScratch {
  private var bytes = InlineArray<3292, UInt64>(repeating: 0)

  @inline(__always)
  mutating func withMemory<V: Lanes, R>(_ type: V.Type, _ body: (UnsafeMutablePointer<V.Element>) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) { body(aligned($0.baseAddress!).assumingMemoryBound(to: V.Element.self)) }
  }
}

struct CandidateMemory<V: Lanes> {
  fileprivate let rows: UnsafeMutablePointer<V.Element>
  private var stride: Int { mostCandidates &+ V.count }

  /// The candidates of one row, with room for a vector behind them.
  @inline(__always) fileprivate func row(_ r: Int) -> UnsafeMutablePointer<V.Element> { rows + r &* stride }
  /// Their classes, as bits of elements.
  @inline(__always) fileprivate func classes(_ r: Int) -> UnsafeMutablePointer<V.Element> {
    rows + (V.count &+ r) &* stride
  }
  @inline(__always) fileprivate var columns: UnsafeMutablePointer<V.Element> { rows + 2 &* V.count &* stride }
  private var counts: UnsafeMutablePointer<V.Element> { columns + mostCandidates &* V.count }

  /// How many candidates a row has; where columns were chosen as a whole, row 0 has the number of columns.
  @inline(__always) fileprivate func count(_ row: Int) -> Int { Int(truncatingIfNeeded: counts[row].bitPattern) }
  @inline(__always) fileprivate func setCount(_ row: Int, _ n: Int) {
    counts[row] = V.Element(bitPattern: V.Element.Bits(truncatingIfNeeded: n))
  }

  /// The first `count` columns, as a tile whose output takes the place of its input.
  @inline(__always) fileprivate func tile(
    _ count: Int, firstRow: Int, second: UnsafeMutablePointer<V.Element>? = nil
  ) -> RowTile<V> {
    RowTile(
      across: RowArrays(first: columns, second: second ?? columns, perClass: nil, output: columns), stride: V.count,
      classes: count, firstRow: firstRow, count: V.count, scratch: counts + V.count)
  }

  /// The class of a candidate of a row; of a chosen column with row 0.
  @inline(__always) fileprivate func place(_ row: Int, _ j: Int) -> Int {
    Int(truncatingIfNeeded: classes(row)[j].bitPattern)
  }

  /// Room for 48 vectors, until candidates are sought and after they have been found.
  @inline(__always) var vectors: UnsafeMutablePointer<V> {
    UnsafeMutableRawPointer(rows).assumingMemoryBound(to: V.self)
  }

  /// Turns the rows into columns; `nothing` stands where a row has no candidate left.
  @inline(__always) fileprivate func transpose(rows: Int, most: Int, nothing: V) {
    var first = 0
    while first < most {
      let block = UnsafeMutableRawPointer(columns + first &* V.count).assumingMemoryBound(to: V.self)
      // No branch here either.
      for r in 0..<rows {
        let isCandidate = V.Integers.indices .< V.Integers(count(r) &- first)
        block[r] = V.select(isCandidate, V.load(row(r) + first), nothing)
      }
      for r in rows..<V.count { block[r] = nothing }
      V.transpose(block)
      first &+= V.count
    }
  }
}

/// The candidates of a tile's rows.
struct Candidates<V: Lanes> {
  let tile: RowTile<V>
}

extension RowTile {
  /// For the candidates of the tile, if the kernel has it (`KernelMemory`).
  var candidateMemory: CandidateMemory<V> { CandidateMemory(rows: scratch + Self.scratchVectors &* V.count) }

  /// The elements of each row that are at least `bound`, or NaN, as a tile of their own, with `nothing` where a row has
  /// fewer than others. nil where there are too many.
  ///
  /// - Parameter placed: are they to be put back?
  @inline(never)
  func candidates(atLeast bound: V, placed: Bool, nothing: V = V(-Element.infinity)) -> Candidates<V>? {
    isAcross
      ? chosenColumns(atLeast: bound, nothing: nothing)
      : chosenElements(atLeast: bound, placed: placed, nothing: nothing)
  }

  /// The elements of each row that are above 0, or NaN, with those of the second input that belong to them, which need not
  /// be read elsewhere. nil where there are too many, or where rows are too short for it to pay.
  @inline(__always) func support() -> Candidates<V>? {
    isAcross || classes <= 16 &* V.count ? nil : supportOfLongRows
  }

  @inline(never) private var supportOfLongRows: Candidates<V>? {
    let least = V(Element.leastNonzeroMagnitude)
    guard let few = candidates(atLeast: least, placed: true, nothing: V.zero) else { return nil }
    let memory = candidateMemory
    let second = memory.rows
    for row in 0..<count {
      let elements = arrays.second + row &* classes
      for j in 0..<memory.count(row) { second[j &* V.count &+ row] = elements[memory.place(row, j)] }
    }
    return Candidates(tile: memory.tile(few.tile.classes, firstRow: firstRow, second: second))
  }

  @inline(__always)
  private func chosenElements(atLeast bound: V, placed: Bool, nothing: V) -> Candidates<V>? {
    let memory = candidateMemory
    var most = 0
    bound.store(constantsMemory)
    for row in 0..<count where most <= mostCandidates {
      let bound = V(constantsMemory[row])
      let elements = arrays.first + row &* classes
      let found = memory.row(row)
      let places = memory.classes(row)
      // What is written in the end comes into the cache meanwhile.
      let output = arrays.output.map { UnsafePointer($0) + row &* classes } ?? elements
      var n = 0
      // No branch depends on where candidates stand: it could not be foretold.
      forEachVector(V.self, 0..<classes) { c, lanes in
        prefetch(output + c)
        let x = V.load(elements + c, lanes: lanes, fill: -.infinity)
        let isCandidate = lanes == V.count ? ~(x .< bound) : ~(x .< bound) & V.Integers.first(lanes)
        if placed { _ = V(bits: V.Integers.indices &+ V.Integers(c)).compress(isCandidate, places + n) }
        // Of too many the last are written over again and again.
        n = Swift.min(n &+ x.compress(isCandidate, found + n), mostCandidates &+ 1)
      }
      memory.setCount(row, n)
      most = Swift.max(most, n)
    }
    if most > mostCandidates { return nil }
    memory.transpose(rows: count, most: most, nothing: nothing)
    return Candidates(tile: memory.tile(most, firstRow: firstRow))
  }

  /// Are they the tile itself?
  @inline(__always) private func isWhole(_ candidates: Candidates<V>) -> Bool { candidates.tile.classes == classes }

  /// Columns without a candidate are left out, if there are more columns than a row may have candidates.
  @inline(__always)
  private func chosenColumns(atLeast bound: V, nothing: V) -> Candidates<V>? {
    if classes <= mostCandidates { return Candidates(tile: self) }
    let memory = candidateMemory
    var n = 0
    for c in 0..<classes where n <= mostCandidates {
      let x = V.load(arrays.first + c &* classStride, lanes: count, fill: -.infinity)
      let isCandidate = ~(x .< bound)
      if isCandidate.any {
        if n < mostCandidates {
          V.select(isCandidate, x, nothing).store(memory.columns + n &* V.count)
          memory.classes(0)[n] = Element(bitPattern: Element.Bits(truncatingIfNeeded: c))
        }
        n &+= 1
      }
    }
    if n > mostCandidates { return nil }
    memory.setCount(0, n)
    return Candidates(tile: memory.tile(n, firstRow: firstRow))
  }

  /// Makes −inf of the candidates of a row along the classes that equal x and belong to classes after c.
  @inline(never)
  func remove(_ candidates: Candidates<V>, row: Int, equalTo x: Element, after c: Int) {
    let memory = candidateMemory
    for j in 0..<memory.count(row) {
      let candidate = memory.columns + (j &* V.count &+ row)
      if candidate.pointee == x && memory.place(row, j) > c { candidate.pointee = -.infinity }
    }
  }

  /// Writes the output of the candidates' tile to where they came from, and `background` everywhere else.
  @inline(never) func put(_ candidates: Candidates<V>, background: V) {
    guard let output = arrays.output else { return }
    let memory = candidateMemory
    if isAcross {
      if isWhole(candidates) { return }
      let chosen = memory.count(0)
      var j = 0
      for c in 0..<classes {
        let isNext = j < chosen && memory.place(0, j) == c
        let value = isNext ? V.load(memory.columns + j &* V.count) : background
        if isNext { j &+= 1 }
        value.store(output + c &* classStride, lanes: count)
      }
      return
    }
    background.store(constantsMemory)
    for row in 0..<count {
      let start = output + row &* classes
      let background = V(constantsMemory[row])
      forEachVector(V.self, 0..<classes) { c, n in background.store(start + c, lanes: n) }
      for j in 0..<memory.count(row) { start[memory.place(row, j)] = memory.columns[j &* V.count &+ row] }
    }
  }

  /// The maxima of `V.count` parts of each row, as a tile of their own, until the next pass over this one. nil where rows
  /// are too short for it.
  @inline(__always) func partialMaxima() -> RowTile<V>? {
    if isAcross { return nil }
    let maxima = maximaOfParts()
    return RowTile(
      across: RowArrays(first: maxima, second: maxima, perClass: nil, output: nil), stride: V.count, classes: V.count,
      firstRow: firstRow, count: V.count, scratch: candidateMemory.tile(0, firstRow: 0).scratch)
  }

  /// How many elements of each row are at least `bound`?
  @inline(never) func count(atLeast bound: V) -> V.Integers {
    var result = V.Integers(0)
    if isAcross {
      for c in 0..<classes {
        result = result &- (bound .<= V.load(arrays.first + c &* classStride, lanes: count))
      }
      return result
    }
    bound.store(constantsMemory)
    for row in 0..<count {
      let bound = V(constantsMemory[row])
      let elements = arrays.first + row &* classes
      var n = 0
      forEachVector(V.self, 0..<classes) { c, lanes in
        let x = V.load(elements + c, lanes: lanes, fill: .nan)
        n &+= (bound .<= x).maskBits.nonzeroBitCount
      }
      result[row] = n
    }
    return result
  }
}
