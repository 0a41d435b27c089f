/// Isotonic regression: the monotone sequence that is nearest to given values, by pooling adjacent violators.
///
///     minimise Σ w_i (f_i − v_i)²  over  f_1 ≤ f_2 ≤ …  (`increasing`), or ≥
///
/// f is constant on blocks: runs of values that are not in order, each fitted by its weighted mean. Neighbouring blocks
/// of equal mean are one.
///
/// - Parameters:
///   - values: `[count]`, finite.
///   - count: number of values, ≥ 0.
///   - sampleWeight: optional, `[count]`, > 0 and finite; default 1.
///   - increasing: true for f that does not decrease (usual), false for one that does not increase.
///   - output: `[count]`, f; may be `values`.
///   - jacobian: optional output, `[count, count]`: ∂f_i/∂v_j = w_j / Σ_B w if i and j are in one block B, else 0.
/// - Errors: INVALID_VALUE if a value is NaN or infinite, or a weight not > 0.
/// - Reference: Ayer et al., An Empirical Distribution Function for Sampling with Incomplete Information, 1955.
func isotonicRegression<S: Scalar>(
  _ values: UnsafePointer<S>?, _ count: Int, _ sampleWeight: UnsafePointer<S>?, _ increasing: Bool,
  _ output: UnsafeMutablePointer<S>?, _ jacobian: UnsafeMutablePointer<S>?
) -> Status {
  guard jacobian == nil || elementCount(count, count) != nil else { return .invalidShape }
  return withIsotonicSamples(values, count, sampleWeight) { values in
    guard let output else { return .nullPointer }
    if jacobian == nil, areFiniteInOrder(values, count, increasing) {
      forEachVector(S.Vector.self, 0..<count) { i, n in  // they are their own fit
        S.Vector.load(values + i, lanes: n).store(output + i, lanes: n)
      }
      return .ok
    }
    return withIsotonicBlocks(values, count, sampleWeight, increasing) { blocks in
      if let jacobian {
        jacobian.update(repeating: 0, count: count &* count)
        var first = 0
        for b in 0..<blocks.count {
          let block = blocks[b]
          for i in first...block.last {
            for j in first...block.last {
              jacobian[i &* count &+ j] = S((sampleWeight?[j].double ?? 1) / block.weight)
            }
          }
          first = block.last &+ 1
        }
      }
      blocks.expand(into: output, sign: increasing ? 1 : -1)
      return .ok
    }
  }
}

/// Vector-Jacobian product of isotonicRegression: within a block B, grad_in_i = w_i / Σ_B w · Σ_B grad_out.
///
/// - Parameters:
///   - values: `[count]`, finite.
///   - gradOutput: `[count]`.
///   - count: number of values, ≥ 0.
///   - sampleWeight: optional, `[count]`, > 0 and finite; default 1.
///   - increasing: as for the map.
///   - gradInput: `[count]`; may be `gradOutput`.
/// - Errors: INVALID_VALUE if a value is NaN or infinite, or a weight not > 0.
/// - Reference: Best and Chakravarti, Active Set Algorithms for Isotonic Regression, 1990.
func isotonicRegressionVjp<S: Scalar>(
  _ values: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ sampleWeight: UnsafePointer<S>?,
  _ increasing: Bool, _ gradInput: UnsafeMutablePointer<S>?
) -> Status {
  withIsotonicSamples(values, count, sampleWeight) { values in
    guard let gradOutput, let gradInput else { return .nullPointer }
    return withIsotonicBlocks(values, count, sampleWeight, increasing) { blocks in
      var first = 0
      for b in 0..<blocks.count {
        let block = blocks[b]
        var sum = 0.0
        for i in first...block.last { sum += gradOutput[i].double }
        let share = sum / block.weight
        for i in first...block.last { gradInput[i] = S((sampleWeight?[i].double ?? 1) * share) }
        first = block.last &+ 1
      }
      return .ok
    }
  }
}

/// Checks what both have but the values themselves, and runs `body` with these, unless there are none.
@inline(__always)
private func withIsotonicSamples<S: Scalar>(
  _ values: UnsafePointer<S>?, _ count: Int, _ sampleWeight: UnsafePointer<S>?, _ body: (UnsafePointer<S>) -> Status
) -> Status {
  guard elementCount(count, MemoryLayout<IsotonicBlocks.Block>.stride) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let values else { return .nullPointer }
  guard areWeights(sampleWeight, count), arePositive(sampleWeight, count) else { return .invalidValue }
  return body(values)
}

/// Are the values finite, and none less than the one before it (or, unless `increasing`, greater)?
@inline(__always)
private func areFiniteInOrder<S: Scalar>(_ values: UnsafePointer<S>, _ count: Int, _ increasing: Bool) -> Bool {
  let (left, right) = increasing ? (values, values + 1) : (values + 1, values)
  var i = 0
  while i < count &- 1 {
    let n = min(S.Vector.count, count &- 1 &- i)
    if (~(S.Vector.load(left + i, lanes: n) .<= S.Vector.load(right + i, lanes: n))).any { return false }
    i &+= n
  }
  return values[0].isFinite && values[count &- 1].isFinite
}

/// Runs `body` with the blocks, if all values are finite; they are of the negated values where f does not increase.
@inline(__always)
private func withIsotonicBlocks<S: Scalar>(
  _ values: UnsafePointer<S>, _ count: Int, _ sampleWeight: UnsafePointer<S>?, _ increasing: Bool,
  _ body: (IsotonicBlocks) -> Status
) -> Status {
  withWorkspace(layout: { IsotonicBlocks(&$0, capacity: count, areEqual: sampleWeight == nil) }) { memory in
    var blocks = memory
    let sign = DoubleLanes(increasing ? 1 : -1)
    var good = ~DoubleLanes.Integers(0)
    forEachEight(values, 0..<count) { i, value, n in
      good = good & (value.magnitude .< DoubleLanes.infinity)
      let weight = sampleWeight.map { S.Vector.load($0 + i, lanes: n).doubles.0 } ?? .one
      blocks.add(sums: sign * value * weight, weights: weight, index: i, count: n)
    }
    blocks.finish()
    guard !(~good).any else { return .invalidValue }
    return body(blocks)
  }
}
