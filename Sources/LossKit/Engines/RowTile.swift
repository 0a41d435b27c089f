// The Rowwise engine: rows of classes, their statistics, and maps and losses on them.
//
// Rows are worked on in tiles of up to `V.count` rows. Within a tile the per-row quantities (maximum, sum, target, loss)
// are one vector, lane r for row r, so that a row formula runs once for many rows. A pass goes over the lines of a tile,
// of which there are two kinds, chosen by the shape:
//
//   along     classes are contiguous and many: a line is a row, and the lanes of its vectors are successive classes;
//   across    the whole tile is one line, with a vector for each class and a lane for each row: channel-first layouts as
//             they are, short rows through a transposed copy (16 rows of 10 classes fill vectors that a single row would
//             leave mostly empty).
//
// What differs is only where vectors lie, which classes their lanes are, and how the lines' results are joined: a pass
// has one loop, and what it does for an element is compiled once. What many kernels do alike is compiled once for all.
//
// Sums within a row: the terms are added in their own precision in runs of at most 16 a lane, the runs are added as
// doubles. Relative error of a sum of positive terms: at most (16 + 2)·2⁻²⁴ < 1.1e-6 in f32, whatever the length.

/// A vector of elements, as a pass over a tile sees them.
struct RowElements<V: Lanes> {
  /// From the first input.
  let x: V
  /// The class numbers of the lanes.
  let classes: V.Integers
  /// The row's number in the tile, where lanes are not across the rows.
  let row: Int
  fileprivate let tile: RowTile<V>
  /// The first element's place in the arrays, the first lane's class, and the number of lanes.
  fileprivate let at, firstClass, lanes: Int

  /// From the second input.
  @inline(__always) var y: V { V.load(tile.arrays.second + at, lanes: lanes) }
  /// From the output: what an earlier pass kept there.
  @inline(__always) var kept: V { tile.arrays.output.map { V.load(UnsafePointer($0) + at, lanes: lanes) } ?? V.zero }
  /// From the per-class array; 1 where there is none.
  @inline(__always) var perClass: V {
    guard let perClass = tile.arrays.perClass else { return V.one }
    return tile.isAcross ? V(perClass[firstClass]) : V.load(perClass + firstClass, lanes: lanes)
  }
  /// From the mask: which lanes take part. All where there is none.
  @inline(__always) var mask: V.Integers {
    tile.arrays.mask.map { V.Integers.load($0 + at, lanes: lanes) } ?? V.Integers(-1)
  }
}

/// What a pass over a tile may know of each row, besides the elements.
struct RowConstants<V: Lanes> {
  var a = V.zero
  var b = V.zero
  var c = V.zero
  var d = V.zero
  var e = V.zero
  var f = V.zero
  var g = V.zero
  var h = V.zero
  var target = V.Integers(0)
  /// The derivative at the target, of formulas that state it apart; passes do not see it.
  var atTarget = V.zero

  /// Stores the constants in `memory`, which is aligned as vectors want it: reading lanes of a value on the stack takes
  /// half as long again for short rows.
  @inline(__always) fileprivate func store(_ memory: UnsafeMutablePointer<V.Element>) {
    a.store(memory)
    b.store(memory + V.count)
    c.store(memory + 2 &* V.count)
    d.store(memory + 3 &* V.count)
    e.store(memory + 4 &* V.count)
    f.store(memory + 5 &* V.count)
    g.store(memory + 6 &* V.count)
    h.store(memory + 7 &* V.count)
    V(bits: target).store(memory + 8 &* V.count)
  }

  /// The constants of one row, in all lanes, from where they have been stored.
  @inline(__always)
  fileprivate static func ofRow(_ row: Int, _ memory: UnsafeMutablePointer<V.Element>) -> RowConstants {
    @inline(__always) func constant(_ n: Int) -> V { V(memory[n &* V.count &+ row]) }
    return RowConstants(
      a: constant(0), b: constant(1), c: constant(2), d: constant(3), e: constant(4), f: constant(5), g: constant(6),
      h: constant(7), target: constant(8).bits)
  }
}

/// What a class adds to two sums over its row, and what is kept of it in the output.
struct RowTerms<V: Lanes> {
  let first, second: V
  var kept = V.zero
}

/// The arrays of a call.
struct RowArrays<S: Scalar> {
  let first: UnsafePointer<S>
  /// A second input of the same shape; the first again where there is none.
  let second: UnsafePointer<S>
  /// One number per class.
  let perClass: UnsafePointer<S>?
  /// Absent where nothing is written.
  let output: UnsafeMutablePointer<S>?
  /// For maps that have two.
  var secondOutput: UnsafeMutablePointer<S>? = nil
  /// One byte per element, 0 where it does not take part.
  var mask: UnsafePointer<UInt8>? = nil

  @inline(__always) func advanced(by offset: Int) -> RowArrays {
    RowArrays(
      first: first + offset, second: second + offset, perClass: perClass, output: output.map { $0 + offset },
      secondOutput: secondOutput.map { $0 + offset }, mask: mask.map { $0 + offset })
  }
}

/// Up to `V.count` rows and the passes over their elements.
struct RowTile<V: Lanes> {
  typealias Element = V.Element
  /// The arrays from the tile's first element on.
  fileprivate(set) var arrays: RowArrays<Element>
  let classes: Int
  let firstRow: Int
  let count: Int
  /// Are lanes across the rows?
  let isAcross: Bool
  /// Elements from one class to the next.
  let classStride: Int
  /// Aligned memory of `RowTile.scratchVectors` vectors.
  let scratch: UnsafeMutablePointer<Element>

  /// Two vectors to gather from and scatter to, the constants of rows, and two for each line.
  static var ownVectors: Int { 12 &+ 2 &* V.count }
  /// These, and the mask of a transposed tile: at most two bytes for each of `V.count` squared.
  static var scratchVectors: Int { ownVectors &+ 8 }
  var constantsMemory: UnsafeMutablePointer<Element> { scratch + 2 &* V.count }
  fileprivate var vectors: UnsafeMutablePointer<V> {
    UnsafeMutableRawPointer(scratch + 12 &* V.count).assumingMemoryBound(to: V.self)
  }
  private var secondVectors: UnsafeMutablePointer<V> { vectors + V.count }

  /// Rows that lie one behind the other.
  @inline(__always) init(
    along arrays: RowArrays<Element>, classes: Int, firstRow: Int, count: Int, scratch: UnsafeMutablePointer<Element>
  ) {
    self.arrays = arrays
    self.classes = classes
    self.firstRow = firstRow
    self.count = count
    self.scratch = scratch
    isAcross = false
    classStride = 1
  }

  /// Rows that lie side by side: class c of all of them from `c · stride` on.
  @inline(__always) init(
    across arrays: RowArrays<Element>, stride: Int, classes: Int, firstRow: Int, count: Int,
    scratch: UnsafeMutablePointer<Element>
  ) {
    self.arrays = arrays
    self.classes = classes
    self.firstRow = firstRow
    self.count = count
    self.scratch = scratch
    isAcross = true
    classStride = stride
  }

  /// A tile whose second input is what has been kept in this one's output, and whose own output is memory besides, if the
  /// kernel has it (`KernelMemory`) and the tile is small enough: else it is the same output.
  var keepingAside: RowTile<V> {
    guard let output = arrays.output else { return self }
    var tile = self
    tile.arrays = RowArrays(
      first: arrays.first, second: UnsafePointer(output), perClass: arrays.perClass, output: aside ?? output)
    return tile
  }

  /// A tile whose second input is what the one before has kept.
  var readingAside: RowTile<V> {
    var tile = self
    if let kept = aside ?? arrays.output {
      tile.arrays = RowArrays(
        first: arrays.first, second: UnsafePointer(kept), perClass: arrays.perClass, output: arrays.output)
    }
    return tile
  }

  /// Room for a tile of as many elements as `RowWalk` wants in the first-level cache.
  var aside: UnsafeMutablePointer<Element>? {
    if isAcross && classStride != V.count { return nil }
    let elements = classes &* (isAcross ? V.count : count)
    return elements &* MemoryLayout<Element>.stride <= 16384 ? scratch + Self.scratchVectors &* V.count : nil
  }

  var rows: RowSlice { RowSlice(first: firstRow, count: count) }

  /// Compiles `body` twice, once for each kind of line. With passes that are told that they are common, and that take
  /// vectors at the end of a line apart, it is faster by a tenth, and three times as large: for kernels that are called
  /// often, and for what is compiled once for many.
  @inline(__always) func specialized<R>(_ body: (RowTile<V>) -> R) -> R {
    if isAcross {
      return body(
        RowTile(
          across: arrays, stride: classStride, classes: classes, firstRow: firstRow, count: count, scratch: scratch))
    }
    return body(RowTile(along: arrays, classes: classes, firstRow: firstRow, count: count, scratch: scratch))
  }

  //--- Lines and vectors ---

  var lines: Int { isAcross ? 1 : count }

  /// The vectors of a line. All but the last, which may have fewer lanes, are whole: across, whole vectors have a lane for
  /// each row.
  struct Line {
    /// Classes and elements from one vector to the next.
    let step, stride: Int
    /// Classes in whole vectors, and behind them.
    let whole, rest: Int
    /// Lanes of whole vectors.
    let lanes: Int
    let isAcross: Bool

    var wholeVectors: Int { isAcross ? whole : whole / V.count }
  }

  @inline(__always) var line: Line {
    isAcross
      ? Line(step: 1, stride: classStride, whole: classes, rest: 0, lanes: count, isAcross: true)
      : Line(
        step: V.count, stride: V.count, whole: classes / V.count &* V.count, rest: classes % V.count, lanes: V.count,
        isAcross: false)
  }

  /// Has a row several runs?
  fileprivate var isLong: Bool { classes > longestRun &* V.count }

  /// Passes ask for the next tile: it comes in from memory while they compute, if the second-level cache has room for it.
  private var distanceOfNextTile: Int {
    let tileSize = count &* classes
    return !isAcross && tileSize &* MemoryLayout<Element>.stride <= 1 << 18 ? tileSize : 0
  }

  @inline(__always) private func elements(_ row: Int, _ at: Int, _ c: Int, _ n: Int) -> RowElements<V> {
    RowElements(
      x: V.load(arrays.first + at, lanes: n), classes: firstClasses &+ V.Integers(c), row: row, tile: self, at: at,
      firstClass: c, lanes: n)
  }

  /// The classes of a line's first vector.
  @inline(__always) private var firstClasses: V.Integers {
    V.Integers.select(V.Integers(isAcross ? -1 : 0), V.Integers(0), V.Integers.indices)
  }

  /// Calls `body` with each line: its number, where it starts, and the constants of its row or rows.
  @inline(__always)
  private func forEachLine(_ constants: RowConstants<V>, _ body: (Int, _ start: Int, RowConstants<V>) -> Void) {
    let (isAcross, memory, classes) = (self.isAcross, constantsMemory, self.classes)
    if !isAcross { constants.store(memory) }
    for number in 0..<lines { body(number, number &* classes, isAcross ? constants : RowConstants.ofRow(number, memory)) }
  }

  /// Calls `body` with the vectors of a line: first class, place and number of lanes; and `endRun` between runs of
  /// `longestRun` vectors.
  @inline(__always)
  static func walk(
    _ line: Line, from start: Int, isCommon: Bool = false, _ body: (_ c: Int, _ at: Int, _ lanes: Int) -> Void,
    endRun: () -> Void
  ) {
    let run = longestRun &* line.step  // a power of two
    var c = 0, at = start
    // Within a stretch the number of lanes is the same: the inner loop has no case to tell apart.
    var n = line.lanes, end = Swift.min(line.whole, run)
    while true {
      while c < end {
        body(c, at, isCommon && !line.isAcross ? V.count : n)
        c &+= line.step
        at &+= line.stride
      }
      if c >= line.whole &+ line.rest { return }
      if c & (run &- 1) == 0 { endRun() }
      if c == line.whole {
        end = line.whole &+ line.rest
        n = line.rest
        if isCommon { return body(c, at, n) }
      } else {
        end = Swift.min(line.whole, c &+ run)
      }
    }
  }

  /// A pass over all lines that reads, and writes if it keeps something. `begin` gets the constants of a line before its
  /// vectors come.
  @inline(__always)
  private func readLines(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool = false, begin: () -> Void,
    _ body: (RowElements<V>, RowConstants<V>, Int, Int) -> Void, endRun: () -> Void, endLine: (Int) -> Void
  ) {
    let line = self.line, arrays = self.arrays
    let ahead = distanceOfNextTile
    let next = arrays.first + ahead
    // The output's lines are fetched meanwhile as well, of this tile or, if this pass writes here, of the next.
    var untouched = next
    if let output = arrays.output, !(keep && ahead == 0) { untouched = UnsafePointer(output) + (keep ? ahead : 0) }
    forEachLine(constants) { number, start, k in
      begin()
      Self.walk(line, from: start, isCommon: isCommon) { c, at, n in
        prefetch(next + at)
        prefetch(untouched + at)
        body(elements(number, at, c, n), k, at, n)
      } endRun: {
        endRun()
      }
      endLine(number)
    }
  }

  //--- Passes ---

  /// The maximum of each row, ignoring NaN; −inf where there is none.
  @inline(__always) func maximum() -> V { isAcross ? maximumAcross : maximumAlong }

  private var maximumAcross: V {
    let (first, stride) = (arrays.first, classStride)
    var m0 = -V.infinity, m1 = m0
    for pair in 0..<classes / 2 {
      m0 = V.max(V.load(first + 2 &* pair &* stride, lanes: count), m0)
      m1 = V.max(V.load(first + (2 &* pair &+ 1) &* stride, lanes: count), m1)
    }
    if classes & 1 != 0 { m0 = V.max(V.load(first + (classes &- 1) &* stride, lanes: count), m0) }
    return V.max(m0, m1)
  }

  private var maximumAlong: V {
    _ = maximaOfParts()
    foldTile(vectors) { V.max($0, $1) }
    return vectors[0]
  }

  /// The maxima of `V.count` parts of each row, which lie along the classes: a vector for each part, a lane for each row.
  /// They are lost with the next pass over the tile.
  @inline(never) func maximaOfParts() -> UnsafeMutablePointer<Element> {
    let low = -V.infinity
    let ahead = distanceOfNextTile
    for row in 0..<count {
      let start = arrays.first + row &* classes
      // Four running maxima, because one would wait for itself.
      var m0 = low, m1 = low, m2 = low, m3 = low
      var c = classes / (4 &* V.count) &* (4 &* V.count)
      forEachVector(V.self, c..<classes) { c, n in
        let x = V.load(start + c, lanes: n, fill: -.infinity)
        m0 = V.max(x, m0)
      }
      // Backward: the pass that follows begins at the start of the row, and finds it in the cache.
      while c > 0 {
        c &-= 4 &* V.count
        for line in 0..<4 { prefetch(start + (c &+ line &* V.count &+ ahead)) }
        m0 = V.max(V.load(start + c), m0)
        m1 = V.max(V.load(start + (c &+ V.count)), m1)
        m2 = V.max(V.load(start + (c &+ 2 &* V.count)), m2)
        m3 = V.max(V.load(start + (c &+ 3 &* V.count)), m3)
      }
      vectors[row] = V.max(V.max(m0, m1), V.max(m2, m3))
    }
    V.transpose(vectors)
    return UnsafeMutableRawPointer(vectors).assumingMemoryBound(to: Element.self)
  }

  /// The maximum of `value` over each row, ignoring NaN; −inf where there is none.
  @inline(__always)
  func maximum(
    _ constants: RowConstants<V>, isCommon: Bool = false, of value: (RowElements<V>, RowConstants<V>) -> V
  ) -> V {
    let vectors = self.vectors
    // Two running maxima that take turns.
    var m = -V.infinity, other = m
    readLines(constants, keep: false, isCommon: isCommon) {
      m = -V.infinity
      other = m
    } _: { e, k, _, n in
      (m, other) = (other, V.max(value(e, k).first(n, else: -.infinity), m))
    } endRun: {
    } endLine: { line in
      vectors[line] = V.max(m, other)
    }
    if !isAcross { maximaOfRows(vectors) }
    return vectors[0]
  }

  /// The same of values that need no constants.
  @inline(__always) func maximum(_ value: (RowElements<V>) -> V) -> V {
    maximum(RowConstants()) { e, _ in value(e) }
  }

  /// The maximum of `value`, which is never NaN, over each row, and the lowest class that has it; class 0 where it is −inf.
  @inline(__always)
  func highest(
    _ constants: RowConstants<V>, of value: (RowElements<V>, RowConstants<V>) -> V
  ) -> (value: V, class: V.Integers) {
    let (vectors, secondVectors) = (self.vectors, self.secondVectors)
    var m = -V.infinity, place = V.Integers(0)
    readLines(constants, keep: false, isCommon: true) {
      m = -V.infinity
      place = V.Integers(0)
    } _: { e, k, _, n in
      let x = value(e, k).first(n, else: -.infinity)
      place = V.Integers.select(m .< x, e.classes, place)
      m = V.max(x, m)
    } endRun: {
    } endLine: { line in
      vectors[line] = m
      secondVectors[line] = V(bits: place)
    }
    if !isAcross { highestOfRows(vectors, secondVectors) }
    return (vectors[0], secondVectors[0].bits)
  }

  /// The lowest class of each row where `condition` holds; the number of classes where it holds nowhere.
  @inline(__always)
  func lowestClass(
    _ constants: RowConstants<V>, where condition: (RowElements<V>, RowConstants<V>) -> V.Integers
  ) -> V.Integers {
    let vectors = self.vectors
    var lowest = V.Integers(classes)
    readLines(constants, keep: false) {
      lowest = V.Integers(classes)
    } _: { e, k, _, n in
      // To stop at the first of all would cost more, in branches that nothing predicts.
      let holds = condition(e, k) & (e.classes .< lowest)
      lowest = V.Integers.select(holds & V.Integers.first(n), e.classes, lowest)
    } endRun: {
    } endLine: { line in
      vectors[line] = V(bits: lowest)
    }
    if !isAcross { lowestOfRows(vectors) }
    return vectors[0].bits
  }

  /// Sums of the terms of each row. With `keep`, what comes with each term is written to the output.
  ///
  /// - Parameter isCommon: see `specialized`.
  @inline(__always)
  func sum(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool = false,
    terms: (RowElements<V>, RowConstants<V>) -> (term: V, kept: V)
  ) -> V {
    let output = keep ? arrays.output : nil
    let (isAcross, isLong, vectors) = (self.isAcross, self.isLong, self.vectors)
    var sum = RunningSum<V>()
    readLines(constants, keep: keep, isCommon: isCommon) {
      sum = RunningSum()
    } _: { e, k, at, n in
      let t = terms(e, k)
      if let output { t.kept.store(output + at, lanes: n) }
      sum.add(t.term, lanes: n)
    } endRun: {
      sum.endRun()
    } endLine: { line in
      vectors[line] = isAcross ? sum.totals : isLong ? sum.total : sum.run
    }
    if !isAcross { joinSums(self, vectors) }
    return vectors[0]
  }

  /// Sums of `term` over each row. With `keep` the terms are also written to the output.
  @inline(__always)
  func sum(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool = false, _ term: (RowElements<V>, RowConstants<V>) -> V
  ) -> V {
    sum(
      constants, keep: keep, isCommon: isCommon,
      terms: { e, k in
        let t = term(e, k)
        return (t, t)
      })
  }

  /// Two sums over each row, in one pass.
  @inline(__always)
  func sums(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool = false,
    _ terms: (RowElements<V>, RowConstants<V>) -> RowTerms<V>
  ) -> (V, V) {
    sums(constants, keep: keep, isCommon: isCommon, terms: { e, k in terms(e, k) }, endRun: {}, endLine: { _ in })
  }

  @inline(__always)
  private func sums(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool,
    terms: (RowElements<V>, RowConstants<V>) -> RowTerms<V>, endRun: () -> Void, endLine: (Int) -> Void
  ) -> (V, V) {
    let output = keep ? arrays.output : nil
    let (isAcross, isLong, vectors, secondVectors) = (self.isAcross, self.isLong, self.vectors, self.secondVectors)
    var first = RunningSum<V>(), second = RunningSum<V>()
    readLines(constants, keep: keep, isCommon: isCommon) {
      first = RunningSum()
      second = RunningSum()
    } _: { e, k, at, n in
      let t = terms(e, k)
      if let output { t.kept.store(output + at, lanes: n) }
      first.add(t.first, lanes: n)
      second.add(t.second, lanes: n)
    } endRun: {
      first.endRun()
      second.endRun()
      endRun()
    } endLine: { line in
      endLine(line)
      vectors[line] = isAcross ? first.totals : isLong ? first.total : first.run
      secondVectors[line] = isAcross ? second.totals : isLong ? second.total : second.run
    }
    if !isAcross {
      joinSums(self, vectors)
      joinSums(self, secondVectors)
    }
    return (vectors[0], secondVectors[0])
  }

  /// Three sums over each row. With `keep`, one number is kept in the output, and one aside, if there is room for it, where
  /// `readingAside` finds it.
  @inline(__always)
  func sumsKeepingTwo(
    _ constants: RowConstants<V>, keep: Bool, aside: UnsafeMutablePointer<Element>?, isCommon: Bool = false,
    _ terms: (RowElements<V>, RowConstants<V>) -> (RowTerms<V>, third: V, keptAside: V)
  ) -> (V, V, V) {
    let (isAcross, isLong, scratch) = (self.isAcross, self.isLong, self.scratch)
    var third = RunningSum<V>()
    let (first, second) = sums(
      constants, keep: keep, isCommon: isCommon,
      terms: { e, k in
        let t = terms(e, k)
        if let aside { t.keptAside.store(aside + e.at, lanes: e.lanes) }
        third.add(t.third, lanes: e.lanes)
        return t.0
      },
      endRun: { third.endRun() },
      endLine: { line in
        if isAcross { third.totals.store(scratch) } else { scratch[line] = isLong ? third.total[0] : third.run.sum }
        third = RunningSum()
      })
    return (first, second, V.load(UnsafePointer(scratch)))
  }

  /// `Σ term + Σ log(1 + factor)` over each row, for factors from 0 to 1: one logarithm for the product of a run. With `keep`,
  /// what comes with them is written to the output.
  ///
  /// - Parameter isCommon: see `specialized`.
  @inline(__always)
  func sumWithLogarithms(
    _ constants: RowConstants<V>, keep: Bool, isCommon: Bool = false,
    _ terms: (RowElements<V>, RowConstants<V>) -> (term: V, factor: V, kept: V)
  ) -> V {
    let output = keep ? arrays.output : nil
    let (isAcross, isLong) = (self.isAcross, self.isLong)
    let (vectors, secondVectors) = (self.vectors, self.secondVectors)
    var sum = RunningSum<V>()
    // Π (1 + factor) − 1: what is small beside 1 is not lost.
    var excess = V.zero
    readLines(constants, keep: keep, isCommon: isCommon) {
      sum = RunningSum()
      excess = V.zero
    } _: { e, k, at, n in
      let t = terms(e, k)
      if let output { t.kept.store(output + at, lanes: n) }
      sum.add(t.term, lanes: n)
      excess = V.fma(t.factor.first(n, else: 0), V.one + excess, excess)
    } endRun: {
      sum.add(V.log1p(excess), lanes: V.count)
      sum.endRun()
      excess = V.zero
    } endLine: { line in
      secondVectors[line] = excess
      if isAcross || isLong { sum.add(V.log1p(excess), lanes: V.count) }
      vectors[line] = isAcross ? sum.totals : isLong ? sum.total : sum.run
    }
    if !isAcross { joinSums(self, vectors) }
    return isAcross || isLong ? vectors[0] : vectors[0] + logarithmsOfRows(secondVectors)
  }

  /// `output = value`.
  ///
  /// - Parameter isCommon: see `specialized`.
  @inline(__always)
  func map(
    _ constants: RowConstants<V>, isCommon: Bool = false, _ value: (RowElements<V>, RowConstants<V>) -> V
  ) {
    guard let output = arrays.output else { return }
    forEachElement(constants, isCommon: isCommon) { e, k, at, n in value(e, k).store(output + at, lanes: n) }
  }

  /// `(output, secondOutput) = values`.
  @inline(__always)
  func mapToBoth(_ constants: RowConstants<V>, _ values: (RowElements<V>, RowConstants<V>) -> (V, V)) {
    forEachElement(constants) { e, k, at, n in
      let both = values(e, k)
      if let output = arrays.output { both.0.store(output + at, lanes: n) }
      if let output = arrays.secondOutput { both.1.store(output + at, lanes: n) }
    }
  }

  /// The vectors of the rows, each with its place and its number of lanes.
  @inline(__always)
  private func forEachElement(
    _ constants: RowConstants<V>, isCommon: Bool = false, _ body: (RowElements<V>, RowConstants<V>, Int, Int) -> Void
  ) {
    let line = self.line
    let restVectors = line.rest == 0 ? 0 : 1, wholeVectors = line.wholeVectors
    // Of a row that the second-level cache cannot hold, the pass before has left the end there: begin with that.
    let isBackward = !isAcross && classes &* MemoryLayout<Element>.stride > 1 << 18
    let first = isBackward ? wholeVectors &+ restVectors &- 1 : 0
    let step = isBackward ? 0 &- line.step : line.step
    let stride = isBackward ? 0 &- line.stride : line.stride
    forEachLine(constants) { number, start, k in
      var c = first &* line.step, at = start &+ first &* line.stride
      var n = isBackward ? line.rest : line.lanes
      var left = isBackward ? restVectors : wholeVectors
      var others = isBackward ? wholeVectors : restVectors
      if isCommon && !isBackward {
        for _ in 0..<wholeVectors {
          body(elements(number, at, c, isAcross ? n : V.count), k, at, isAcross ? n : V.count)
          c &+= step
          at &+= stride
        }
        n = line.rest
        left = restVectors
        others = 0
      }
      while true {
        while left > 0 {
          body(elements(number, at, c, n), k, at, n)
          c &+= step
          at &+= stride
          left &-= 1
        }
        if others == 0 { break }
        n = isBackward ? line.lanes : line.rest
        left = others
        others = 0
      }
    }
  }

  //--- Single elements ---

  /// Where the element of a row and a class is in the arrays.
  @inline(__always) private func place(_ row: Int, _ c: Int) -> Int {
    isAcross ? c &* classStride &+ row : row &* classes &+ c
  }

  /// The element of the first input, of the second, or of the output, that stands at a class of a row.
  @inline(__always) func input(row: Int, class c: Int) -> Element { arrays.first[place(row, c)] }
  @inline(__always) func secondInput(row: Int, class c: Int) -> Element { arrays.second[place(row, c)] }
  @inline(__always) func setOutput(row: Int, class c: Int, _ value: Element) { arrays.output![place(row, c)] = value }

  /// The elements of the first input at one class of each row.
  @inline(never) func inputs(at classes: V.Integers) -> V { gathered(at: classes) }

  /// Writes one element of each row.
  @inline(never) func setOutputs(at classes: V.Integers, _ values: V) { scatter(values, at: classes) }

  /// `inputs(at:)` for what is itself compiled once for many kernels.
  @inline(__always) func gathered(at classes: V.Integers) -> V {
    V(bits: classes).store(scratch)
    (scratch + V.count).update(repeating: 0, count: V.count)
    for row in 0..<count { scratch[V.count &+ row] = input(row: row, class: V.Integers.lane(row, of: scratch)) }
    return V.load(UnsafePointer(scratch + V.count))
  }

  /// `setOutputs(at:)` for what is itself compiled once for many kernels.
  @inline(__always) func scatter(_ values: V, at classes: V.Integers) {
    V(bits: classes).store(scratch)
    values.store(scratch + V.count)
    for row in 0..<count { setOutput(row: row, class: V.Integers.lane(row, of: scratch), scratch[V.count &+ row]) }
  }
}

/// A sum in the making, lane by lane: the terms are added in their own precision in runs, the runs as doubles.
private struct RunningSum<V: Lanes> {
  private(set) var run = V.zero
  private var low = DoubleLanes.zero, high = DoubleLanes.zero

  @inline(__always) mutating func add(_ terms: V, lanes n: Int) {
    run = run.adding(terms, first: n)
  }

  @inline(__always) mutating func endRun() {
    let doubles = run.doubles
    low = low + doubles.0
    high = high + doubles.1
    run = V.zero
  }

  /// The sum of all lanes, in each.
  @inline(__always) var total: V {
    let rest = run.doubles
    return V(V.Element(((low + rest.0) + (high + rest.1)).sum))
  }

  /// The sums of the lanes, each by itself.
  @inline(__always) var totals: V {
    let rest = run.doubles
    return V(low + rest.0, high + rest.1)
  }
}

/// Makes of the sums of a tile's lines along the classes, `vectors`, those of its rows, in the first vector.
@inline(never) private func joinSums<V: Lanes>(_ tile: RowTile<V>, _ vectors: UnsafeMutablePointer<V>) {
  if !tile.isLong { return sumsOfRows(vectors) }
  var result = V.zero
  for row in 0..<tile.count { result[row] = vectors[row][0] }
  vectors[0] = result
}

/// `Σ log(1 + x)` of each row of a tile of products of up to 16 numbers from 1 to 2, less 1.
@inline(never) private func logarithmsOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) -> V {
  V.transpose(tile)
  var step = V.count / 2
  // 2^64 is in the range of all floats.
  while step >= V.count / 4 {
    for i in 0..<step { tile[i] = V.fma(tile[i &+ step], V.one + tile[i], tile[i]) }
    step /= 2
  }
  var sum = V.log1p(tile[0])
  for i in 1..<(V.count / 4) { sum = sum + V.log1p(tile[i]) }
  return sum
}

/// The maxima of the rows of a tile, left in its first vector.
@inline(never) private func maximaOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  foldTile(tile) { V.max($0, $1) }
}

/// The maxima of the rows of a tile and the lowest of the places that have them, left in the first vectors.
@inline(never)
private func highestOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>, _ places: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  V.transpose(places)
  var step = V.count / 2
  while step > 0 {
    for i in 0..<step {
      let a = tile[i], b = tile[i &+ step]
      let placeOfA = places[i].bits, placeOfB = places[i &+ step].bits
      let isInB = (a .< b) | ((a .== b) & (placeOfB .< placeOfA))
      tile[i] = V.max(a, b)
      places[i] = V(bits: V.Integers.select(isInB, placeOfB, placeOfA))
    }
    step /= 2
  }
}

/// The lowest of the integers in each row of a tile, left in its first vector.
@inline(never) private func lowestOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  foldTile(tile) { a, b in V(bits: V.Integers.select(b.bits .< a.bits, b.bits, a.bits)) }
}

/// The sums of the rows of a tile, left in its first vector.
@inline(never) private func sumsOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  foldTile(tile) { $0 + $1 }
}

/// Joins the vectors of a tile pairwise, until one is left, the first.
@inline(__always)
private func foldTile<V: Lanes>(_ tile: UnsafeMutablePointer<V>, _ join: (V, V) -> V) {
  var step = V.count / 2
  while step > 0 {
    for i in 0..<step { tile[i] = join(tile[i], tile[i &+ step]) }
    step /= 2
  }
}

/// `V.count` vectors on the stack.
struct VectorTile<V: Lanes> {
  private var bytes = InlineArray<136, UInt64>(repeating: 0)

  @inline(__always) mutating func withPointer<R>(_ body: (UnsafeMutablePointer<V>) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) { body(aligned($0.baseAddress!).assumingMemoryBound(to: V.self)) }
  }
}

/// The first address from `p` on that starts a cache line. Swift aligns vectors on the stack to 16 bytes only, and
/// vectors that straddle two lines cost twice.
@inline(__always) func aligned(_ p: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
  p + (-Int(bitPattern: p) & 63)
}

