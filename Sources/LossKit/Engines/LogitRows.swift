/// Logits W x + b of features, in double: of each row the largest, of equal ones that of the lowest class.
struct LogitRows<S: Scalar> {
  /// The predicted class of each row.
  let best: UnsafeMutablePointer<Int>
  let bestLogit: UnsafeMutablePointer<Double>
  private let least: UnsafeMutablePointer<Double>
  private let x, weight, bias: UnsafePointer<S>
  private let count, dimensions, classes: Int
  private let wideBias: UnsafeMutablePointer<Double>
  private let factor: DoubleFactor
  private let blocks: ProductBlocks

  /// Do the sizes suit?
  static func fit(_ count: Int, _ dimensions: Int, _ classes: Int) -> Bool {
    dimensions >= 1 && classes >= 1 && elementCount(count, dimensions) != nil
      && elementCount(classes &+ 16, dimensions &+ 16, 4) != nil
  }

  init(
    _ arena: inout Arena, _ x: UnsafePointer<S>, _ weight: UnsafePointer<S>, _ bias: UnsafePointer<S>, _ count: Int,
    _ dimensions: Int, _ classes: Int
  ) {
    self.x = x
    self.weight = weight
    self.bias = bias
    self.count = count
    self.dimensions = dimensions
    self.classes = classes
    best = arena.take(Int.self, count)
    bestLogit = arena.take(Double.self, count)
    least = arena.take(Double.self, count)
    wideBias = arena.take(Double.self, classes)
    factor = DoubleFactor(&arena, columns: classes, depth: dimensions)
    blocks = ProductBlocks(&arena, rows: count, columns: classes, depth: dimensions)
  }

  func compute() {
    widen(bias, step: 1, wideBias, classes)
    factor.pack(transposed: weight)
    forEachProduct(
      factor, blocks,
      LogitsOfRow(
        x: x, bias: wideBias, dimensions: dimensions, classes: classes, best: best, bestLogit: bestLogit, least: least))
  }

  /// The smallest and the largest of all logits.
  var range: (least: Double, largest: Double) {
    var result = (least: Double.infinity, largest: -Double.infinity)
    for i in 0..<count {
      result.least = Swift.min(result.least, least[i])
      result.largest = Swift.max(result.largest, bestLogit[i])
    }
    return result
  }
}

private struct LogitsOfRow<S: Scalar>: ProductConsumer {
  let x: UnsafePointer<S>
  let bias: UnsafePointer<Double>
  let dimensions, classes: Int
  let best: UnsafeMutablePointer<Int>
  let bestLogit, least: UnsafeMutablePointer<Double>

  @inline(__always) func fill(row: Int, _ left: UnsafeMutablePointer<Double>) {
    widen(x + row &* dimensions, step: 1, left, dimensions)
  }

  @inline(__always)
  func use(row: Int, _ left: UnsafeMutablePointer<Double>, _ logits: UnsafeMutablePointer<Double>) {
    var lowest = Double.infinity
    for c in 0..<classes {
      logits[c] += bias[c]
      lowest = Swift.min(lowest, logits[c])
    }
    least[row] = lowest
    best[row] = indexOfLargest(logits, classes)
    bestLogit[row] = logits[best[row]]
  }
}
