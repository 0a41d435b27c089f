// Eigenvalues and eigenvectors of a symmetric matrix, in double: Householder reflections make it tridiagonal, the QL
// method with implicit shifts then makes it diagonal. Eigenvectors are kept as rows, so that all long loops run along rows.

struct SymmetricEigenvectors {
  let dimensions: Int
  let values: UnsafeMutablePointer<Double>
  /// Row k is the eigenvector of values[k], of length 1.
  let vectors: UnsafeMutablePointer<Double>
  private let matrix, beside, factors, product: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, dimensions n: Int) {
    dimensions = n
    values = arena.take(Double.self, n)
    vectors = arena.take(Double.self, n &* n)
    matrix = arena.take(Double.self, n &* n)
    beside = arena.take(Double.self, n)
    factors = arena.take(Double.self, n)
    product = arena.take(Double.self, n)
  }

  func vector(_ k: Int) -> UnsafeMutablePointer<Double> { vectors + k &* dimensions }

  /// The largest magnitude of the eigenvalues.
  var largestMagnitude: Double {
    var largest = 0.0
    for i in 0..<dimensions { largest = Swift.max(largest, values[i].magnitude) }
    return largest
  }

  /// Decomposes a symmetric matrix. False where it is not finite, or the method does not converge.
  func decompose(_ source: UnsafePointer<Double>, stride: Int) -> Bool {
    let n = dimensions
    var scale = 0.0
    for i in 0..<n {
      for j in 0..<n {
        let magnitude = source[i &* stride &+ j].magnitude
        if !(magnitude < .infinity) { return false }
        scale = Swift.max(scale, magnitude)
      }
    }
    // Squares neither overflow nor vanish.
    let divisor = scale == 0 ? 1 : scale
    for i in 0..<n {
      for j in 0..<n { matrix[i &* n &+ j] = source[i &* stride &+ j] / divisor }
    }
    reduce()
    accumulate()
    if !diagonalize() { return false }
    for i in 0..<n { values[i] *= divisor }
    return true
  }

  /// Makes the matrix tridiagonal: `values` on the diagonal, `beside` next to it. The reflection 1 − f v vᵀ that clears row
  /// k is kept in that row, behind the diagonal.
  @inline(never) private func reduce() {
    let n = dimensions
    for k in 0..<n {
      let row = matrix + k &* n
      values[k] = row[k]
      factors[k] = 0
      if k &+ 1 >= n { break }
      let first = k &+ 1
      let length = n &- first
      let v = row + first
      let tail = dotProduct(UnsafePointer(v + 1), v + 1, length &- 1)
      if tail == 0 {
        beside[k] = v[0]
        continue
      }
      let norm = (v[0] * v[0] + tail).squareRoot()
      beside[k] = v[0] > 0 ? -norm : norm
      v[0] -= beside[k]
      let factor = 2 / (v[0] * v[0] + tail)
      factors[k] = factor
      // A ← A − v wᵀ − w vᵀ with w = f A v − ½ f² (vᵀ A v) v
      for i in 0..<length {
        let other = UnsafePointer(matrix + ((first &+ i) &* n &+ first))
        product[i] = factor * dotProduct(other, v, length)
      }
      let half = factor / 2 * dotProduct(UnsafePointer(product), v, length)
      addScaled(-half, v, to: product, length)
      for i in 0..<length {
        let target = matrix + ((first &+ i) &* n &+ first)
        addScaled(-v[i], product, to: target, length)
        addScaled(-product[i], v, to: target, length)
      }
    }
  }

  /// The product of the reflections, transposed.
  @inline(never) private func accumulate() {
    let n = dimensions
    vectors.update(repeating: 0, count: n &* n)
    for i in 0..<n { vectors[i &* n &+ i] = 1 }
    for k in stride(from: n &- 2, through: 0, by: -1) where factors[k] != 0 {
      let first = k &+ 1
      let v = matrix + (k &* n &+ first)
      for i in first..<n {
        let row = vectors + (i &* n &+ first)
        addScaled(-factors[k] * dotProduct(UnsafePointer(row), v, n &- first), v, to: row, n &- first)
      }
    }
  }

  @inline(never) private func diagonalize() -> Bool {
    let n = dimensions
    if n == 0 { return true }
    beside[n &- 1] = 0
    var norm = 0.0
    for i in 0..<n { norm = Swift.max(norm, values[i].magnitude + beside[i].magnitude) }
    for low in 0..<n {
      var steps = 0
      while true {
        // The block that begins at `low` ends before the next element that is nothing beside the diagonal.
        var high = low
        while high < n &- 1 {
          let size = values[high].magnitude + values[high &+ 1].magnitude
          if beside[high].magnitude <= 0x1p-53 * Swift.max(size, norm / 4) { break }
          high &+= 1
        }
        if high == low { break }
        if steps == 80 { return false }
        steps &+= 1
        sweep(low, high)
      }
    }
    return true
  }

  /// One QL step on the block low ... high.
  private func sweep(_ low: Int, _ high: Int) {
    let n = dimensions
    let half = (values[low &+ 1] - values[low]) / (2 * beside[low])
    let root = (half * half + 1).squareRoot()
    var g = values[high] - values[low] + beside[low] / (half + (half < 0 ? -root : root))
    var sine = 1.0, cosine = 1.0, shift = 0.0
    for i in stride(from: high &- 1, through: low, by: -1) {
      let f = sine * beside[i]
      let b = cosine * beside[i]
      let r = (f * f + g * g).squareRoot()
      beside[i &+ 1] = r
      if r == 0 {
        values[i &+ 1] -= shift
        beside[high] = 0
        return
      }
      sine = f / r
      cosine = g / r
      g = values[i &+ 1] - shift
      let t = (values[i] - g) * sine + 2 * cosine * b
      shift = sine * t
      values[i &+ 1] = g + shift
      g = cosine * t - b
      rotate(vectors + i &* n, vectors + (i &+ 1) &* n, n, sine, cosine)
    }
    values[low] -= shift
    beside[low] = g
    beside[high] = 0
  }
}

/// `y += factor · x`
func addScaled(
  _ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
) {
  let f = DoubleLanes(factor)
  forEachVector(DoubleLanes.self, 0..<count) { i, n in
    DoubleLanes.fma(f, DoubleLanes.load(x + i, lanes: n), DoubleLanes.load(y + i, lanes: n)).store(y + i, lanes: n)
  }
}

/// `(x, y) ← (c x − s y, s x + c y)`
private func rotate(
  _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int, _ sine: Double, _ cosine: Double
) {
  let s = DoubleLanes(sine), c = DoubleLanes(cosine)
  forEachVector(DoubleLanes.self, 0..<count) { i, n in
    let a = DoubleLanes.load(x + i, lanes: n), b = DoubleLanes.load(y + i, lanes: n)
    (c * a - s * b).store(x + i, lanes: n)
    (s * a + c * b).store(y + i, lanes: n)
  }
}
