/// A matrix of doubles, padded with zeros to whole panels of the matrix product. Products of products lose too much in
/// float.
struct DoubleMatrix {
  typealias V = DoubleLanes
  let elements: UnsafeMutablePointer<Double>
  let rows, columns: Int
  var stride: Int { RightFactor<V>.padded(columns) }
  private var size: Int { LeftFactor<V>.padded(rows) &* stride }

  init(_ arena: inout Arena, _ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
    elements = arena.take(Double.self, LeftFactor<V>.padded(rows) &* RightFactor<V>.padded(columns))
  }

  @inline(__always) func row(_ i: Int) -> UnsafeMutablePointer<Double> { elements + i &* stride }

  func clear() { elements.initialize(repeating: 0, count: size) }

  /// Takes a row-major array.
  func read<S: Scalar>(_ source: UnsafePointer<S>) {
    clear()
    for i in 0..<rows {
      forEachVector(V.self, 0..<columns) { j, n in
        V.load(source + (i &* columns &+ j), n).store(row(i) + j, lanes: n)
      }
    }
  }

  func write<S: Scalar>(_ destination: UnsafeMutablePointer<S>) {
    for i in 0..<rows {
      forEachVector(V.self, 0..<columns) { j, n in
        V.load(row(i) + j, lanes: n).store(destination + (i &* columns &+ j), n)
      }
    }
  }

  /// Replaces each element by `value` of it and its counterpart in a matrix of the same shape. Zeros have to stay: the
  /// padding.
  @inline(__always) func combine(_ other: DoubleMatrix, _ value: (V, V) -> V) {
    forEachVector(V.self, 0..<size) { i, n in
      value(V.load(elements + i, lanes: n), V.load(other.elements + i, lanes: n)).store(elements + i, lanes: n)
    }
  }

  /// Scales row i and column i of a square matrix by `factors[i]`.
  func scaleBothSides(_ factors: UnsafePointer<Double>) {
    for i in 0..<rows {
      let factor = V(factors[i])
      forEachVector(V.self, 0..<columns) { j, n in
        (V.load(row(i) + j, lanes: n) * factor * V.load(factors + j, lanes: n)).store(row(i) + j, lanes: n)
      }
    }
  }

  func sum(ofRow i: Int) -> Double {
    var sum = V.zero
    forEachVector(V.self, 0..<columns) { j, n in sum = sum + V.load(row(i) + j, lanes: n) }
    return sum.sum
  }
}

/// A matrix or its transpose, as a factor.
struct MatrixFactor {
  let matrix: DoubleMatrix
  let isTransposed: Bool
  var rows: Int { isTransposed ? matrix.columns : matrix.rows }
  var columns: Int { isTransposed ? matrix.rows : matrix.columns }
}

extension DoubleMatrix {
  var factor: MatrixFactor { MatrixFactor(matrix: self, isTransposed: false) }
  var transpose: MatrixFactor { MatrixFactor(matrix: self, isTransposed: true) }
}

/// Products of matrices, with room for packed factors.
struct MatrixProducts {
  typealias V = DoubleLanes
  private let left, right: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - long: the largest number of rows of a left factor, and the largest depth.
  ///   - short: the largest number of columns of a right factor, and the largest depth of what is not transposed.
  init(_ arena: inout Arena, long: Int, short: Int) {
    let most = Swift.max(long, short)
    left = arena.take(Double.self, LeftFactor<V>.packedCount(rows: most, depth: short))
    right = arena.take(Double.self, RightFactor<V>.packedCount(columns: short, depth: most))
  }

  /// product (+)= a b
  func multiply(_ a: MatrixFactor, _ b: MatrixFactor, into product: DoubleMatrix, adding: Bool = false) {
    let depth = a.columns
    let rowsOfA = MatrixRows(elements: UnsafePointer(a.matrix.elements), stride: a.matrix.stride)
    let rowsOfB = MatrixRows(elements: UnsafePointer(b.matrix.elements), stride: b.matrix.stride)
    let leftFactor =
      a.isTransposed
      ? LeftFactor<V>(transposed: rowsOfA.elements, stride: rowsOfA.stride)
      : LeftFactor<V>(packing: rowsOfA, rows: a.rows, depth: depth, into: left)
    let rightFactor =
      b.isTransposed
      ? RightFactor<V>(packingTransposed: rowsOfB, columns: b.columns, depth: depth, into: right)
      : RightFactor<V>(packing: rowsOfB, columns: b.columns, depth: depth, into: right)
    let work = Swift.max(1, product.stride &* depth)
    let split = Split(product.rows, smallest: (1 << 18) / work, multiple: Panels.rows)
    parallel(split.parts) { part in
      let range = split.range(part)
      LossKit.multiply(
        leftFactor.dropping(rows: range.lowerBound, depth: 0), rightFactor, rows: range.count,
        columns: product.columns, depth: depth, into: product.row(range.lowerBound), stride: product.stride,
        adding: adding)
    }
  }
}
