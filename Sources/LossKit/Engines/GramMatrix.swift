/// `Σ r rᵀ` of many rows, in double: covariances, and matrices from their eigenvectors.
struct GramMatrix {
  private typealias V = DoubleLanes
  private static let blockRows = 128
  let dimensions: Int
  /// From a row of the sum, and of the block, to the next.
  let stride: Int
  /// The sum, in its first `dimensions` rows and columns.
  let sum: UnsafeMutablePointer<Double>
  private let block, packed: UnsafeMutablePointer<Double>
  private let split: Split

  init(_ arena: inout Arena, dimensions: Int) {
    self.dimensions = dimensions
    stride = RightFactor<V>.padded(dimensions)
    sum = arena.take(Double.self, stride &* stride)
    block = arena.take(Double.self, GramMatrix.blockRows &* stride)
    packed = arena.take(Double.self, GramMatrix.blockRows &* stride)
    split = Split(dimensions, smallest: smallestElementwisePart / Swift.max(1, 8 &* dimensions), multiple: Panels.rows)
  }

  /// Takes `count` rows, which `fill(row, coordinates)` writes.
  @inline(__always)
  func gather(_ count: Int, _ fill: (Int, UnsafeMutablePointer<Double>) -> Void) {
    sum.update(repeating: 0, count: stride &* stride)
    block.update(repeating: 0, count: GramMatrix.blockRows &* stride)
    var first = 0
    while first < count {
      let n = Swift.min(GramMatrix.blockRows, count &- first)
      for i in 0..<n { fill(first &+ i, block + i &* stride) }
      add(n)
      first &+= n
    }
  }

  @inline(never) private func add(_ rows: Int) {
    let left = LeftFactor<V>(transposed: block, stride: stride)
    let right = RightFactor<V>(
      packing: MatrixRows(elements: block, stride: stride), columns: dimensions, depth: rows, into: packed)
    parallel(split.parts) { part in
      let range = split.range(part)
      multiply(
        left.dropping(rows: range.lowerBound, depth: 0), right, rows: range.count, columns: dimensions, depth: rows,
        into: sum + range.lowerBound &* stride, stride: stride, adding: true)
    }
  }
}
