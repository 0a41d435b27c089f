// Calibrators that are multinomial regressions: scores that are linear in the parameters, and the softmax of these.

/// How the scores of a row depend on the parameters θ: s_c = Σ_a θ_ca φ_ca, with features φ of the row's logits.
protocol MultinomialDesign {
  associatedtype S: Scalar
  var classes: Int { get }
  var variables: Int { get }
  /// Before the first block of rows.
  func begin(_ x: UnsafePointer<Double>)
  /// Scores of `n` rows of logits, which are the block's from now on.
  func score(_ logits: UnsafePointer<S>, _ n: Int, _ x: UnsafePointer<Double>, into scores: BlockMatrix)
  /// Adds Σ_rows r_c φ_ca.
  func addGradient(_ n: Int, _ residuals: BlockMatrix)
  /// u_ca = p_c φ_ca; adds Σ_rows p_c φ_c φ_cᵀ.
  func expand(_ n: Int, _ probs: BlockMatrix, into expanded: BlockMatrix)
  /// What was added.
  func getGradient(_ gradient: UnsafeMutablePointer<Double>)
  /// The same for the products of features of one class: added to the diagonal and what is above it.
  func addMoments(to hessian: UnsafeMutablePointer<Double>, scale: Double)
}

/// Rows of a block of samples: columns are padded for products, and 0 behind the last.
struct BlockMatrix {
  static let capacity = 256
  let elements: UnsafeMutablePointer<Double>
  let stride: Int

  init(_ arena: inout Arena, columns: Int) {
    // A left factor may reach half a panel beyond the last column.
    stride = RightFactor<DoubleLanes>.padded(columns &+ 8)
    elements = arena.take(Double.self, Self.capacity &* stride)
  }

  func clear() { elements.update(repeating: 0, count: Self.capacity &* stride) }
  @inline(__always) func row(_ i: Int) -> UnsafeMutablePointer<Double> { elements + i &* stride }
  var rows: MatrixRows<Double> { MatrixRows(elements: elements, stride: stride) }
}

/// A sum of products AᵀB over blocks: `[rows, columns]`.
struct BlockProduct {
  let elements: UnsafeMutablePointer<Double>
  let rows, columns, stride: Int

  init(_ arena: inout Arena, rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    stride = RightFactor<DoubleLanes>.padded(columns)
    elements = arena.take(Double.self, LeftFactor<DoubleLanes>.padded(rows) &* stride)
  }

  func clear() { elements.update(repeating: 0, count: LeftFactor<DoubleLanes>.padded(rows) &* stride) }

  /// Adds AᵀB of `depth` rows; A begins at column `column` of its block.
  func add(_ left: BlockMatrix, column: Int = 0, _ right: RightFactor<DoubleLanes>, depth: Int) {
    multiply(
      LeftFactor<DoubleLanes>(transposed: left.elements + column, stride: left.stride), right, rows: rows,
      columns: columns, depth: depth, into: elements, stride: stride, adding: true)
  }

  /// Adds UᵀU, packed into `memory` on the way: what is on and above the diagonal.
  func addSquare(_ u: BlockMatrix, depth: Int, packing memory: UnsafeMutablePointer<Double>) {
    _ = RightFactor<DoubleLanes>(packing: u.rows, columns: columns, depth: depth, into: memory)
    let strip = 64
    var first = 0
    while first < rows {
      multiply(
        LeftFactor<DoubleLanes>(transposed: u.elements + first, stride: u.stride),
        RightFactor<DoubleLanes>(packed: memory + first &* depth, depth: depth), rows: Swift.min(strip, rows &- first),
        columns: columns &- first, depth: depth, into: elements + (first &* stride &+ first), stride: stride,
        adding: true)
      first &+= strip
    }
  }
}
