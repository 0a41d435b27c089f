// A matrix and vectors, in double: products with a vector on either side, and the outer product. For objectives that are
// small beside their matrix; products of matrices are in MatrixProduct.

/// ⟨x, y⟩, multiplied and added in double.
@inline(__always)
func dotProduct<S: Scalar>(_ x: UnsafePointer<S>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  var low = DoubleLanes.zero, high = DoubleLanes.zero
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let (xLow, xHigh) = S.Vector.load(x + i, lanes: n).doubles
    let inLow = Swift.min(n, DoubleLanes.count)
    low = DoubleLanes.fma(xLow, DoubleLanes.load(y + i, lanes: inLow), low)
    if n > inLow {
      high = DoubleLanes.fma(xHigh, DoubleLanes.load(y + (i &+ inLow), lanes: n &- inLow), high)
    }
  }
  return (low + high).sum
}

/// A row-major matrix of a call.
struct Matrix<S: Scalar> {
  let elements: UnsafePointer<S>
  let rows, columns: Int

  /// `out = factor · A v`
  func multiply(_ v: UnsafePointer<Double>, factor: Double = 1, into out: UnsafeMutablePointer<Double>) {
    let split = Split(rows, smallest: Swift.max(1, smallestElementwisePart / columns))
    parallel(split.parts, MatrixTimesVector(matrix: self, v: v, factor: factor, out: out, split: split))
  }

  /// `out = factor · Aᵀ v`
  func multiplyTransposed(_ v: UnsafePointer<Double>, factor: Double = 1, into out: UnsafeMutablePointer<Double>) {
    let split = Split(
      columns, smallest: Swift.max(1, smallestElementwisePart / Swift.max(1, rows)), multiple: S.Vector.count)
    parallel(split.parts, TransposedTimesVector(matrix: self, v: v, factor: factor, out: out, split: split))
  }
}

/// `out = u vᵀ`, rounded once.
func outerProduct<S: Scalar>(
  _ u: UnsafePointer<Double>, _ rows: Int, _ v: UnsafePointer<Double>, _ columns: Int, into out: UnsafeMutablePointer<S>
) {
  let split = Split(rows, smallest: Swift.max(1, smallestElementwisePart / columns))
  parallel(split.parts, OuterProduct(u: u, v: v, columns: columns, out: out, split: split))
}

/// Numbers of a call in double.
func widen<S: Scalar>(_ x: UnsafePointer<S>, _ count: Int, into out: UnsafeMutablePointer<Double>) {
  for i in 0..<count { out[i] = x[i].double }
}

func narrow<S: Scalar>(_ x: UnsafePointer<Double>, _ count: Int, into out: UnsafeMutablePointer<S>) {
  for i in 0..<count { out[i] = S(x[i]) }
}

private struct MatrixTimesVector<S: Scalar>: ParallelJob {
  let matrix: Matrix<S>
  let v: UnsafePointer<Double>
  let factor: Double
  let out: UnsafeMutablePointer<Double>
  let split: Split

  @inline(__always) func run(part: Int) {
    for row in split.range(part) {
      out[row] = factor * dotProduct(matrix.elements + row &* matrix.columns, v, matrix.columns)
    }
  }
}

private struct TransposedTimesVector<S: Scalar>: ParallelJob {
  let matrix: Matrix<S>
  let v: UnsafePointer<Double>
  let factor: Double
  let out: UnsafeMutablePointer<Double>
  let split: Split

  @inline(__always) func run(part: Int) {
    forEachVector(S.Vector.self, split.range(part)) { c, n in
      var low = DoubleLanes.zero, high = DoubleLanes.zero
      for row in 0..<matrix.rows {
        let x = S.Vector.load(matrix.elements + (row &* matrix.columns &+ c), lanes: n).doubles
        let factor = DoubleLanes(v[row])
        low = DoubleLanes.fma(x.0, factor, low)
        high = DoubleLanes.fma(x.1, factor, high)
      }
      let inLow = Swift.min(n, DoubleLanes.count)
      (low * DoubleLanes(factor)).store(out + c, lanes: inLow)
      if n > inLow { (high * DoubleLanes(factor)).store(out + (c &+ inLow), lanes: n &- inLow) }
    }
  }
}

private struct OuterProduct<S: Scalar>: ParallelJob {
  let u, v: UnsafePointer<Double>
  let columns: Int
  let out: UnsafeMutablePointer<S>
  let split: Split

  @inline(__always) func run(part: Int) {
    for row in split.range(part) {
      for c in 0..<columns { out[row &* columns &+ c] = S(u[row] * v[c]) }
    }
  }
}
