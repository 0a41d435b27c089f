/// Voronoi loss of the parameters of a mixture of experts: how far fitted experts are from the true ones.
///
///     cell of j = argmin_l ‖θ_j − θ*_l‖     (of equal ones the lower l)
///     c_l = Σ_{j in cell l} e^{β_j} Σ_b ‖θ_j^{(b)} − θ*_l^{(b)}‖ + |Σ_{j in cell l} e^{β_j} − e^{β*_l}|
///     L = sum of the k largest c_l
///
/// Cells and the choice of the k are constants. For j in a chosen cell l, with 0 for a norm's gradient at 0 and sign(0) = 0,
///
///     dL/dθ_j^{(b)} = e^{β_j} (θ_j − θ*_l)^{(b)} / ‖·‖,   dL/dβ_j = e^{β_j} (Σ_b ‖·‖ + sign(Σ e^β − e^{β*_l}))
///
/// - Parameters:
///   - theta: θ, `[experts, parameters]`.
///   - bias: β, `[experts]`.
///   - thetaTrue: θ*, `[true_experts, parameters]`.
///   - biasTrue: β*, `[true_experts]`.
///   - blockSizes: ≥ 0, `[blocks]`: the sizes of the groups b that the parameters fall into, in order.
///   - experts: ≥ 0.
///   - trueExperts: ≥ 1.
///   - parameters: ≥ 1, the sum of the blocks' sizes.
///   - blocks: ≥ 1.
///   - k: experts that the gate chooses, in 1 … true_experts; default all.
///   - loss: optional output, one value.
///   - gradTheta: optional output, shaped as `theta`.
///   - gradBias: optional output, shaped as `bias`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Nguyen et al. 2024, Statistical Perspective of Top-K Sparse Softmax Gating Mixture of Experts.
func voronoiMoeLoss<S: Scalar>(
  _ theta: UnsafePointer<S>?, _ bias: UnsafePointer<S>?, _ thetaTrue: UnsafePointer<S>?, _ biasTrue: UnsafePointer<S>?,
  _ blockSizes: UnsafePointer<Int64>?, _ experts: Int, _ trueExperts: Int, _ parameters: Int, _ blocks: Int, _ k: Int,
  _ loss: UnsafeMutablePointer<S>?, _ gradTheta: UnsafeMutablePointer<S>?, _ gradBias: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(experts, parameters) != nil, elementCount(trueExperts, parameters) != nil,
    elementCount(blocks, 1) != nil, trueExperts >= 1, parameters >= 1, blocks >= 1
  else { return .invalidShape }
  guard k >= 1, k <= trueExperts else { return .invalidParameter }
  guard let thetaTrue, let biasTrue, let blockSizes else { return .nullPointer }
  if experts > 0, theta == nil || bias == nil { return .nullPointer }
  var rest = parameters
  for b in 0..<blocks {
    guard blockSizes[b] >= 0, blockSizes[b] <= rest else { return .invalidShape }
    rest &-= Int(blockSizes[b])
  }
  if rest != 0 { return .invalidShape }
  return withWorkspace { arena in
    VoronoiCells<S>(
      theta: theta ?? thetaTrue, bias: bias ?? biasTrue, thetaTrue: thetaTrue, biasTrue: biasTrue, blockSizes: blockSizes,
      experts: experts, trueExperts: trueExperts, parameters: parameters, blocks: blocks,
      cell: arena.take(Int.self, experts), distance: arena.take(Double.self, experts),
      cost: arena.take(Double.self, trueExperts), surplus: arena.take(Double.self, trueExperts),
      isChosen: arena.take(Bool.self, trueExperts))
  } _: { cells in
    cells.assign()
    let value = cells.choose(k)
    loss?.pointee = S(value)
    cells.pullBack(gradTheta, gradBias)
    return .ok
  }
}

private struct VoronoiCells<S: Scalar> {
  let theta, bias, thetaTrue, biasTrue: UnsafePointer<S>
  let blockSizes: UnsafePointer<Int64>
  let experts, trueExperts, parameters, blocks: Int
  /// Of each expert: the cell, and `Σ_b ‖θ_j^{(b)} − θ*_l^{(b)}‖`.
  let cell: UnsafeMutablePointer<Int>
  let distance: UnsafeMutablePointer<Double>
  /// Of each cell: c_l, `Σ e^β − e^{β*}`, and whether it is one of the k.
  let cost, surplus: UnsafeMutablePointer<Double>
  let isChosen: UnsafeMutablePointer<Bool>

  private func exp(_ x: S) -> Double { DoubleLanes.exp(DoubleLanes(x.double))[0] }

  private func difference(_ j: Int, _ l: Int, _ i: Int) -> Double {
    theta[j &* parameters &+ i].double - thetaTrue[l &* parameters &+ i].double
  }

  /// The norm of the difference in the parameters of a range.
  private func norm(_ j: Int, _ l: Int, _ range: Range<Int>) -> Double {
    var sum = 0.0
    for i in range { sum += difference(j, l, i) * difference(j, l, i) }
    return sum.squareRoot()
  }

  /// Calls `body` with the range of each block.
  private func forEachBlock(_ body: (Range<Int>) -> Void) {
    var start = 0
    for b in 0..<blocks {
      let end = start &+ Int(blockSizes[b])
      body(start..<end)
      start = end
    }
  }

  /// Finds the cells and what they cost.
  func assign() {
    for l in 0..<trueExperts {
      cost[l] = 0
      surplus[l] = -exp(biasTrue[l])
    }
    for j in 0..<experts {
      var nearest = 0
      var least = norm(j, 0, 0..<parameters)
      for l in 1..<trueExperts {
        let other = norm(j, l, 0..<parameters)
        if other < least { (nearest, least) = (l, other) }
      }
      cell[j] = nearest
      var sum = 0.0
      forEachBlock { sum += norm(j, nearest, $0) }
      distance[j] = sum
      cost[nearest] += exp(bias[j]) * sum
      surplus[nearest] += exp(bias[j])
    }
    for l in 0..<trueExperts {
      cost[l] += surplus[l].magnitude
      isChosen[l] = false
    }
  }

  /// Chooses the k dearest cells, of equal ones the lower, and returns what they cost. NaN is dearest.
  func choose(_ k: Int) -> Double {
    var sum = 0.0
    for _ in 0..<k {
      var best = -1
      for l in 0..<trueExperts where !isChosen[l] {
        if best < 0 || cost[l] > cost[best] || (cost[l].isNaN && !cost[best].isNaN) { best = l }
      }
      isChosen[best] = true
      sum += cost[best]
    }
    return sum
  }

  func pullBack(_ gradTheta: UnsafeMutablePointer<S>?, _ gradBias: UnsafeMutablePointer<S>?) {
    for j in 0..<experts {
      let l = cell[j]
      let weight = isChosen[l] ? exp(bias[j]) : 0
      if let gradBias {
        let sign: Double = surplus[l] > 0 ? 1 : surplus[l] < 0 ? -1 : 0
        gradBias[j] = S(isChosen[l] ? weight * (distance[j] + sign) : 0)
      }
      guard let gradTheta else { continue }
      forEachBlock { range in
        let norm = norm(j, l, range)
        for i in range {
          gradTheta[j &* parameters &+ i] = S(isChosen[l] && norm != 0 ? weight * difference(j, l, i) / norm : 0)
        }
      }
    }
  }
}
