/// Means of the samples of each class, in double.
struct ClassMeans {
  let classes, dimensions: Int
  let counts: UnsafeMutablePointer<Int>
  /// `[classes, dimensions]`; 0 for a class without samples.
  let means: UnsafeMutablePointer<Double>
  private let row: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, classes: Int, dimensions: Int) {
    self.classes = classes
    self.dimensions = dimensions
    counts = arena.take(Int.self, classes)
    means = arena.take(Double.self, classes &* dimensions)
    row = arena.take(Double.self, dimensions)
  }

  func mean(_ c: Int) -> UnsafeMutablePointer<Double> { means + c &* dimensions }

  /// - Parameter y: labels that have been checked.
  func compute<S: Scalar>(_ x: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int) {
    clear()
    for i in 0..<count {
      widen(x + i &* dimensions, step: 1, row, dimensions)
      add(row, Int(y[i]))
    }
    divide()
  }

  /// The same, sample by sample: `clear`, `add` of each, `divide`.
  func clear() {
    counts.update(repeating: 0, count: classes)
    means.update(repeating: 0, count: classes &* dimensions)
  }

  func add(_ x: UnsafePointer<Double>, _ c: Int) {
    counts[c] &+= 1
    addScaled(1, x, to: mean(c), dimensions)
  }

  func divide() {
    for c in 0..<classes where counts[c] > 1 {
      let mean = mean(c)
      let n = Double(counts[c])
      for d in 0..<dimensions { mean[d] /= n }
    }
  }

  /// How many classes have samples, and the mean of their means.
  func center(into center: UnsafeMutablePointer<Double>) -> Int {
    center.update(repeating: 0, count: dimensions)
    var present = 0
    for c in 0..<classes where counts[c] > 0 {
      present &+= 1
      addScaled(1, mean(c), to: center, dimensions)
    }
    for d in 0..<dimensions { center[d] /= Double(Swift.max(1, present)) }
    return present
  }

  /// A sample less the mean of its class.
  @inline(__always)
  func deviation<S: Scalar>(_ x: UnsafePointer<S>, _ c: Int, into out: UnsafeMutablePointer<Double>) {
    widen(x, step: 1, out, dimensions)
    addScaled(-1, mean(c), to: out, dimensions)
  }
}
