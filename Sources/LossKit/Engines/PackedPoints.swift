/// Points (rows of an array) as doubles, in blocks of eight: coordinate i of a block's points is one vector, a lane for
/// each point. A block serves as a vector of points, and, number by number, as eight single ones.
///
/// They are doubles whatever the array holds: powers and exponentials of distances multiply each rounding.
struct PackedPoints {
  typealias V = DoubleLanes

  let memory: UnsafeMutablePointer<V>
  let count: Int
  let coordinates: Int
  /// The vectors of a block: its coordinates, and room for what is kept beside them.
  let stride: Int

  static func blocks(_ count: Int) -> Int { (count &+ V.count &- 1) / V.count }
  var blocks: Int { PackedPoints.blocks(count) }

  init(_ arena: inout Arena, _ count: Int, _ coordinates: Int, stride: Int? = nil) {
    self.count = count
    self.coordinates = coordinates
    self.stride = stride ?? coordinates
    memory = arena.take(V.self, PackedPoints.blocks(count) &* self.stride)
  }

  /// Are there so many points at most that the sizes of a call's arrays stay within `Int`?
  static func fits(_ count: Int, _ coordinates: Int) -> Bool {
    guard count >= 0, coordinates >= 0, count < largestCount, coordinates < largestCount else { return false }
    return elementCount(count &+ V.count, coordinates &+ V.count, 64) != nil
  }

  @inline(__always) func block(_ number: Int) -> UnsafeMutablePointer<V> { memory + number &* stride }

  /// How many lanes of a block are points.
  @inline(__always) func points(inBlock number: Int) -> Int { Swift.min(V.count, count &- number &* V.count) }

  /// The first coordinate of one point; the others follow at every `V.count` numbers.
  @inline(__always) func point(_ index: Int) -> UnsafePointer<Double> {
    UnsafePointer(UnsafeRawPointer(block(index / V.count)).assumingMemoryBound(to: Double.self) + index % V.count)
  }

  func clear() {
    for i in 0..<blocks &* stride { memory[i] = V.zero }
  }

  /// Takes the rows of an array. Lanes behind the last point are 0.
  func read<S: Scalar>(_ rows: UnsafePointer<S>) {
    parallel(split.parts, PackedRowsJob(points: self, source: rows, destination: nil, split: split))
  }

  /// Writes the coordinates as the rows of an array.
  func write<S: Scalar>(_ rows: UnsafeMutablePointer<S>) {
    parallel(split.parts, PackedRowsJob(points: self, source: nil, destination: rows, split: split))
  }

  /// Blocks in parts that are worth a thread's while.
  var split: Split { Split(blocks, smallest: smallestElementwisePart / (V.count &* Swift.max(1, stride))) }
}

private struct PackedRowsJob<S: Scalar>: ParallelJob {
  let points: PackedPoints
  let source: UnsafePointer<S>?
  let destination: UnsafeMutablePointer<S>?
  let split: Split

  @inline(__always) func run(part: Int) {
    let columns = points.coordinates
    for block in split.range(part) {
      let vectors = points.block(block)
      let first = block &* PackedPoints.V.count &* columns
      let rows = points.points(inBlock: block)
      forEachVector(PackedPoints.V.self, 0..<columns) { c, n in
        if let source { readTile(source + (first &+ c), columns, rows, n, vectors + c) }
        if let destination { writeTile(vectors + c, destination + (first &+ c), columns, rows, n) }
      }
    }
  }
}

/// A tile of up to 8 × 8 elements of a row-major array as its columns: vector c, a lane for each row. Rows that are
/// missing are 0.
@inline(__always)
func readTile<S: Scalar>(
  _ source: UnsafePointer<S>, _ stride: Int, _ rows: Int, _ columns: Int, _ vectors: UnsafeMutablePointer<DoubleLanes>
) {
  var scratch = VectorTile<DoubleLanes>()
  scratch.withPointer { tile in
    for row in 0..<DoubleLanes.count {
      tile[row] = row < rows ? DoubleLanes.load(source + row &* stride, columns) : DoubleLanes.zero
    }
    DoubleLanes.transpose(tile)
    for c in 0..<columns { vectors[c] = tile[c] }
  }
}

/// The inverse of `readTile`.
@inline(__always)
func writeTile<S: Scalar>(
  _ vectors: UnsafePointer<DoubleLanes>, _ destination: UnsafeMutablePointer<S>, _ stride: Int, _ rows: Int,
  _ columns: Int
) {
  var scratch = VectorTile<DoubleLanes>()
  scratch.withPointer { tile in
    for c in 0..<DoubleLanes.count { tile[c] = c < columns ? vectors[c] : DoubleLanes.zero }
    DoubleLanes.transpose(tile)
    for row in 0..<rows { tile[row].store(destination + row &* stride, columns) }
  }
}

extension DoubleLanes {
  /// Up to eight numbers of either precision, as doubles; the other lanes are 0.
  @inline(__always) static func load<S: Scalar>(_ p: UnsafePointer<S>, _ n: Int) -> DoubleLanes {
    S.Vector.load(p, first: n, fill: 0).doubles.0
  }

  /// Rounds the first `n` lanes.
  @inline(__always) func store<S: Scalar>(_ p: UnsafeMutablePointer<S>, _ n: Int) {
    S.Vector(self, DoubleLanes.zero).store(p, first: n)
  }
}
