// Products of matrices, for losses that own a class matrix: out(i, j) (+)= Σ_k left(i, k) · right(k, j).
//
// The factors are packed first: the left one in panels of 8 rows, the right one in panels of two vectors of columns, both
// with k running along a panel, so that a tile of 8 rows by two vectors reads memory in sequence and lives in registers.
// Packing fills the last panel with zeros: there are no tails in the product, and `out` has room for whole panels.
//
// Along k there are runs of at most `Panels.run`: a run is one chain of fused multiply-adds that begins at 0, the runs are
// added in order. So an element's bits depend on its factors and on how the caller cuts k, not on tiles or processors; and
// the rounding error of a long sum grows with the run, not with its length.
//
// A typical kernel holds its operands in blocks of some hundred rows and columns, which stay in the second-level cache:
//
//     let left = LeftFactor<V>(packing: x, rows: n, depth: d, into: a)           // x · wᵀ
//     let right = RightFactor<V>(packingTransposed: w, columns: m, depth: d, into: b)
//     multiply(left, right, rows: n, columns: m, depth: d, into: scores, stride: RightFactor<V>.padded(m), adding: false)

/// The measures of panels.
enum Panels {
  /// Rows in a panel of the left factor.
  static let rows = 8
  /// Vectors in a panel of the right factor.
  static let vectors = 2
  /// Products that are chained before they are added to `out`: a right panel of so many k fits the first-level cache.
  static let run = 256
}

/// Rows of a row-major matrix, all of them or those of an index.
struct MatrixRows<S: Scalar> {
  let elements: UnsafePointer<S>
  /// Elements from a row to the next.
  let stride: Int
  /// Which rows; row i itself where absent.
  var index: UnsafePointer<Int>? = nil

  @inline(__always) func row(_ i: Int) -> UnsafePointer<S> { elements + (index.map { $0[i] } ?? i) &* stride }

  /// The same from row `first` on.
  @inline(__always) func from(_ first: Int) -> MatrixRows {
    index.map { MatrixRows(elements: elements, stride: stride, index: $0 + first) }
      ?? MatrixRows(elements: elements + first &* stride, stride: stride)
  }
}

/// The left factor of a product.
struct LeftFactor<V: Lanes> {
  typealias Element = V.Element
  fileprivate let elements: UnsafePointer<Element>
  /// Elements from a panel to the next, and from a k to the next.
  fileprivate let panelStride: Int
  fileprivate let step: Int

  /// Rows with those that fill the last panel.
  @inline(__always) static func padded(_ rows: Int) -> Int { (rows &+ (Panels.rows &- 1)) & ~(Panels.rows &- 1) }

  /// Elements that packing needs.
  @inline(__always) static func packedCount(rows: Int, depth: Int) -> Int { padded(rows) &* depth }

  /// Packs left(i, k) = matrix[i][k].
  init(packing matrix: MatrixRows<Element>, rows: Int, depth: Int, into memory: UnsafeMutablePointer<Element>) {
    elements = UnsafePointer(memory)
    panelStride = Panels.rows &* depth
    step = Panels.rows
    for panel in 0..<LeftFactor.padded(rows) / Panels.rows {
      let first = panel &* Panels.rows
      LeftFactor.pack(matrix.from(first), rows: Swift.min(Panels.rows, rows &- first), depth, memory + first &* depth)
    }
  }

  /// Takes left(i, k) = matrix[k][i] as it is: a row of the matrix is a column of the factor. Rows of the matrix have to
  /// reach as far as whole panels.
  init(transposed matrix: UnsafePointer<Element>, stride: Int) {
    elements = matrix
    panelStride = Panels.rows
    step = stride
  }

  private init(elements: UnsafePointer<Element>, panelStride: Int, step: Int) {
    self.elements = elements
    self.panelStride = panelStride
    self.step = step
  }

  /// The factor without its first rows, whole panels of them, and its first k.
  @inline(__always) func dropping(rows: Int, depth k: Int) -> LeftFactor {
    LeftFactor(elements: panel(row: rows, k: k), panelStride: panelStride, step: step)
  }

  @inline(__always) fileprivate func panel(row: Int, k: Int) -> UnsafePointer<Element> {
    elements + (row / Panels.rows &* panelStride &+ k &* step)
  }

  /// Packs a panel: transposes pieces of its rows, two vectors of a row (even and odd k) where 8 rows fill half a vector.
  @inline(__always)
  private static func pack(
    _ matrix: MatrixRows<Element>, rows: Int, _ depth: Int, _ panel: UnsafeMutablePointer<Element>
  ) {
    let isHalf = V.count > Panels.rows
    let piece = isHalf ? 2 &* V.count : V.count
    var storage = InlineArray<136, UInt64>(repeating: 0)
    withUnsafeMutableBytes(of: &storage) { bytes in
      let tile = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.self)
      let lanes = UnsafeMutableRawPointer(tile).assumingMemoryBound(to: Element.self)
      var k = 0
      while k < depth {
        let n = Swift.min(piece, depth &- k)
        for i in 0..<Panels.rows {
          if i >= rows {
            V.zero.store(lanes + i &* V.count)
            if isHalf { V.zero.store(lanes + (Panels.rows &+ i) &* V.count) }
            continue
          }
          let source = matrix.row(i) + k
          if isHalf {
            let a = V.load(source, lanes: Swift.min(n, V.count))
            let b = n > V.count ? V.load(source + V.count, lanes: n &- V.count) : V.zero
            V.evens(a, b).store(lanes + i &* V.count)
            V.odds(a, b).store(lanes + (Panels.rows &+ i) &* V.count)
          } else {
            V.load(source, lanes: n).store(lanes + i &* V.count)
          }
        }
        V.transpose(tile)
        forEachVector(V.self, 0..<n &* Panels.rows) { i, count in
          V.load(lanes + i).store(panel + k &* Panels.rows + i, lanes: count)
        }
        k &+= piece
      }
    }
  }
}

/// The right factor of a product.
struct RightFactor<V: Lanes> {
  typealias Element = V.Element
  fileprivate let elements: UnsafePointer<Element>
  fileprivate let depth: Int

  /// Columns in a panel.
  @inline(__always) static var columns: Int { Panels.vectors &* V.count }

  /// Columns with those that fill the last panel.
  @inline(__always) static func padded(_ columnCount: Int) -> Int { (columnCount &+ (columns &- 1)) & ~(columns &- 1) }

  /// Elements that packing needs.
  @inline(__always) static func packedCount(columns: Int, depth: Int) -> Int { padded(columns) &* depth }

  /// Packs right(k, j) = matrix[k][j].
  init(
    packing matrix: MatrixRows<Element>, columns: Int, depth: Int, into memory: UnsafeMutablePointer<Element>
  ) {
    elements = UnsafePointer(memory)
    self.depth = depth
    // Some rows at a time: pieces of a panel are then written in sequence, and rows still read in sequence.
    let rowsAtOnce = 8
    var first = 0
    while first < depth {
      let rows = first..<Swift.min(depth, first &+ rowsAtOnce)
      var j = 0
      while j < columns {
        for half in 0..<Panels.vectors {
          let n = Swift.max(0, Swift.min(V.count, columns &- j))
          for k in rows {
            V.load(matrix.row(k) + j, lanes: n)
              .store(memory + ((j &- half &* V.count) &* depth &+ k &* RightFactor.columns &+ half &* V.count))
          }
          j &+= V.count
        }
      }
      first = rows.upperBound
    }
  }

  /// Packs right(k, j) = matrix[j][k].
  init(
    packingTransposed matrix: MatrixRows<Element>, columns: Int, depth: Int,
    into memory: UnsafeMutablePointer<Element>
  ) {
    elements = UnsafePointer(memory)
    self.depth = depth
    var j = 0
    while j < columns {
      let offset = j / RightFactor.columns &* RightFactor.columns
      for half in 0..<Panels.vectors {
        let first = offset &+ half &* V.count
        RightFactor.packTransposed(
          matrix.from(first), columns: Swift.max(0, Swift.min(V.count, columns &- first)), depth,
          memory + (offset &* depth &+ half &* V.count))
      }
      j &+= RightFactor.columns
    }
  }

  /// Takes what was packed before.
  init(packed elements: UnsafePointer<Element>, depth: Int) {
    self.elements = elements
    self.depth = depth
  }

  /// The factor without its first k.
  @inline(__always) func dropping(depth k: Int) -> RightFactor {
    RightFactor(packed: panel(column: 0, k: k), depth: depth)
  }

  @inline(__always) fileprivate func panel(column: Int, k: Int) -> UnsafePointer<Element> {
    elements + (column &* depth &+ k &* RightFactor.columns)
  }

  /// Packs one vector of columns of a panel.
  @inline(__always)
  private static func packTransposed(
    _ matrix: MatrixRows<Element>, columns n: Int, _ depth: Int, _ panel: UnsafeMutablePointer<Element>
  ) {
    var storage = InlineArray<136, UInt64>(repeating: 0)
    withUnsafeMutableBytes(of: &storage) { bytes in
      let tile = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.self)
      let lanes = UnsafeMutableRawPointer(tile).assumingMemoryBound(to: Element.self)
      forEachVector(V.self, 0..<depth) { k, count in
        for j in 0..<V.count {
          (j < n ? V.load(matrix.row(j) + k, lanes: count) : V.zero).store(lanes + j &* V.count)
        }
        V.transpose(tile)
        for i in 0..<count { V.load(lanes + i &* V.count).store(panel + (k &+ i) &* RightFactor.columns) }
      }
    }
  }
}

/// out(i, j) = Σ_k left(i, k) · right(k, j), or with `adding` out(i, j) += Σ_k …, for whole panels: `out` has room for
/// `LeftFactor.padded(rows)` rows of `RightFactor.padded(columns)` columns.
@inline(never)
func multiply<V: Lanes>(
  _ left: LeftFactor<V>, _ right: RightFactor<V>, rows: Int, columns: Int, depth: Int,
  into out: UnsafeMutablePointer<V.Element>, stride: Int, adding: Bool
) {
  var k = 0
  repeat {
    let length = Swift.min(Panels.run, depth &- k)
    var j = 0
    while j < columns {
      var i = 0
      while i < rows {
        V.multiplyTile(
          left.panel(row: i, k: k), step: left.step, right.panel(column: j, k: k), depth: length,
          out + (i &* stride &+ j), stride: stride, adding: adding || k > 0)
        i &+= Panels.rows
      }
      j &+= RightFactor<V>.columns
    }
    k &+= length
  } while k < depth
}
