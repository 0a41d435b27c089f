// The Rowwise engine: rows of classes, their statistics, and maps and losses on them.
//
// Rows are worked on in tiles of up to `V.count` rows. Within a tile the per-row quantities (maximum, sum, target, loss)
// are one vector, lane r for row r, so that a row formula runs once for many rows. Along the classes a tile is walked
// in one of two ways, chosen by the shape:
//
//   LongRows     classes are contiguous and many: lanes run along the classes of one row, then of the next;
//   ColumnRows   lanes run across rows: channel-first layouts as they are, short rows through a transposed copy of the
//                tile (16 rows of 10 classes fill vectors that a single row would leave mostly empty).
//
// Sums within a row: the terms are added in their own precision in runs of at most 16 a lane, the runs are added as
// doubles. Relative error of a sum of positive terms: at most (16 + 2)·2⁻²⁴ < 1.1e-6 in f32, whatever the length.

/// An array seen as rows of classes: element (o, c, i) at `(o · classes + c) · inner + i`, row number `o · inner + i`.
struct RowShape {
  let outer: Int
  let classes: Int
  let inner: Int
  var rows: Int { outer &* inner }

  /// nil where a size is negative, `classes` is 0, or the array is too large.
  init?(_ outer: Int, _ classes: Int, _ inner: Int) {
    // Lanes of a float vector hold class numbers in 32 bits.
    guard elementCount(outer, classes, inner) != nil, elementCount(outer, inner) != nil,
      classes > 0, classes <= Int(Int32.max)
    else { return nil }
    self.outer = outer
    self.classes = classes
    self.inner = inner
  }
}

/// A vector of elements, as a pass over a tile sees them.
struct RowElements<V: Lanes> {
  /// From the first and the second input.
  let x, y: V
  /// From the per-class array; 1 where there is none.
  let perClass: V
  /// From the output: what an earlier pass kept there.
  let kept: V
  /// The class numbers of the lanes.
  let classes: V.Integers
  /// From the mask: which lanes take part. All where there is none.
  let mask: V.Integers
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

  /// Calls `body` with a function that gives the constants of one row, in all lanes. They are read back from `memory`,
  /// which is aligned as vectors want it; reading lanes of a value on the stack takes half as long again for short rows.
  @inline(__always)
  func withRows<R>(_ memory: UnsafeMutablePointer<V.Element>, _ body: ((Int) -> RowConstants) -> R) -> R {
    @inline(__always) func place(_ constant: Int) -> UnsafeMutablePointer<V.Element> { memory + constant &* V.count }
    a.store(place(0))
    b.store(place(1))
    c.store(place(2))
    d.store(place(3))
    e.store(place(4))
    f.store(place(5))
    g.store(place(6))
    h.store(place(7))
    V(bits: target).store(place(8))
    return body { row in
      RowConstants(
        a: V(place(0)[row]), b: V(place(1)[row]), c: V(place(2)[row]), d: V(place(3)[row]), e: V(place(4)[row]),
        f: V(place(5)[row]), g: V(place(6)[row]), h: V(place(7)[row]), target: V(place(8)[row]).bits)
    }
  }
}

/// What a class adds to two sums over its row, and what is kept of it in the output.
struct RowTerms<V: Lanes> {
  let first, second: V
  var kept = V.zero
}

/// Up to `V.count` rows and the passes over their elements.
protocol RowTile {
  associatedtype V: Lanes
  typealias Element = V.Element

  var classes: Int { get }
  var firstRow: Int { get }
  var count: Int { get }
  /// The maximum of `value` over each row, ignoring NaN; −inf where there is none.
  func maximum(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) -> V
  /// The lowest class of each row where `condition` holds; the number of classes where it holds nowhere.
  func lowestClass(_ constants: RowConstants<V>, where condition: (RowElements<V>, RowConstants<V>) -> V.Integers)
    -> V.Integers
  /// Sums of the terms of each row. With `keep`, what comes with each term is written to the output.
  func sum(
    _ constants: RowConstants<V>, keep: Bool, terms: (RowElements<V>, RowConstants<V>) -> (term: V, kept: V)
  ) -> V
  /// Two sums over each row, in one pass.
  func sums(_ constants: RowConstants<V>, keep: Bool, _ terms: (RowElements<V>, RowConstants<V>) -> RowTerms<V>) -> (V, V)
  /// `Σ e^{x/T}` of each row.
  func extendedSum(_ exponential: ScaledExponential<V>) -> ExtendedNumber<V>
  /// `output = value`.
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V)
  /// `(output, secondOutput) = values`.
  func mapToBoth(_ constants: RowConstants<V>, _ values: (RowElements<V>, RowConstants<V>) -> (V, V))
  /// The element of the first input, of the second, or of the output, that stands at a class of a row.
  func input(row: Int, class c: Int) -> Element
  func secondInput(row: Int, class c: Int) -> Element
  func setOutput(row: Int, class c: Int, _ value: Element)
  /// Aligned memory of two vectors, for the two functions below.
  var scratch: UnsafeMutablePointer<Element> { get }

  // WideRows.swift: in double precision.

  /// Sums of two terms over each row.
  func wideSums(_ constants: WideConstants<V>, _ terms: WideTerms) -> (low: WideSums, high: WideSums)
  /// `output = value`.
  func wideMap(
    _ constants: WideConstants<V>, _ value: (_ x: DoubleLanes, _ y: DoubleLanes, _ k: WideRow) -> DoubleLanes)

  // RowCandidates.swift: the elements that decide.

  /// The elements of each row that are at least `bound`, or NaN, as a tile of their own; −inf where a row has fewer than
  /// others. nil where there are too many.
  func candidates(atLeast bound: V, _ memory: CandidateMemory<V>) -> Candidates<V>?
  /// Makes −inf of the candidates of a row that equal x and belong to classes after c.
  func remove(_ candidates: Candidates<V>, row: Int, equalTo x: Element, after c: Int, _ memory: CandidateMemory<V>)
  /// Writes the output of the candidates' tile to where they came from, and `background` everywhere else.
  func put(_ candidates: Candidates<V>, background: V, _ memory: CandidateMemory<V>)
  /// The maxima of parts of each row, at least `parts` of them, as a tile of their own. nil where that is no gain.
  func partialMaxima(_ parts: Int, _ memory: CandidateMemory<V>) -> ColumnRows<V>?
  /// How many elements of each row are at least `bound`?
  func count(atLeast bound: V) -> V.Integers
}

extension RowTile {
  /// The elements of the first input at one class of each row.
  @inline(__always) func inputs(at classes: V.Integers) -> V {
    V(bits: classes).store(scratch)
    (scratch + V.count).update(repeating: 0, count: V.count)
    for row in 0..<count { scratch[V.count &+ row] = input(row: row, class: V.Integers.lane(row, of: scratch)) }
    return V.load(UnsafePointer(scratch + V.count))
  }

  /// Writes one element of each row.
  @inline(__always) func setOutputs(at classes: V.Integers, _ values: V) {
    V(bits: classes).store(scratch)
    values.store(scratch + V.count)
    for row in 0..<count { setOutput(row: row, class: V.Integers.lane(row, of: scratch), scratch[V.count &+ row]) }
  }
}

extension RowTile {
  /// The same of values that need no constants.
  @inline(__always) func maximum(_ value: (RowElements<V>) -> V) -> V {
    maximum(RowConstants()) { e, _ in value(e) }
  }

  /// Sums of `term` over each row. With `keep` the terms are also written to the output.
  @inline(__always)
  func sum(_ constants: RowConstants<V>, keep: Bool, _ term: (RowElements<V>, RowConstants<V>) -> V) -> V {
    sum(
      constants, keep: keep,
      terms: { e, k in
        let t = term(e, k)
        return (t, t)
      })
  }
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

struct LongRows<V: Lanes>: RowTile {
  let arrays: RowArrays<V.Element>
  let classes: Int
  let firstRow: Int
  let count: Int
  let scratch: UnsafeMutablePointer<V.Element>
  /// Where the constants of rows, and the vectors that are joined, lie for a while.
  var constantsMemory: UnsafeMutablePointer<V.Element> { scratch + 2 &* V.count }
  private var vectors: UnsafeMutablePointer<V> {
    UnsafeMutableRawPointer(scratch + 12 &* V.count).assumingMemoryBound(to: V.self)
  }
  private var secondVectors: UnsafeMutablePointer<V> { vectors + V.count }
  /// Has a row several runs?
  private var isLong: Bool { classes > longestRun &* V.count }

  /// Rows in a tile: as many as keep input and output in the first-level cache, from 1 to `V.count`.
  static func rowsInTile(_ classes: Int) -> Int {
    Swift.min(V.count, Swift.max(1, 16384 / (classes &* MemoryLayout<V.Element>.stride)))
  }

  /// Passes ask for the next tile: it comes in from memory while they compute, if the second-level cache has room for it.
  private var distanceOfNextTile: Int {
    let tileSize = count &* classes
    return tileSize &* MemoryLayout<Element>.stride <= 1 << 18 ? tileSize : 0
  }

  @inline(__always)
  private func elements(_ at: Int, _ c: Int, _ n: Int) -> RowElements<V> {
    RowElements(
      x: V.load(arrays.first + at, lanes: n), y: V.load(arrays.second + at, lanes: n),
      perClass: arrays.perClass.map { V.load($0 + c, lanes: n) } ?? V.one,
      kept: arrays.output.map { V.load(UnsafePointer($0) + at, lanes: n) } ?? V.zero,
      classes: V.Integers.indices &+ V.Integers(c),
      mask: arrays.mask.map { V.Integers.load($0 + at, lanes: n) } ?? V.Integers(-1))
  }

  @inline(__always)
  func maximum(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) -> V {
    let ahead = distanceOfNextTile
    return constants.withRows(constantsMemory) { constantsOf in
      joined(maximaOfRows, { $0.maximum }) { row in
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        // Four running maxima, because one would wait for itself.
        let low = V(-Element.infinity)
        var m0 = low, m1 = low, m2 = low, m3 = low
        var c = classes / (4 &* V.count) &* (4 &* V.count)
        forEachVector(V.self, c..<classes) { c, n in
          let x = value(elements(start &+ c, c, n), k)
          m0 = V.max(n == V.count ? x : V.select(V.Integers.first(n), x, low), m0)
        }
        // Backward: the pass that follows begins at the start of the row, and finds it in the cache.
        while c > 0 {
          c &-= 4 &* V.count
          for line in 0..<4 { prefetch(arrays.first + (start &+ c &+ line &* V.count &+ ahead)) }
          m0 = V.max(value(elements(start &+ c, c, V.count), k), m0)
          m1 = V.max(value(elements(start &+ c &+ V.count, c &+ V.count, V.count), k), m1)
          m2 = V.max(value(elements(start &+ c &+ 2 &* V.count, c &+ 2 &* V.count, V.count), k), m2)
          m3 = V.max(value(elements(start &+ c &+ 3 &* V.count, c &+ 3 &* V.count, V.count), k), m3)
        }
        return V.max(V.max(m0, m1), V.max(m2, m3))
      }
    }
  }

  @inline(__always)
  func lowestClass(_ constants: RowConstants<V>, where condition: (RowElements<V>, RowConstants<V>) -> V.Integers)
    -> V.Integers
  {
    let ahead = distanceOfNextTile
    return constants.withRows(constantsMemory) { constantsOf in
      let none = V.Integers(classes)
      for row in 0..<count {
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        // Backward, so that in each lane the lowest class is the last one found. To stop at the first of all would cost
        // more, in branches that nothing predicts.
        let whole = classes / V.count &* V.count
        var lowest = none
        if whole < classes {
          let e = elements(start &+ whole, whole, classes &- whole)
          lowest = V.Integers.select(condition(e, k) & V.Integers.first(classes &- whole), e.classes, none)
        }
        var c = whole
        while c > 0 {
          c &-= V.count
          prefetch(arrays.first + (start &+ c &+ ahead))
          let e = elements(start &+ c, c, V.count)
          lowest = V.Integers.select(condition(e, k), e.classes, lowest)
        }
        vectors[row] = V(bits: lowest)
      }
      lowestOfRows(vectors)
      return vectors[0].bits
    }
  }

  @inline(__always)
  func sum(
    _ constants: RowConstants<V>, keep: Bool, terms: (RowElements<V>, RowConstants<V>) -> (term: V, kept: V)
  ) -> V {
    let output = keep ? arrays.output : nil
    var sum = RunningSum<V>()
    return constants.withRows(constantsMemory) { constantsOf in
      joined(sumsOfRows, { _ in sum.total }) { row in
        sum = RunningSum()
        overClasses(row, constantsOf(row), keep: keep) { e, k, at, n in
          let t = terms(e, k)
          if let output { t.kept.store(output + at, lanes: n) }
          sum.add(t.term, lanes: n)
        } endRun: {
          sum.endRun()
        }
        return sum.run
      }
    }
  }

  @inline(__always)
  func sums(
    _ constants: RowConstants<V>, keep: Bool, _ terms: (RowElements<V>, RowConstants<V>) -> RowTerms<V>
  ) -> (V, V) {
    let output = keep ? arrays.output : nil
    var first = RunningSum<V>(), second = RunningSum<V>()
    var secondSums = V.zero
    return constants.withRows(constantsMemory) { constantsOf in
      let firstSums = joined(sumsOfRows, { _ in first.total }) { row in
        first = RunningSum()
        second = RunningSum()
        overClasses(row, constantsOf(row), keep: keep) { e, k, at, n in
          let t = terms(e, k)
          if let output { t.kept.store(output + at, lanes: n) }
          first.add(t.first, lanes: n)
          second.add(t.second, lanes: n)
        } endRun: {
          first.endRun()
          second.endRun()
        }
        if isLong { secondSums[row] = second.total } else { secondVectors[row] = second.run }
        return first.run
      }
      if isLong { return (firstSums, secondSums) }
      sumsOfRows(secondVectors)
      return (firstSums, secondVectors[0])
    }
  }

  /// A pass over a row that sums: `body` gets the elements, the constants, where the elements are, and how many.
  @inline(__always)
  private func overClasses(
    _ row: Int, _ k: RowConstants<V>, keep: Bool, _ body: (RowElements<V>, RowConstants<V>, Int, Int) -> Void,
    endRun: () -> Void
  ) {
    let ahead = distanceOfNextTile
    // The output's lines are fetched meanwhile as well, of this tile or, if this pass writes here, of the next.
    let untouched = keep && ahead == 0 ? nil : arrays.output.map { UnsafePointer($0) + (keep ? ahead : 0) }
    let start = (firstRow &+ row) &* classes
    @inline(__always) func visit(_ c: Int, _ n: Int) {
      prefetch(arrays.first + (start &+ c &+ ahead))
      if let untouched { prefetch(untouched + (start &+ c)) }
      body(elements(start &+ c, c, n), k, start &+ c, n)
    }
    let whole = classes / V.count &* V.count
    let runLength = longestRun &* V.count
    var c = 0
    while c < whole {
      if c > 0 { endRun() }
      let end = Swift.min(whole, c &+ runLength)
      while c < end {
        visit(c, V.count)
        c &+= V.count
      }
    }
    if whole < classes {
      if whole > 0 && whole % runLength == 0 { endRun() }
      visit(whole, classes &- whole)
    }
  }

  /// One number per row, in its lane, from one vector per row: the vectors of all rows are joined at once, through a
  /// transpose, or, in rows of several runs, each by `single`.
  @inline(__always)
  private func joined(_ join: (UnsafeMutablePointer<V>) -> Void, _ single: (V) -> Element, _ vector: (Int) -> V) -> V {
    if !isLong {
      for row in 0..<count { vectors[row] = vector(row) }
      join(vectors)
      return vectors[0]
    }
    var result = V.zero
    for row in 0..<count { result[row] = single(vector(row)) }
    return result
  }

  @inline(__always)
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) {
    guard let output = arrays.output else { return }
    forEachElement(constants) { e, k, at, n in value(e, k).store(output + at, lanes: n) }
  }

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
    _ constants: RowConstants<V>, _ body: (RowElements<V>, RowConstants<V>, Int, Int) -> Void
  ) {
    // Of a row that the second-level cache cannot hold, the pass before has left the end there: begin with that.
    let isBackward = classes &* MemoryLayout<Element>.stride > 1 << 18
    let step = isBackward ? 0 &- V.count : V.count
    constants.withRows(constantsMemory) { constantsOf in
      for row in 0..<count {
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        @inline(__always) func visit(_ c: Int, _ n: Int) { body(elements(start &+ c, c, n), k, start &+ c, n) }
        let whole = classes / V.count &* V.count
        if whole < classes { visit(whole, classes &- whole) }
        var c = isBackward ? whole &- V.count : 0
        for _ in 0..<classes / V.count {
          visit(c, V.count)
          c &+= step
        }
      }
    }
  }

  @inline(__always) func input(row: Int, class c: Int) -> Element {
    arrays.first[(firstRow &+ row) &* classes &+ c]
  }

  @inline(__always) func secondInput(row: Int, class c: Int) -> Element {
    arrays.second[(firstRow &+ row) &* classes &+ c]
  }

  @inline(__always) func setOutput(row: Int, class c: Int, _ value: Element) {
    arrays.output![(firstRow &+ row) &* classes &+ c] = value
  }
}

/// Lanes across rows: class c of the tile's rows stands at `pointer + c · stride`.
struct ColumnRows<V: Lanes>: RowTile {
  let arrays: RowArrays<V.Element>
  let classes: Int
  let stride: Int
  let firstRow: Int
  let count: Int
  let scratch: UnsafeMutablePointer<V.Element>

  @inline(__always) private func elements(_ c: Int) -> RowElements<V> {
    let at = c &* stride
    return RowElements(
      x: V.load(arrays.first + at, lanes: count), y: V.load(arrays.second + at, lanes: count),
      perClass: arrays.perClass.map { V($0[c]) } ?? V.one,
      kept: arrays.output.map { V.load(UnsafePointer($0) + at, lanes: count) } ?? V.zero, classes: V.Integers(c),
      mask: arrays.mask.map { V.Integers.load($0 + at, lanes: count) } ?? V.Integers(-1))
  }

  @inline(__always)
  func maximum(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) -> V {
    var m = V(-Element.infinity)
    for c in 0..<classes { m = V.max(value(elements(c), constants), m) }
    return m
  }

  @inline(__always)
  func lowestClass(_ constants: RowConstants<V>, where condition: (RowElements<V>, RowConstants<V>) -> V.Integers)
    -> V.Integers
  {
    var result = V.Integers(classes)
    var c = classes
    while c > 0 {
      c &-= 1
      result = V.Integers.select(condition(elements(c), constants), V.Integers(c), result)
    }
    return result
  }

  @inline(__always)
  func sum(
    _ constants: RowConstants<V>, keep: Bool, terms: (RowElements<V>, RowConstants<V>) -> (term: V, kept: V)
  ) -> V {
    let output = keep ? arrays.output : nil
    var sum = RunningSum<V>()
    overClasses { e, at in
      let t = terms(e, constants)
      if let output { t.kept.store(output + at, lanes: count) }
      sum.add(t.term, lanes: V.count)
    } endRun: {
      sum.endRun()
    }
    return sum.totals
  }

  @inline(__always)
  func sums(
    _ constants: RowConstants<V>, keep: Bool, _ terms: (RowElements<V>, RowConstants<V>) -> RowTerms<V>
  ) -> (V, V) {
    let output = keep ? arrays.output : nil
    var first = RunningSum<V>(), second = RunningSum<V>()
    overClasses { e, at in
      let t = terms(e, constants)
      if let output { t.kept.store(output + at, lanes: count) }
      first.add(t.first, lanes: V.count)
      second.add(t.second, lanes: V.count)
    } endRun: {
      first.endRun()
      second.endRun()
    }
    return (first.totals, second.totals)
  }

  /// A pass over the tile that sums: `body` gets the elements of a class, and where they are.
  @inline(__always) private func overClasses(_ body: (RowElements<V>, Int) -> Void, endRun: () -> Void) {
    var c = 0
    while c < classes {
      let end = Swift.min(c &+ longestRun, classes)
      while c < end {
        body(elements(c), c &* stride)
        c &+= 1
      }
      endRun()
    }
  }

  @inline(__always)
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) {
    guard let output = arrays.output else { return }
    for c in 0..<classes { value(elements(c), constants).store(output + c &* stride, lanes: count) }
  }

  @inline(__always)
  func mapToBoth(_ constants: RowConstants<V>, _ values: (RowElements<V>, RowConstants<V>) -> (V, V)) {
    for c in 0..<classes {
      let both = values(elements(c), constants)
      if let output = arrays.output { both.0.store(output + c &* stride, lanes: count) }
      if let output = arrays.secondOutput { both.1.store(output + c &* stride, lanes: count) }
    }
  }

  @inline(__always) func input(row: Int, class c: Int) -> Element { arrays.first[c &* stride &+ row] }

  @inline(__always) func secondInput(row: Int, class c: Int) -> Element { arrays.second[c &* stride &+ row] }

  @inline(__always) func setOutput(row: Int, class c: Int, _ value: Element) {
    arrays.output![c &* stride &+ row] = value
  }
}

/// A sum in the making, lane by lane: the terms are added in their own precision in runs, the runs as doubles.
private struct RunningSum<V: Lanes> {
  private(set) var run = V.zero
  private var low = DoubleLanes.zero, high = DoubleLanes.zero

  @inline(__always) mutating func add(_ terms: V, lanes n: Int) {
    run = run + (n == V.count ? terms : V.select(V.Integers.first(n), terms, V.zero))
  }

  @inline(__always) mutating func endRun() {
    let doubles = run.doubles
    low = low + doubles.0
    high = high + doubles.1
    run = V.zero
  }

  /// The sum of all lanes.
  @inline(__always) var total: V.Element {
    let rest = run.doubles
    return V.Element(((low + rest.0) + (high + rest.1)).sum)
  }

  /// The sums of the lanes, each by itself, of runs that have ended.
  @inline(__always) var totals: V { V(low, high) }
}

/// `V.count` vectors on the stack.
struct VectorTile<V: Lanes> {
  private var bytes = InlineArray<136, UInt64>(repeating: 0)

  @inline(__always) mutating func withPointer<R>(_ body: (UnsafeMutablePointer<V>) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) { body(aligned($0.baseAddress!).assumingMemoryBound(to: V.self)) }
  }
}

/// The maxima of the rows of a tile, left in its first vector. Out of line, as what follows is: it is long, and the same
/// for all kernels.
@inline(never) private func maximaOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  var step = V.count / 2
  while step > 0 {
    for i in 0..<step { tile[i] = V.max(tile[i], tile[i &+ step]) }
    step /= 2
  }
}

/// The lowest of the integers in each row of a tile, left in its first vector.
@inline(never) private func lowestOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  var step = V.count / 2
  while step > 0 {
    for i in 0..<step {
      let a = tile[i].bits, b = tile[i &+ step].bits
      tile[i] = V(bits: V.Integers.select(b .< a, b, a))
    }
    step /= 2
  }
}

/// The sums of the rows of a tile, left in its first vector.
@inline(never) private func sumsOfRows<V: Lanes>(_ tile: UnsafeMutablePointer<V>) {
  V.transpose(tile)
  var step = V.count / 2
  while step > 0 {
    for i in 0..<step { tile[i] = tile[i] + tile[i &+ step] }
    step /= 2
  }
}

/// The first address from `p` on that starts a cache line. Swift aligns vectors on the stack to 16 bytes only, and
/// vectors that straddle two lines cost twice.
@inline(__always) func aligned(_ p: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
  p + (-Int(bitPattern: p) & 63)
}

/// What is done with each tile.
protocol RowKernel {
  associatedtype V: Lanes
  /// What is gathered over the tiles of a part, such as a sum of losses.
  associatedtype Partial
  var empty: Partial { get }
  /// Does it read the second input?
  static var usesSecond: Bool { get }
  func run<Tile: RowTile>(_ tile: Tile, _ partial: inout Partial) where Tile.V == V
  func finish(_ partial: Partial, part: Int)
}

/// A kernel that gathers nothing: all it does is in the outputs.
protocol RowVisitor: RowKernel where Partial == Void {
  func visit<Tile: RowTile>(_ tile: Tile) where Tile.V == V
}

extension RowVisitor {
  static var usesSecond: Bool { false }
  var empty: Void { () }
  @inline(__always) func run<Tile: RowTile>(_ tile: Tile, _ partial: inout Void) where Tile.V == V { visit(tile) }
  @inline(__always) func finish(_ partial: Void, part: Int) {}
}

/// Rows of at most this many vectors are transposed: beyond it they fill vectors well enough on their own.
private let mostTransposedVectors = 2

/// Runs a kernel over all tiles of a call. The parts that threads take, and so every sum's order, depend on the shape
/// alone.
@inline(__always)
func forEachRowTile<K: RowKernel>(_ shape: RowShape, _ arrays: RowArrays<K.V.Element>, _ kernel: K) {
  typealias V = K.V
  let smallestPart = Swift.max(1, smallestElementwisePart / Swift.max(1, shape.classes &* V.count))
  if shape.inner == 1 && shape.classes > mostTransposedVectors &* V.count {
    let height = LongRows<V>.rowsInTile(shape.classes)
    let split = Split((shape.rows &+ height &- 1) / height, smallest: smallestPart &* (V.count / height))
    parallel(split.parts, LongRowsJob(kernel: kernel, shape: shape, arrays: arrays, split: split, height: height))
  } else {
    let tilesAcross = (shape.inner &+ V.count &- 1) / V.count
    let tiles = shape.inner == 1 ? (shape.rows &+ V.count &- 1) / V.count : shape.outer &* tilesAcross
    let split = Split(tiles, smallest: smallestPart)
    parallel(
      split.parts,
      ColumnRowsJob(kernel: kernel, shape: shape, arrays: arrays, split: split, tilesAcross: tilesAcross))
  }
}

private struct LongRowsJob<K: RowKernel>: ParallelJob {
  typealias V = K.V
  let kernel: K
  let shape: RowShape
  let arrays: RowArrays<V.Element>
  let split: Split
  let height: Int

  @inline(__always) func run(part: Int) {
    var partial = kernel.empty
    var storage = LongRowsScratch()
    withUnsafeMutableBytes(of: &storage) { bytes in
      let scratch = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.Element.self)
      for tile in split.range(part) {
        let row = tile &* height
        kernel.run(
          LongRows<V>(
            arrays: arrays, classes: shape.classes, firstRow: row, count: Swift.min(height, shape.rows &- row),
            scratch: scratch), &partial)
      }
    }
    kernel.finish(partial, part: part)
  }
}

private struct ColumnRowsJob<K: RowKernel>: ParallelJob {
  typealias V = K.V
  let kernel: K
  let shape: RowShape
  let arrays: RowArrays<V.Element>
  let split: Split
  let tilesAcross: Int

  @inline(__always) func run(part: Int) {
    var partial = kernel.empty
    var scratch = TileScratch()
    withUnsafeMutableBytes(of: &scratch) { bytes in
      let memory = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.Element.self)
      let transposes = shape.inner == 1
      for tile in split.range(part) {
        let columns = transposes ? transposed(tile, memory) : inPlace(tile, memory)
        kernel.run(columns, &partial)
        if transposes {
          let copy = TransposedTile<V>(memory: memory, classes: shape.classes, count: columns.count)
          if let output = arrays.output { copy.write(copy.output, output + columns.firstRow &* shape.classes) }
          if let output = arrays.secondOutput {
            copy.write(copy.secondOutput, output + columns.firstRow &* shape.classes)
          }
        }
      }
    }
    kernel.finish(partial, part: part)
  }

  @inline(__always) private func inPlace(_ tile: Int, _ memory: UnsafeMutablePointer<V.Element>) -> ColumnRows<V> {
    let o = tile / tilesAcross
    let i = (tile &- o &* tilesAcross) &* V.count
    return ColumnRows<V>(
      arrays: arrays.advanced(by: o &* shape.classes &* shape.inner &+ i), classes: shape.classes, stride: shape.inner,
      firstRow: o &* shape.inner &+ i, count: Swift.min(V.count, shape.inner &- i), scratch: memory)
  }

  @inline(__always) private func transposed(_ tile: Int, _ memory: UnsafeMutablePointer<V.Element>) -> ColumnRows<V> {
    let row = tile &* V.count
    let copy = TransposedTile<V>(
      memory: memory, classes: shape.classes, count: Swift.min(V.count, shape.rows &- row))
    let original = arrays.advanced(by: row &* shape.classes)
    let rest = (shape.rows &- row) &* shape.classes
    copy.read(original.first, rest, copy.first)
    if K.usesSecond { copy.read(original.second, rest, copy.second) }
    return ColumnRows<V>(
      arrays: RowArrays(
        first: UnsafePointer(copy.first), second: UnsafePointer(K.usesSecond ? copy.second : copy.first),
        perClass: arrays.perClass, output: arrays.output == nil ? nil : copy.output,
        secondOutput: arrays.secondOutput == nil ? nil : copy.secondOutput, mask: original.mask.map { copy.readMask($0) }),
      classes: shape.classes, stride: V.count, firstRow: row, count: copy.count, scratch: copy.end)
  }
}

/// Room for four transposed tiles of up to `mostTransposedVectors · V.count` classes, two vectors and the mask: 9 KB on
/// the stack.
private struct TileScratch {
  var bytes = InlineArray<1112, UInt64>(repeating: 0)
}

/// Room for 12 + 2 · `V.count` vectors.
struct LongRowsScratch {
  var bytes = InlineArray<360, UInt64>(repeating: 0)
}

/// A transposed copy of a tile of short rows: class c of all rows is vector c.
private struct TransposedTile<V: Lanes> {
  let memory: UnsafeMutablePointer<V.Element>
  let classes: Int
  let count: Int
  private var capacity: Int { mostTransposedVectors &* V.count &* V.count }
  var first: UnsafeMutablePointer<V.Element> { memory }
  var second: UnsafeMutablePointer<V.Element> { memory + capacity }
  var output: UnsafeMutablePointer<V.Element> { memory + 2 &* capacity }
  var secondOutput: UnsafeMutablePointer<V.Element> { memory + 3 &* capacity }
  var end: UnsafeMutablePointer<V.Element> { memory + 4 &* capacity }
  private var mask: UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(end + 2 &* V.count).assumingMemoryBound(to: UInt8.self)
  }

  /// - Parameter rest: how many elements the source has from the tile's first on.
  @inline(__always)
  func read(_ source: UnsafePointer<V.Element>, _ rest: Int, _ copy: UnsafeMutablePointer<V.Element>) {
    readTransposed(V.self, source, rest, copy, classes, count)
  }

  @inline(__always) func readMask(_ source: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    for row in 0..<count {
      for c in 0..<classes { mask[c &* V.count &+ row] = source[row &* classes &+ c] }
    }
    return UnsafePointer(mask)
  }

  @inline(__always)
  func write(_ copy: UnsafeMutablePointer<V.Element>, _ destination: UnsafeMutablePointer<V.Element>) {
    writeTransposed(V.self, copy, destination, classes, count)
  }
}

/// Whole vectors are loaded wherever the array goes on behind the row, and stored wherever the tile does: what spills
/// into the next row is overwritten with that row. Partial accesses take several times as long.
@inline(never)
private func readTransposed<V: Lanes>(
  _ type: V.Type, _ source: UnsafePointer<V.Element>, _ rest: Int, _ copy: UnsafeMutablePointer<V.Element>,
  _ classes: Int, _ count: Int
) {
  forEachVector(V.self, 0..<classes) { c, n in
    let block = UnsafeMutableRawPointer(copy + c &* V.count).assumingMemoryBound(to: V.self)
    let spare = rest &- c &- V.count
    let whole = spare < 0 ? 0 : Swift.min(count, spare / classes &+ 1)
    for row in 0..<whole { block[row] = V.load(source + (row &* classes &+ c)) }
    for row in whole..<count { block[row] = V.load(source + (row &* classes &+ c), lanes: n) }
    for row in count..<V.count { block[row] = V.zero }
    V.transpose(block)
  }
}

/// Destroys the copy.
@inline(never)
private func writeTransposed<V: Lanes>(
  _ type: V.Type, _ copy: UnsafeMutablePointer<V.Element>, _ destination: UnsafeMutablePointer<V.Element>,
  _ classes: Int, _ count: Int
) {
  let vectors = (classes &+ V.count &- 1) / V.count
  let blocks = UnsafeMutableRawPointer(copy).assumingMemoryBound(to: V.self)
  for vector in 0..<vectors { V.transpose(blocks + vector &* V.count) }
  for row in 0..<count {
    for vector in 0..<vectors {
      let at = row &* classes &+ vector &* V.count
      let value = blocks[vector &* V.count &+ row]
      if at &+ V.count <= count &* classes {
        value.store(destination + at)
      } else {
        value.store(destination + at, lanes: Swift.min(V.count, classes &- vector &* V.count))
      }
    }
  }
}
