// Products of many rows with one matrix, in double: the matrix is packed once, the rows come in blocks.

/// A matrix, packed as the right factor of products: products(n, j) = Σ_k left(n, k) · factor(k, j).
struct DoubleFactor {
  typealias Factor = RightFactor<DoubleLanes>
  let columns, depth: Int
  private let packed, wide: UnsafeMutablePointer<Double>
  /// From a row of products to the next.
  var stride: Int { Factor.padded(columns) }

  init(_ arena: inout Arena, columns: Int, depth: Int) {
    self.columns = columns
    self.depth = depth
    packed = arena.take(Double.self, Factor.packedCount(columns: columns, depth: depth))
    wide = arena.take(Double.self, columns &* depth)
  }

  /// Takes factor(k, j) = matrix[j][k].
  func pack<S: Scalar>(transposed matrix: UnsafePointer<S>) {
    widen(matrix, step: 1, wide, columns &* depth)
    _ = Factor(packingTransposed: MatrixRows(elements: wide, stride: depth), columns: columns, depth: depth, into: packed)
  }

  /// Takes factor(k, j) = matrix[k][j], which `map` may change where it stands.
  @inline(__always)
  func pack<S: Scalar>(_ matrix: UnsafePointer<S>, _ map: (UnsafeMutablePointer<Double>, Int) -> Void) {
    widen(matrix, step: 1, wide, columns &* depth)
    map(wide, columns &* depth)
    _ = Factor(packing: MatrixRows(elements: wide, stride: columns), columns: columns, depth: depth, into: packed)
  }

  fileprivate var factor: Factor { Factor(packed: packed, depth: depth) }
}

/// A block of left rows and their products, for one thread.
struct ProductBlock {
  /// The most rows of a block.
  static let rows = 32
  /// The left rows: to be filled before each product.
  let left: UnsafeMutablePointer<Double>
  let products: UnsafeMutablePointer<Double>
  let depth, stride: Int
  private let packed: UnsafeMutablePointer<Double>

  /// What a block takes.
  static func bytes(columns: Int, depth: Int) -> Int {
    rows &* 8 &* (2 &* (depth &+ 16) &+ DoubleFactor.Factor.padded(columns))
  }

  fileprivate init(_ memory: UnsafeMutablePointer<Double>, columns: Int, depth: Int) {
    self.depth = depth
    stride = DoubleFactor.Factor.padded(columns)
    products = memory
    packed = products + Self.rows &* stride
    left = packed + Self.rows &* depth
  }

  func left(_ row: Int) -> UnsafeMutablePointer<Double> { left + row &* depth }

  /// The products of one of the rows.
  func products(_ row: Int) -> UnsafeMutablePointer<Double> { products + row &* stride }

  func multiply(_ right: DoubleFactor, rows: Int) {
    let factor = LeftFactor<DoubleLanes>(
      packing: MatrixRows(elements: left, stride: depth), rows: rows, depth: depth, into: packed)
    LossKit.multiply(
      factor, right.factor, rows: rows, columns: right.columns, depth: depth, into: products, stride: right.stride,
      adding: false)
  }
}

/// The blocks of all threads, for so many rows.
struct ProductBlocks {
  let split: Split
  private let memory: UnsafeMutablePointer<Double>
  private let columns, depth, each: Int

  /// - Parameters:
  ///   - work: rows of products for each of the rows.
  init(_ arena: inout Arena, rows: Int, columns: Int, depth: Int, work: Int = 1) {
    self.columns = columns
    self.depth = depth
    each = ProductBlock.bytes(columns: columns, depth: depth) / 8
    let worthwhile = smallestElementwisePart &* 4 / Swift.max(1, Swift.max(1, columns / 16) &* depth &* work)
    split = Split(
      rows, smallest: Swift.max(worthwhile, smallestPart(ofRows: rows, bytes: each &* 8, work: 1 << 20)),
      multiple: ProductBlock.rows)
    memory = arena.take(Double.self, split.parts &* each)
  }

  func block(part: Int) -> ProductBlock { ProductBlock(memory + part &* each, columns: columns, depth: depth) }
}

/// What is done with the products of rows and a matrix.
protocol ProductConsumer {
  /// Writes a left row.
  func fill(row: Int, _ left: UnsafeMutablePointer<Double>)
  /// Uses the products of a row.
  func use(row: Int, _ left: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>)
}

/// Multiplies rows with a matrix, a block at a time.
@inline(__always)
func forEachProduct<C: ProductConsumer>(_ factor: DoubleFactor, _ blocks: ProductBlocks, _ consumer: C) {
  parallel(blocks.split.parts, ProductJob(factor: factor, blocks: blocks, consumer: consumer))
}

private struct ProductJob<C: ProductConsumer>: ParallelJob {
  let factor: DoubleFactor
  let blocks: ProductBlocks
  let consumer: C

  @inline(__always) func run(part: Int) {
    blocks.block(part: part).forEach(blocks.split.range(part), factor, consumer)
  }
}

extension ProductBlock {
  /// The same for the rows of a range.
  @inline(__always)
  func forEach<C: ProductConsumer>(_ range: Range<Int>, _ factor: DoubleFactor, _ consumer: C) {
    var first = range.lowerBound
    while first < range.upperBound {
      let n = Swift.min(Self.rows, range.upperBound &- first)
      for i in 0..<n { consumer.fill(row: first &+ i, left(i)) }
      multiply(factor, rows: n)
      for i in 0..<n { consumer.use(row: first &+ i, left(i), products(i)) }
      first &+= n
    }
  }
}
