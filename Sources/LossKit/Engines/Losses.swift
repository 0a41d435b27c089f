// What all loss engines share: weights, reductions and the sums over rows or elements.

/// The weights and outputs of a loss call.
struct LossCall<S: Scalar> {
  let reduction: Reduction
  /// One weight per row; 1 where absent.
  let sampleWeight: UnsafePointer<S>?
  /// One value, or one per row or element with `.none`; absent where it is not wanted.
  let loss: UnsafeMutablePointer<S>?
  /// The gradient of the reduced loss; absent where it is not wanted.
  let grad: UnsafeMutablePointer<S>?

  /// A call without rows or elements: the reduced loss is 0.
  var empty: Status {
    if reduction != .none { loss?.pointee = 0 }
    return .ok
  }
}

/// Where a running loss call puts its results: per-row losses, or partial sums that are joined in order at the end.
struct LossSink<S: Scalar> {
  typealias Partial = (DoubleLanes, DoubleLanes)
  let call: LossCall<S>
  /// What `.mean` divides by.
  let denominator: Double
  private let partialSums: UnsafeMutablePointer<Double>

  /// Runs `body` with a sink and then writes the reduced loss.
  ///
  /// - Parameter denominator: what the mean divides by: the sum of the weights that count.
  @inline(__always)
  static func run(_ call: LossCall<S>, denominator: Double, _ body: (LossSink<S>) -> Void) {
    var storage = InlineArray<64, Double>(repeating: 0)
    withUnsafeMutableBytes(of: &storage) { bytes in
      let partialSums = bytes.baseAddress!.assumingMemoryBound(to: Double.self)
      body(LossSink(call: call, denominator: denominator, partialSums: partialSums))
      if call.reduction == .none { return }
      var sum = 0.0
      for part in 0..<Split.limit { sum += partialSums[part] }
      // A mean over nothing is 0, whatever the ignored rows hold.
      call.loss?.pointee = S(call.reduction == .sum ? sum : denominator == 0 ? 0 : sum / denominator)
    }
  }

  /// The factor that turns the gradient of a row's loss into that of the reduced loss.
  var gradientScale: S.Vector {
    call.reduction == .mean ? S.Vector(denominator == 0 ? 0 : 1 / denominator) : S.Vector.one
  }

  /// The weights of a tile's rows, as lanes.
  @inline(__always) func weights(_ rows: RowSlice) -> S.Vector {
    call.sampleWeight.map { rows.load($0) } ?? S.Vector.one
  }

  @inline(__always) var empty: Partial { (DoubleLanes.zero, DoubleLanes.zero) }

  /// Takes `n` weighted losses, which belong to the rows or elements from `first` on.
  @inline(__always)
  func deposit(_ losses: S.Vector, first: Int, count n: Int, _ partial: inout Partial) {
    if call.reduction == .none {
      if let loss = call.loss { losses.store(loss + first, lanes: n) }
    } else {
      let counted = n == S.Vector.count ? losses : S.Vector.select(S.Vector.Integers.first(n), losses, S.Vector.zero)
      let doubles = counted.doubles
      partial.0 = partial.0 + doubles.0
      partial.1 = partial.1 + doubles.1
    }
  }

  @inline(__always) func finish(_ partial: Partial, part: Int) { partialSums[part] = (partial.0 + partial.1).sum }
}

/// The sum of optional sample weights, 1 each where absent, in double: the denominator of a weighted mean.
func sumOfSampleWeights<S: Scalar>(_ weights: UnsafePointer<S>?, _ count: Int) -> Double {
  guard let weights else { return Double(count) }
  var low = DoubleLanes.zero, high = DoubleLanes.zero
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let doubles = S.Vector.load(weights + i, lanes: n).doubles
    low = low + doubles.0
    high = high + doubles.1
  }
  return (low + high).sum
}
