/// Class scores of a singular kernel smoother: training points vote with a negative power of their distance.
///
///     k_im = |x_i − x_m|^−α,   score_ic = Σ_{m: y_m = c} k_im / Σ_m k_im
///
/// Powers are taken relative to the nearest point. Where points coincide with x_i they alone count, equally. Large α
/// gives the nearest neighbour, small α the majority.
///
/// - Parameters:
///   - x: queries, `[count, dimensions]`.
///   - trainX: `[trainCount, dimensions]`.
///   - trainY: classes, `[trainCount]`, in 0 ..< numClasses.
///   - count: N ≥ 0.
///   - dimensions: D ≥ 1.
///   - trainCount: M ≥ 1.
///   - numClasses: C ≥ 1.
///   - alpha: > 0, default 1; D is optimal.
///   - scores: output, `[count, numClasses]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Radhakrishnan, Belkin, Uhler 2023, Wide and Deep Neural Networks Achieve Optimality for Classification.
func singularKernelScores<S: Scalar>(
  _ x: UnsafePointer<S>?, _ trainX: UnsafePointer<S>?, _ trainY: UnsafePointer<Int64>?, _ count: Int,
  _ dimensions: Int, _ trainCount: Int, _ numClasses: Int, _ alpha: Double, _ scores: UnsafeMutablePointer<S>?
) -> Status {
  guard dimensions > 0, trainCount > 0, numClasses > 0, PackedPoints.fits(count, dimensions),
    PackedPoints.fits(trainCount, dimensions), PackedPoints.fits(count, trainCount),
    PackedPoints.fits(count, numClasses)
  else { return .invalidShape }
  guard isPositive(alpha) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let x, let trainX, let trainY, let scores else { return .nullPointer }
  let targets = Targets<S>(classes: trainY, ignoreIndex: nil, classFactor: nil, factorIsWeight: false)
  guard targets.denominator(trainCount, classCount: numClasses, nil) != nil else { return .invalidTarget }
  return withWorkspace { arena in
    PointPairs(&arena, count, trainCount, dimensions, room: numClasses)
  } _: { pairs in
    pairs.first.read(x)
    pairs.second.read(trainX)
    pairs.run(
      SquaredDistance(), Votes(classes: trainY, numClasses: numClasses, alpha: DoubleLanes(alpha), scores: scores))
    return .ok
  }
}

private struct Votes<S: Scalar>: DistanceConsumer {
  typealias V = DoubleLanes
  let classes: UnsafePointer<Int64>
  let numClasses: Int
  let alpha: V
  let scores: UnsafeMutablePointer<S>
  var room: Int { numClasses }

  func consume(_ block: DistanceBlock) {
    var nearest = V.infinity
    for m in 0..<block.others { nearest = V.min(nearest, block.distances[m]) }
    let coincides = nearest .== V.zero
    let votes = block.coefficients
    for c in 0..<numClasses { votes[c] = V.zero }
    var sum = V.zero
    for m in 0..<block.others {
      let squared = block.distances[m]
      // (r_min / r)^α, by way of squares
      let power = V.exp(V(0.5) * alpha * V.log(nearest / squared))
      let vote = V.select(coincides, V.select(squared .== V.zero, V.one, V.zero), power)
      let c = Int(classes[m])
      votes[c] = votes[c] + vote
      sum = sum + vote
    }
    for c in 0..<numClasses { votes[c] = votes[c] / sum }
    forEachVector(V.self, 0..<numClasses) { c, n in
      writeTile(votes + c, scores + (block.first &* numClasses &+ c), numClasses, block.count, n)
    }
  }
}
