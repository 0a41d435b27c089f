/// The precision at each true positive, best detection first: between two of them it only falls, so these are enough.
struct PrecisionCurve {
  private let precisions: UnsafeMutablePointer<Double>
  private var count = 0
  private let truths: Double

  /// - Parameters:
  ///   - memory: as long as there are true positives.
  ///   - truths: how many there are to be found.
  init(_ memory: UnsafeMutablePointer<Double>, truths: Int64) {
    precisions = memory
    self.truths = Double(truths)
  }

  @inline(__always)
  mutating func append(_ precision: Double) {
    precisions[count] = precision
    count &+= 1
  }

  var truePositives: Int { count }
  var recall: Double { Double(count) / truths }

  /// Raises each precision to the greatest at its recall or higher.
  func makeMonotonic() {
    var best = 0.0
    for i in (0..<count).reversed() {
      best = Swift.max(best, precisions[i])
      precisions[i] = best
    }
  }

  /// The area under the steps of a monotonic curve.
  var area: Double {
    var sum = 0.0
    for i in 0..<count { sum += (Double(i &+ 1) / truths - Double(i) / truths) * precisions[i] }
    return sum
  }

  /// Calls `body(i, precision)` for `points` recalls from 0 to 1, evenly spaced: the greatest precision at this recall
  /// or higher, 0 if there is none. Recalls are i times the rounded 1 / (points − 1), the numbers that NumPy's linspace
  /// gives and so pycocotools compares with.
  @inline(__always)
  func sample(_ points: Int, _ body: (Int, Double) -> Void) {
    let step = 1 / Double(points &- 1)
    var next = 0
    for i in 0..<points {
      let recall = Double(i) * step
      while next < count, Double(next &+ 1) / truths < recall { next &+= 1 }
      body(i, next < count ? precisions[next] : 0)
    }
  }

  /// The mean of the samples.
  func mean(_ points: Int) -> Double {
    var sum = 0.0
    sample(points) { sum += $1 }
    return sum / Double(points)
  }
}
