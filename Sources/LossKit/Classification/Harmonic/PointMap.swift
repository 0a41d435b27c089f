/// What is done to points before their distance is taken, and the way back for gradients.
///
/// A block has room for twice its coordinates: a map that replaces the points keeps the original ones behind, a matrix
/// puts its images there.
enum PointMap {
  typealias V = DoubleLanes
  case identity
  /// σ(x/T)
  case logistic(temperature: V)
  /// [x > threshold]; its gradient is that of `logistic`.
  case step(threshold: V, temperature: V)
  /// x / max(|x|, 1e-12)
  case unitLength
  /// (|x| + eps) / Σ (|x| + eps)
  case unitSum(eps: V)
  /// x and S x, S a symmetric matrix
  case matrix(UnsafeMutablePointer<Double>)
  /// The same of a diagonal matrix.
  case diagonal(UnsafeMutablePointer<Double>)

  func apply(_ points: PackedPoints) {
    if case .identity = self { return }
    let split = points.split
    parallel(split.parts) { part in
      for block in split.range(part) { apply(points.block(block), points.coordinates) }
    }
  }

  /// From sums of derivatives in the mapped points to gradients in the original ones.
  func pullBack(_ gradients: PackedPoints, _ points: PackedPoints) {
    if case .identity = self { return }
    let split = gradients.split
    parallel(split.parts) { part in
      for block in split.range(part) { pullBack(gradients.block(block), points.block(block), points.coordinates) }
    }
  }

  private func apply(_ x: UnsafeMutablePointer<V>, _ dimensions: Int) {
    let second = x + dimensions
    switch self {
    case .matrix, .diagonal: product(x, second, dimensions)
    default: for i in 0..<dimensions { second[i] = x[i] }
    }
    switch self {
    case .logistic(let temperature):
      for i in 0..<dimensions { x[i] = V.sigmoid(x[i] / temperature) }
    case .step(let threshold, _):
      for i in 0..<dimensions { x[i] = V.select(x[i].isNaN, x[i], V.select(threshold .< x[i], V.one, V.zero)) }
    case .unitLength:
      let length = V.max(smallestLength, innerProduct(x, x, dimensions).squareRoot)
      for i in 0..<dimensions { x[i] = x[i] / length }
    case .unitSum(let eps):
      let sum = sumOfMagnitudes(x, dimensions, eps)
      for i in 0..<dimensions { x[i] = (x[i].magnitude + eps) / sum }
    case .identity, .matrix, .diagonal: break
    }
  }

  private func pullBack(_ g: UnsafeMutablePointer<V>, _ x: UnsafeMutablePointer<V>, _ dimensions: Int) {
    let second = x + dimensions
    switch self {
    case .identity: break
    case .logistic(let temperature), .step(_, let temperature):
      for i in 0..<dimensions {
        let z = second[i] / temperature
        g[i] = g[i] * (V.sigmoid(z) * V.sigmoid(-z)) / temperature
      }
    case .unitLength:
      let length = innerProduct(second, second, dimensions).squareRoot
      let product = innerProduct(g, x, dimensions)
      for i in 0..<dimensions {
        g[i] = V.select(length .< smallestLength, V.zero, (g[i] - product * x[i]) / length)
      }
    case .unitSum(let eps):
      let sum = sumOfMagnitudes(second, dimensions, eps)
      let product = innerProduct(g, x, dimensions)
      for i in 0..<dimensions { g[i] = second[i].sign * (g[i] - product) / sum }
    case .matrix, .diagonal:
      // The images have served: their place is free.
      product(g, second, dimensions)
      for i in 0..<dimensions { g[i] = second[i] }
    }
  }

  private var smallestLength: V { V(1e-12) }

  /// S x
  private func product(_ x: UnsafeMutablePointer<V>, _ image: UnsafeMutablePointer<V>, _ dimensions: Int) {
    for i in 0..<dimensions {
      if case .matrix(let matrix) = self {
        var sum = V.zero
        for j in 0..<dimensions { sum = V.fma(V(matrix[i &* dimensions &+ j]), x[j], sum) }
        image[i] = sum
      } else if case .diagonal(let diagonal) = self {
        image[i] = V(diagonal[i]) * x[i]
      }
    }
  }

  private func innerProduct(_ a: UnsafeMutablePointer<V>, _ b: UnsafeMutablePointer<V>, _ dimensions: Int) -> V {
    var sum = V.zero
    for i in 0..<dimensions { sum = V.fma(a[i], b[i], sum) }
    return sum
  }

  private func sumOfMagnitudes(_ x: UnsafeMutablePointer<V>, _ dimensions: Int, _ eps: V) -> V {
    var sum = V.zero
    for i in 0..<dimensions { sum = sum + (x[i].magnitude + eps) }
    return sum
  }
}
