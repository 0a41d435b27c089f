// How a call's rows are divided into tiles.

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

/// The rows of a tile.
struct RowSlice {
  let first: Int
  let count: Int

  /// The rows' entries of a per-row array, as lanes.
  @inline(__always) func load<S: Scalar>(_ perRow: UnsafePointer<S>) -> S.Vector {
    S.Vector.load(perRow + first, first: count, fill: 0)
  }

  @inline(__always) func store<S: Scalar>(_ values: S.Vector, _ perRow: UnsafeMutablePointer<S>) {
    values.store(perRow + first, first: count)
  }
}

/// What a kernel has besides its tile.
enum KernelMemory {
  case none
  /// Room for the candidates of its rows (RowCandidates.swift).
  case candidates
  /// Room for a second number for each element (`RowTile.aside`).
  case aside
}

/// What is done with each tile.
protocol RowKernel {
  associatedtype V: Lanes
  /// What is gathered over the tiles of a part, such as a sum of losses.
  associatedtype Partial
  var empty: Partial { get }
  /// Does it read the second input?
  static var usesSecond: Bool { get }
  static var memory: KernelMemory { get }
  func run(_ tile: RowTile<V>, _ partial: inout Partial)
  func finish(_ partial: Partial, part: Int)
}

/// A kernel that gathers nothing: all it does is in the outputs.
protocol RowVisitor: RowKernel where Partial == Void {
  func visit(_ tile: RowTile<V>)
}

extension RowKernel {
  static var memory: KernelMemory { .none }
}

extension RowVisitor {
  static var usesSecond: Bool { false }
  var empty: Void { () }
  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) { visit(tile) }
  @inline(__always) func finish(_ partial: Void, part: Int) {}
}

/// Runs a kernel over all tiles of a call. The parts that threads take, and so every sum's order, depend on the shape
/// alone.
@inline(__always)
func forEachRowTile<K: RowKernel>(_ shape: RowShape, _ arrays: RowArrays<K.V.Element>, _ kernel: K) {
  let walk = RowWalk<K.V>(shape, arrays, usesSecond: K.usesSecond, memory: K.memory)
  parallel(walk.split.parts, RowTilesJob(kernel: kernel, walk: walk))
}

private struct RowTilesJob<K: RowKernel>: ParallelJob {
  let kernel: K
  let walk: RowWalk<K.V>

  @inline(__always) func run(part: Int) {
    if K.memory != .none {
      var scratch = CandidateScratch()
      scratch.withMemory(K.V.self) { run(part, $0) }
    } else {
      var scratch = RowScratch()
      scratch.withMemory(K.V.self) { run(part, $0) }
    }
  }

  @inline(__always) private func run(_ part: Int, _ memory: UnsafeMutablePointer<K.V.Element>) {
    var partial = kernel.empty
    for number in walk.split.range(part) {
      let tile = walk.tile(number, memory)
      kernel.run(tile, &partial)
      if walk.isTransposed { walk.writeBack(tile, memory) }
    }
    kernel.finish(partial, part: part)
  }
}

/// Room for four transposed tiles of up to `mostTransposedVectors · V.count` classes, and for a tile's scratch.
struct RowScratch {
  private var bytes = InlineArray<1448, UInt64>(repeating: 0)

  @inline(__always)
  mutating func withMemory<V: Lanes, R>(_ type: V.Type, _ body: (UnsafeMutablePointer<V.Element>) -> R) -> R {
    withUnsafeMutableBytes(of: &bytes) { body(aligned($0.baseAddress!).assumingMemoryBound(to: V.Element.self)) }
  }
}

/// Rows of at most this many vectors are transposed: beyond it they fill vectors well enough on their own.
private let mostTransposedVectors = 2

/// The tiles of a call.
struct RowWalk<V: Lanes> {
  let split: Split
  /// Do kernels see a transposed copy of the tile?
  let isTransposed: Bool
  private let shape: RowShape
  private let arrays: RowArrays<V.Element>
  private let usesSecond: Bool
  private let isAlong: Bool
  /// Rows of a tile.
  private let height: Int
  /// Tiles beside one another, where rows lie side by side.
  private let tilesAcross: Int

  @inline(never) init(
    _ shape: RowShape, _ arrays: RowArrays<V.Element>, usesSecond: Bool, memory: KernelMemory = .none
  ) {
    self.shape = shape
    self.arrays = arrays
    self.usesSecond = usesSecond
    isAlong = shape.inner == 1 && shape.classes > mostTransposedVectors &* V.count
    isTransposed = shape.inner == 1 && !isAlong
    // As many rows as keep input and output in the first-level cache, from 1 to `V.count`; in the second-level cache where
    // candidates of many rows make up for it.
    let rowsInCache = (memory == .candidates ? 1 << 16 : 1 << 14) / (shape.classes &* MemoryLayout<V.Element>.stride)
    height = isAlong ? Swift.min(V.count, Swift.max(1, rowsInCache)) : V.count
    tilesAcross = (shape.inner &+ V.count &- 1) / V.count
    let tiles = shape.inner == 1 ? (shape.rows &+ height &- 1) / height : shape.outer &* tilesAcross
    let smallestPart = Swift.max(1, smallestElementwisePart / Swift.max(1, shape.classes &* V.count))
    split = Split(tiles, smallest: smallestPart &* (V.count / height))
  }

  @inline(never) func tile(_ number: Int, _ memory: UnsafeMutablePointer<V.Element>) -> RowTile<V> {
    let row = number &* height
    if isAlong {
      return RowTile(
        along: arrays.advanced(by: row &* shape.classes), classes: shape.classes, firstRow: row,
        count: Swift.min(height, shape.rows &- row), scratch: memory)
    }
    if isTransposed {
      let count = Swift.min(V.count, shape.rows &- row)
      let copy = TransposedTile<V>(memory: memory, classes: shape.classes, count: count)
      return RowTile(
        across: copy.read(arrays.advanced(by: row &* shape.classes), (shape.rows &- row) &* shape.classes, usesSecond),
        stride: V.count, classes: shape.classes, firstRow: row, count: count, scratch: copy.end)
    }
    let o = number / tilesAcross
    let i = (number &- o &* tilesAcross) &* V.count
    return RowTile(
      across: arrays.advanced(by: o &* shape.classes &* shape.inner &+ i), stride: shape.inner, classes: shape.classes,
      firstRow: o &* shape.inner &+ i, count: Swift.min(V.count, shape.inner &- i), scratch: memory)
  }

  /// Writes the outputs of a transposed tile to where they belong.
  @inline(never) func writeBack(_ tile: RowTile<V>, _ memory: UnsafeMutablePointer<V.Element>) {
    let copy = TransposedTile<V>(memory: memory, classes: shape.classes, count: tile.count)
    let start = tile.firstRow &* shape.classes
    if let output = arrays.output { copy.write(copy.output, output + start) }
    if let output = arrays.secondOutput { copy.write(copy.secondOutput, output + start) }
  }
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
  /// The tile's scratch.
  var end: UnsafeMutablePointer<V.Element> { memory + 4 &* capacity }
  private var mask: UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(end + RowTile<V>.ownVectors &* V.count).assumingMemoryBound(to: UInt8.self)
  }

  /// Copies the inputs; returns the arrays of the copy.
  ///
  /// - Parameter rest: how many elements the source has from the tile's first on.
  func read(_ source: RowArrays<V.Element>, _ rest: Int, _ usesSecond: Bool) -> RowArrays<V.Element> {
    readTransposed(V.self, source.first, rest, first, classes, count)
    if usesSecond { readTransposed(V.self, source.second, rest, second, classes, count) }
    return RowArrays(
      first: UnsafePointer(first), second: UnsafePointer(usesSecond ? second : first), perClass: source.perClass,
      output: source.output == nil ? nil : output, secondOutput: source.secondOutput == nil ? nil : secondOutput,
      mask: source.mask.map { readMask($0) })
  }

  private func readMask(_ source: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
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
