/// Scores of candidate labels by their distance in a metric space to the classes that a model knows: minus the expected
/// power of the distance.
///
///     S_nl = −Σ_k P_nk D_kl^power,      d(Σ_l S_nl)/dP_nk = −Σ_l D_kl^power
///
/// - Parameters:
///   - probs: P, probabilities of the observed classes, `[count, observed]`. A row with NaN gives NaN.
///   - distance: D ≥ 0, of observed classes to candidate labels, `[observed, labels]`.
///   - count: ≥ 0.
///   - observed: ≥ 1.
///   - labels: ≥ 1.
///   - power: > 0, finite, default 2.
///   - scores: output, `[count, labels]`.
///   - grad: optional output, shaped as `probs`: of the sum of each row's scores with respect to its probabilities.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a probability outside [0, 1] or a distance
///   that is negative or NaN, OUT_OF_MEMORY.
/// - Reference: Roberts et al. 2023, Geometry-Aware Adaptation for Pretrained Models.
func lokiScores<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ distance: UnsafePointer<S>?, _ count: Int, _ observed: Int, _ labels: Int,
  _ power: Double, _ scores: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  scoreLabels(probs, distance, count, observed, labels, power, allowsNaN: true, scores != nil) { job in
    job.scores = scores
    job.grad = grad
  }
}

/// The candidate label of the highest score of `loki_scores`: the Fréchet mean of the candidates under the probabilities.
///
///     label_n = argmin_l Σ_k P_nk D_kl^power     (the lowest of equal ones)
///
/// - Parameters:
///   - probs: P, probabilities of the observed classes, `[count, observed]`.
///   - distance: D ≥ 0, of observed classes to candidate labels, `[observed, labels]`.
///   - count: ≥ 0.
///   - observed: ≥ 1.
///   - labels: ≥ 1.
///   - power: > 0, finite, default 2.
///   - prediction: output, `[count]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a probability outside [0, 1] or NaN, or a
///   distance that is negative or NaN, OUT_OF_MEMORY.
/// - Reference: Roberts et al. 2023, Geometry-Aware Adaptation for Pretrained Models.
func lokiPredict<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ distance: UnsafePointer<S>?, _ count: Int, _ observed: Int, _ labels: Int,
  _ power: Double, _ prediction: UnsafeMutablePointer<Int64>?
) -> Status {
  scoreLabels(probs, distance, count, observed, labels, power, allowsNaN: false, prediction != nil) { job in
    job.prediction = prediction
  }
}

@inline(__always)
private func scoreLabels<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ distance: UnsafePointer<S>?, _ count: Int, _ observed: Int, _ labels: Int,
  _ power: Double, allowsNaN: Bool, _ hasOutput: Bool, _ setOutputs: (inout LabelScores<S>) -> Void
) -> Status {
  guard observed >= 1, labels >= 1, elementCount(count, observed) != nil, elementCount(count, labels) != nil,
    elementCount(observed &+ 16, labels &+ 16, 4) != nil
  else { return .invalidShape }
  guard isPositive(power) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let probs, let distance, hasOutput else { return .nullPointer }
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count &* observed) { i, n in
    let p = S.Vector.load(probs + i, lanes: n)
    bad = bad | (p .< S.Vector.zero) | (S.Vector.one .< p)
    if !allowsNaN { bad = bad | p.isNaN }
  }
  if bad.any || !areNonNegative(distance, observed &* labels) { return .invalidValue }
  return withWorkspace {
    (
      factor: DoubleFactor(&$0, columns: labels, depth: observed),
      blocks: ProductBlocks(&$0, rows: count, columns: labels, depth: observed),
      sums: $0.take(Double.self, observed)
    )
  } _: { memory in
    let (factor, blocks, sums) = memory
    factor.pack(distance) { d, size in
      let exponent = DoubleLanes(power)
      forEachVector(DoubleLanes.self, 0..<size) { i, n in
        let x = DoubleLanes.load(d + i, lanes: n)
        (power == 2 ? x * x : DoubleLanes.pow(x, exponent)).store(d + i, lanes: n)
      }
      for k in 0..<observed {
        var sum = DoubleLanes.zero
        forEachVector(DoubleLanes.self, 0..<labels) { l, n in
          sum = sum + DoubleLanes.load(d + (k &* labels &+ l), lanes: n)
        }
        sums[k] = -sum.sum
      }
    }
    var job = LabelScores<S>(probs: probs, observed: observed, labels: labels, slopes: sums)
    setOutputs(&job)
    forEachProduct(factor, blocks, job)
    return .ok
  }
}

private struct LabelScores<S: Scalar>: ProductConsumer {
  let probs: UnsafePointer<S>
  let observed, labels: Int
  let slopes: UnsafePointer<Double>
  var scores: UnsafeMutablePointer<S>?
  var grad: UnsafeMutablePointer<S>?
  var prediction: UnsafeMutablePointer<Int64>?

  @inline(__always) func fill(row: Int, _ left: UnsafeMutablePointer<Double>) {
    widen(probs + row &* observed, step: 1, left, observed)
  }

  @inline(__always)
  func use(row: Int, _ left: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>) {
    for l in 0..<labels { products[l] = -products[l] }
    if let scores { narrow(products, scores + row &* labels, step: 1, labels) }
    if let grad { narrow(slopes, grad + row &* observed, step: 1, observed) }
    prediction?[row] = Int64(indexOfLargest(products, labels))
  }
}
