import Testing

@testable import LossKit

/// The product of packed factors, in all three layouts, against sums in double.
@Suite struct MatrixProductTests {
  @Test(arguments: [
    (1, 1, 1), (8, 32, 16), (9, 33, 17), (7, 31, 300), (40, 70, 513), (17, 2, 256), (3, 5, 0),
  ])
  func productsAreSums(rows: Int, columns: Int, depth: Int) {
    check(Float.self, rows, columns, depth, tolerance: 1e-6)
    check(Double.self, rows, columns, depth, tolerance: 1e-15)
  }

  @Test func indexedRowsAreTaken() {
    let x = (0..<30).map { Double($0) }, index = [4, 0, 4, 9]
    var memory = [Double](repeating: 0, count: 4096)
    index.withUnsafeBufferPointer { index in
      let rows = MatrixRows(elements: x, stride: 3, index: index.baseAddress!)
      for (i, expected) in [4, 0, 4, 9].enumerated() { #expect(rows.row(i).pointee == Double(expected * 3)) }
      #expect(rows.from(2).row(1).pointee == 27)
      _ = RightFactor<DoubleLanes>(packing: rows, columns: 3, depth: 4, into: &memory)
    }
    #expect(memory[0..<3] == [12, 13, 14] && memory[3] == 0 && memory[16..<19] == [0, 1, 2])
  }

  private func check<S: Scalar>(_: S.Type, _ rows: Int, _ columns: Int, _ depth: Int, tolerance: Double) {
    typealias V = S.Vector
    let left = (0..<rows * depth).map { S(Double(($0 * 7919) % 1009) / 1009 - 0.5) }
    let right = (0..<columns * depth).map { S(Double(($0 * 104_729) % 997) / 997 - 0.5) }
    let allowed = tolerance * Double(depth).squareRoot()
    let paddedRows = LeftFactor<V>.padded(rows), stride = RightFactor<V>.padded(columns)

    // The same factors the other way round: k along the rows of the matrix.
    var leftColumns = [S](repeating: 0, count: depth * paddedRows), rightColumns = [S](repeating: 0, count: depth * columns)
    for k in 0..<depth {
      for i in 0..<rows { leftColumns[k * paddedRows + i] = left[i * depth + k] }
      for j in 0..<columns { rightColumns[k * columns + j] = right[j * depth + k] }
    }
    var a = [S](repeating: .nan, count: LeftFactor<V>.packedCount(rows: rows, depth: depth))
    var b = [S](repeating: .nan, count: RightFactor<V>.packedCount(columns: columns, depth: depth))
    var out = [S](repeating: .nan, count: paddedRows * stride)
    let packed = LeftFactor<V>(packing: MatrixRows(elements: left, stride: depth), rows: rows, depth: depth, into: &a)
    leftColumns.withUnsafeBufferPointer { leftColumns in
      let transposed = LeftFactor<V>(transposed: leftColumns.baseAddress!, stride: paddedRows)
      for (number, factor) in [packed, transposed].enumerated() {
        let other =
          number == 0
          ? RightFactor<V>(
            packingTransposed: MatrixRows(elements: right, stride: depth), columns: columns, depth: depth, into: &b)
          : RightFactor<V>(
            packing: MatrixRows(elements: rightColumns, stride: columns), columns: columns, depth: depth, into: &b)
        for adding in [false, true] {
          multiply(
            factor, other, rows: rows, columns: columns, depth: depth, into: &out, stride: stride, adding: adding)
          for i in 0..<rows {
            for j in 0..<columns {
              var sum = 0.0
              for k in 0..<depth { sum += left[i * depth + k].double * right[j * depth + k].double }
              #expect(abs(out[i * stride + j].double - (adding ? 2 : 1) * sum) <= allowed)
            }
          }
        }
      }
    }
  }
}
