// What the proper scores share: checks of their input, and the weighted reduction of the rows' losses.

/// The weights of `count` rows, looked through.
struct RowWeights<S: Scalar> {
  let weights: UnsafePointer<S>?
  let count: Int
  let total: Double

  /// nil if a weight is negative or not finite.
  init?(_ weights: UnsafePointer<S>?, _ count: Int) {
    self.weights = weights
    self.count = count
    guard let weights else {
      total = Double(count)
      return
    }
    var sum = 0.0
    for i in 0..<count {
      let weight = weights[i].double
      guard weight >= 0, weight < .infinity else { return nil }
      sum += weight
    }
    total = sum
  }

  @inline(__always) subscript(row: Int) -> Double { weights.map { $0[row].double } ?? 1 }

  /// What the gradient of row i's loss, and the loss, are multiplied by besides its weight.
  func scale(_ reduction: Reduction) -> Double { reduction == .mean ? (total > 0 ? 1 / total : 0) : 1 }
}

extension ConfidenceRows {
  /// Labels in range? No probability outside [0, 1]? (NaN is let through: losses propagate it.)
  func faultsOfLoss() -> DataFaults {
    let elements = count &* columns
    let split = Split(elements, smallest: smallestElementwisePart, multiple: S.Vector.count)
    var faults = DataFaults()
    withUnsafeTemporaryAllocation(of: Bool.self, capacity: Split.limit) { isBad in
      parallel(split.parts) { part in
        var bad = S.Vector.zero .< S.Vector.zero
        forEachVector(S.Vector.self, split.range(part)) { offset, n in
          let p = S.Vector.load(probs + offset, lanes: n)
          bad = bad | (p .< S.Vector.zero) | (S.Vector.one .< p)
        }
        isBad[part] = bad.any
      }
      for part in 0..<split.parts { faults.value = faults.value || isBad[part] }
    }
    for row in 0..<count { faults.target = faults.target || y[row] < 0 || y[row] >= Int64(labelCount) }
    return faults
  }

  /// Weighs and joins the losses of all rows, and has their gradients written.
  ///
  /// - Parameters:
  ///   - loss: output, one number, or `[count]` with `none`.
  ///   - losses: writes the losses of rows `first ..< first + n`, n ≤ 8.
  ///   - gradient: writes the gradient of a row's loss times a factor.
  @inline(__always)
  func reduceLosses(
    _ weights: RowWeights<S>, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
    losses: (_ first: Int, _ n: Int, UnsafeMutablePointer<Double>) -> Void,
    gradient: (_ row: Int, _ factor: Double) -> Void
  ) {
    let split = Split(count, smallest: max(smallestElementwisePart / columns, 1), multiple: 8)
    let scale = weights.scale(reduction)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Split.limit) { sums in
      parallel(split.parts) { part in
        let range = split.range(part)
        var sum = 0.0
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 8) { block in
          var first = range.lowerBound
          while first < range.upperBound {
            let n = min(8, range.upperBound &- first)
            losses(first, n, block.baseAddress!)
            for i in 0..<n {
              let weight = weights[first &+ i]
              gradient(first &+ i, weight * scale)
              if reduction == .none { loss?[first &+ i] = S(weight * block[i]) } else { sum += weight * block[i] }
            }
            first &+= 8
          }
        }
        sums[part] = sum
      }
      if reduction != .none {
        var sum = 0.0
        for part in 0..<split.parts { sum += sums[part] }
        loss?.pointee = S(sum * scale)
      }
    }
  }
}
