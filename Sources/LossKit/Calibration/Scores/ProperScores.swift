// Proper scores: losses of probabilities, on the engine of rows.

/// What happened: the column of each row's label. The binary view has one column, that of class 1.
struct Outcomes<S: Scalar> {
  let labels: UnsafePointer<Int64>
  let firstLabel: Int64

  /// The columns of the labels of a tile's rows; −1 where the label has none, as 0 in the binary view.
  @inline(__always) func columns(_ rows: RowSlice) -> S.Vector.Integers {
    var columns = S.Vector.Integers(-1)
    for row in 0..<rows.count { columns[row] = Int(labels[rows.first &+ row] &- firstLabel) }
    return columns
  }
}

extension LossCall {
  /// Value and gradient of a proper score.
  ///
  /// - Parameter kernel: makes what is done with the rows.
  @inline(__always)
  func properScore<K: RowKernel>(
    _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
    _ kernel: (Outcomes<S>, LossSink<S>) -> K
  ) -> Status where K.V == S.Vector {
    if let fault = faultOf(probs, y, count, classes) { return fault }
    guard count > 0, let probs, let y else { return empty }
    let isBinary = classes == 0
    // The probabilities of class 1 alone are contiguous across rows.
    guard let shape = isBinary ? RowShape(1, 1, count) : RowShape(count, classes, 1) else { return .invalidShape }
    guard areLabels(y, count, below: isBinary ? 2 : classes) else { return .invalidTarget }
    guard areProbabilities(probs, count &* shape.classes), areWeights(sampleWeight, count) else {
      return .invalidValue
    }
    let outcomes = Outcomes<S>(labels: y, firstLabel: isBinary ? 1 : 0)
    LossSink.run(self, denominator: sumOfSampleWeights(sampleWeight, count)) { sink in
      forEachRowTile(
        shape, RowArrays(first: probs, second: probs, perClass: nil, output: grad), kernel(outcomes, sink))
    }
    return .ok
  }
}

private func areLabels(_ y: UnsafePointer<Int64>, _ count: Int, below limit: Int) -> Bool {
  var bad = false
  for row in 0..<count { bad = bad || UInt64(bitPattern: y[row]) >= UInt64(limit) }
  return !bad
}

/// Is no number outside [0, 1]? NaN is let through: losses propagate it.
@inline(__always) private func areProbabilities<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n)
    bad = bad | (x .< S.Vector.zero) | (S.Vector.one .< x)
  }
  return !bad.any
}
