/// Minus the distance to the k-th nearest training feature, all normalised: high where the input is like those of the
/// training.
///
///     x̂ = x / max(‖x‖, 1e-12),      score = −(k-th smallest of ‖x̂ − b̂_j‖ over the bank)
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - bank: features of the training, `[bankCount, dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - bankCount: ≥ 1.
///   - k: ≥ 1, default 50; more than `bankCount` means that.
///   - score: output, one per row.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or ±inf, OUT_OF_MEMORY.
/// - Reference: Sun et al. 2022, Out-of-Distribution Detection with Deep Nearest Neighbors.
func knnOodScore<S: Scalar>(
  _ x: UnsafePointer<S>?, _ bank: UnsafePointer<S>?, _ count: Int, _ dimensions: Int, _ bankCount: Int, _ k: Int,
  _ score: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, dimensions >= 1, bankCount >= 1, elementCount(count, dimensions) != nil,
    elementCount(bankCount, dimensions) != nil
  else { return .invalidShape }
  guard k >= 1 else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let x, let bank, let score else { return .nullPointer }
  guard areFinite(x, count &* dimensions), areFinite(bank, bankCount &* dimensions) else { return .invalidValue }
  return withWorkspace {
    NeighbourDistances<S>(&$0, x: x, count: count, dimensions, bankCount, k, score)
  } _: { (job: inout NeighbourDistances<S>) in
    for i in 0..<bankCount { job.normalize(bank + i &* dimensions, into: job.bank + i &* dimensions) }
    parallel(job.split.parts, job)
    return .ok
  }
}

private struct NeighbourDistances<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let dimensions, bankCount: Int
  let score: UnsafeMutablePointer<S>
  let bank: UnsafeMutablePointer<Double>
  let split: Split
  private let rows: UnsafeMutablePointer<Double>
  private let best: InlineArray<64, BestCandidates<Double>>  // one for each of Split.limit

  init(
    _ arena: inout Arena, x: UnsafePointer<S>, count: Int, _ dimensions: Int, _ bankCount: Int, _ k: Int,
    _ score: UnsafeMutablePointer<S>
  ) {
    self.x = x
    self.dimensions = dimensions
    self.bankCount = bankCount
    self.score = score
    bank = arena.take(Double.self, bankCount &* dimensions)
    let split = Split(count, smallest: smallestPart(ofRows: count, bytes: 32 &* k, work: bankCount &* dimensions))
    self.split = split
    rows = arena.take(Double.self, split.parts &* dimensions)
    let first = BestCandidates<Double>(&arena, limit: k, total: bankCount)
    var best = InlineArray<64, BestCandidates<Double>>(repeating: first)
    for part in 1..<Swift.max(1, split.parts) { best[part] = BestCandidates(&arena, limit: k, total: bankCount) }
    self.best = best
  }

  @inline(__always) func run(part: Int) {
    let row = rows + part &* dimensions
    for i in split.range(part) {
      normalize(x + i &* dimensions, into: row)
      var nearest = best[part]
      for j in 0..<bankCount { nearest.insert(-squaredDistance(row, bank + j &* dimensions, dimensions), j) }
      nearest.finish()
      var farthest = 0.0
      for n in 0..<nearest.count { farthest = Swift.max(farthest, -nearest.scores[n]) }
      score[i] = S(-farthest.squareRoot())
    }
  }

  @inline(__always) func normalize(_ x: UnsafePointer<S>, into out: UnsafeMutablePointer<Double>) {
    widen(x, step: 1, out, dimensions)
    let norm = Swift.max(dotProduct(UnsafePointer(out), out, dimensions).squareRoot(), 1e-12)
    for d in 0..<dimensions { out[d] /= norm }
  }
}
