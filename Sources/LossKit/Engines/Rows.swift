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

/// The most terms that a lane adds in its own precision.
private let longestRun = 16

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
}

/// What a pass over a tile may know of each row, besides the elements.
struct RowConstants<V: Lanes> {
  var a = V.zero
  var b = V.zero
  var c = V.zero
  var d = V.zero
  var target = V.Integers(0)

  /// Calls `body` with a function that gives the constants of one row, in all lanes. They are read back from memory
  /// that is aligned as vectors want it; reading lanes of a value on the stack takes half as long again for short rows.
  @inline(__always) func withRows<R>(_ body: ((Int) -> RowConstants) -> R) -> R {
    var storage = InlineArray<48, UInt64>(repeating: 0)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      let lanes = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.Element.self)
      a.store(lanes)
      b.store(lanes + V.count)
      c.store(lanes + 2 &* V.count)
      d.store(lanes + 3 &* V.count)
      V(bits: target).store(lanes + 4 &* V.count)
      return body { row in
        RowConstants(
          a: V(lanes[row]), b: V(lanes[V.count &+ row]), c: V(lanes[2 &* V.count &+ row]),
          d: V(lanes[3 &* V.count &+ row]), target: V(lanes[4 &* V.count &+ row]).bits)
      }
    }
  }
}

/// Up to `V.count` rows and the passes over their elements.
protocol RowTile {
  associatedtype V: Lanes
  typealias Element = V.Element

  var classes: Int { get }
  var firstRow: Int { get }
  var count: Int { get }
  /// The maximum of `value` over each row, ignoring NaN; −inf where there is none. `value` is called with x and
  /// perClass only.
  func maximum(_ value: (RowElements<V>) -> V) -> V
  /// Sums of `term` over each row. With `keep` the terms are also written to the output.
  func sum(_ constants: RowConstants<V>, keep: Bool, _ term: (RowElements<V>, RowConstants<V>) -> V) -> V
  /// `output = value`.
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V)
  /// The element of the first input, or of the output, that stands at a class of a row.
  func input(row: Int, class c: Int) -> Element
  func setOutput(row: Int, class c: Int, _ value: Element)

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

/// The arrays of a call.
struct RowArrays<S: Scalar> {
  let first: UnsafePointer<S>
  /// A second input of the same shape; the first again where there is none.
  let second: UnsafePointer<S>
  /// One number per class.
  let perClass: UnsafePointer<S>?
  /// Absent where nothing is written.
  let output: UnsafeMutablePointer<S>?

  @inline(__always) func advanced(by offset: Int) -> RowArrays {
    RowArrays(
      first: first + offset, second: second + offset, perClass: perClass, output: output.map { $0 + offset })
  }
}

struct LongRows<V: Lanes>: RowTile {
  let arrays: RowArrays<V.Element>
  let classes: Int
  let firstRow: Int
  let count: Int

  /// Rows in a tile: as many as keep input and output in the first-level cache, from 1 to `V.count`.
  static func rowsInTile(_ classes: Int) -> Int {
    Swift.min(V.count, Swift.max(1, 16384 / (classes &* MemoryLayout<V.Element>.stride)))
  }

  @inline(__always)
  private func elements(_ at: Int, _ c: Int, _ n: Int, fill: Element = 0) -> RowElements<V> {
    RowElements(
      x: V.load(arrays.first + at, lanes: n, fill: fill), y: V.load(arrays.second + at, lanes: n),
      perClass: arrays.perClass.map { V.load($0 + c, lanes: n) } ?? V.one,
      kept: arrays.output.map { V.load(UnsafePointer($0) + at, lanes: n) } ?? V.zero,
      classes: V.Integers.indices &+ V.Integers(c))
  }

  @inline(__always) func maximum(_ value: (RowElements<V>) -> V) -> V {
    joined(maximaOfRows, { $0.maximum }) { row in
      let start = (firstRow &+ row) &* classes
      // Four running maxima, because one would wait for itself.
      let low = V(-Element.infinity)
      var m0 = low, m1 = low, m2 = low, m3 = low
      var c = classes / (4 &* V.count) &* (4 &* V.count)
      forEachVector(V.self, c..<classes) { c, n in
        m0 = V.max(value(elements(start &+ c, c, n, fill: -.infinity)), m0)
      }
      // Backward: the pass that follows begins at the start of the row, and finds it in the cache.
      while c > 0 {
        c &-= 4 &* V.count
        m0 = V.max(value(elements(start &+ c, c, V.count)), m0)
        m1 = V.max(value(elements(start &+ c &+ V.count, c &+ V.count, V.count)), m1)
        m2 = V.max(value(elements(start &+ c &+ 2 &* V.count, c &+ 2 &* V.count, V.count)), m2)
        m3 = V.max(value(elements(start &+ c &+ 3 &* V.count, c &+ 3 &* V.count, V.count)), m3)
      }
      return V.max(V.max(m0, m1), V.max(m2, m3))
    }
  }

  @inline(__always)
  func sum(_ constants: RowConstants<V>, keep: Bool, _ term: (RowElements<V>, RowConstants<V>) -> V) -> V {
    // This pass is the one that computes: while it does, the next tile comes in from memory, if the second-level cache
    // has room for it.
    let tileSize = count &* classes
    let ahead = tileSize &* MemoryLayout<Element>.stride <= 1 << 18 ? tileSize : 0
    let output = keep ? arrays.output : nil
    var low = DoubleLanes.zero, high = DoubleLanes.zero
    return constants.withRows { constantsOf in
      joined(sumsOfRows, { rest in
        let rest = rest.doubles
        return Element(((low + rest.0) + (high + rest.1)).sum)
      }) { row in
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        low = DoubleLanes.zero
        high = DoubleLanes.zero
        var run = V.zero
        var runEnd = longestRun &* V.count
        forEachVector(V.self, 0..<classes) { c, n in
          if c == runEnd {
            let doubles = run.doubles
            low = low + doubles.0
            high = high + doubles.1
            run = V.zero
            runEnd &+= longestRun &* V.count
          }
          prefetch(arrays.first + (start &+ c &+ ahead))
          let t = term(elements(start &+ c, c, n), k)
          if let output { t.store(output + (start &+ c), lanes: n) }
          run = run + (n == V.count ? t : V.select(V.Integers.first(n), t, V.zero))
        }
        return run
      }
    }
  }

  /// One number per row, in its lane, from one vector per row: the vectors of all rows are joined at once, through a
  /// transpose, or, in rows of several runs, each by `single`.
  @inline(__always)
  private func joined(_ join: (UnsafeMutablePointer<V>) -> Void, _ single: (V) -> Element, _ vector: (Int) -> V) -> V {
    var scratch = VectorTile<V>()
    return scratch.withPointer { tile in
      let isLong = classes > longestRun &* V.count
      var result = V.zero
      for row in 0..<count {
        let v = vector(row)
        if isLong { result[row] = single(v) } else { tile[row] = v }
      }
      if isLong { return result }
      join(tile)
      return tile[0]
    }
  }

  @inline(__always)
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) {
    guard let output = arrays.output else { return }
    // Of a row that the second-level cache cannot hold, the pass before has left the end there: begin with that.
    let isBackward = classes &* MemoryLayout<Element>.stride > 1 << 18
    let step = isBackward ? 0 &- V.count : V.count
    constants.withRows { constantsOf in
      for row in 0..<count {
        let start = (firstRow &+ row) &* classes
        let k = constantsOf(row)
        @inline(__always) func write(_ c: Int, _ n: Int) {
          value(elements(start &+ c, c, n), k).store(output + (start &+ c), lanes: n)
        }
        let whole = classes / V.count &* V.count
        if whole < classes { write(whole, classes &- whole) }
        var c = isBackward ? whole &- V.count : 0
        for _ in 0..<classes / V.count {
          write(c, V.count)
          c &+= step
        }
      }
    }
  }

  @inline(__always) func input(row: Int, class c: Int) -> Element {
    arrays.first[(firstRow &+ row) &* classes &+ c]
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

  @inline(__always) private func elements(_ c: Int) -> RowElements<V> {
    let at = c &* stride
    return RowElements(
      x: V.load(arrays.first + at, lanes: count), y: V.load(arrays.second + at, lanes: count),
      perClass: arrays.perClass.map { V($0[c]) } ?? V.one,
      kept: arrays.output.map { V.load(UnsafePointer($0) + at, lanes: count) } ?? V.zero, classes: V.Integers(c))
  }

  @inline(__always) func maximum(_ value: (RowElements<V>) -> V) -> V {
    var m = V(-Element.infinity)
    for c in 0..<classes { m = V.max(value(elements(c)), m) }
    return m
  }

  @inline(__always)
  func sum(_ constants: RowConstants<V>, keep: Bool, _ term: (RowElements<V>, RowConstants<V>) -> V) -> V {
    let output = keep ? arrays.output : nil
    var low = DoubleLanes.zero, high = DoubleLanes.zero
    var c = 0
    while c < classes {
      let end = Swift.min(c &+ longestRun, classes)
      var run = V.zero
      while c < end {
        let t = term(elements(c), constants)
        if let output { t.store(output + c &* stride, lanes: count) }
        run = run + t
        c &+= 1
      }
      let doubles = run.doubles
      low = low + doubles.0
      high = high + doubles.1
    }
    return V(low, high)
  }

  @inline(__always)
  func map(_ constants: RowConstants<V>, _ value: (RowElements<V>, RowConstants<V>) -> V) {
    guard let output = arrays.output else { return }
    for c in 0..<classes { value(elements(c), constants).store(output + c &* stride, lanes: count) }
  }

  @inline(__always) func input(row: Int, class c: Int) -> Element { arrays.first[c &* stride &+ row] }

  @inline(__always) func setOutput(row: Int, class c: Int, _ value: Element) {
    arrays.output![c &* stride &+ row] = value
  }
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
    for tile in split.range(part) {
      let row = tile &* height
      kernel.run(
        LongRows<V>(
          arrays: arrays, classes: shape.classes, firstRow: row, count: Swift.min(height, shape.rows &- row)), &partial)
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
        let columns = transposes ? transposed(tile, memory) : inPlace(tile)
        kernel.run(columns, &partial)
        if transposes, let output = arrays.output {
          TransposedTile<V>(memory: memory, classes: shape.classes, count: columns.count)
            .write(output + columns.firstRow &* shape.classes)
        }
      }
    }
    kernel.finish(partial, part: part)
  }

  @inline(__always) private func inPlace(_ tile: Int) -> ColumnRows<V> {
    let o = tile / tilesAcross
    let i = (tile &- o &* tilesAcross) &* V.count
    return ColumnRows<V>(
      arrays: arrays.advanced(by: o &* shape.classes &* shape.inner &+ i), classes: shape.classes, stride: shape.inner,
      firstRow: o &* shape.inner &+ i, count: Swift.min(V.count, shape.inner &- i))
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
        perClass: arrays.perClass, output: arrays.output == nil ? nil : copy.output),
      classes: shape.classes, stride: V.count, firstRow: row, count: copy.count)
  }
}

/// Room for three transposed tiles of up to `mostTransposedVectors · V.count` classes: 6 KB on the stack.
private struct TileScratch {
  var bytes = InlineArray<776, UInt64>(repeating: 0)
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

  /// - Parameter rest: how many elements the source has from the tile's first on.
  @inline(__always)
  func read(_ source: UnsafePointer<V.Element>, _ rest: Int, _ copy: UnsafeMutablePointer<V.Element>) {
    readTransposed(V.self, source, rest, copy, classes, count)
  }

  @inline(__always) func write(_ destination: UnsafeMutablePointer<V.Element>) {
    writeTransposed(V.self, output, destination, classes, count)
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
