/// Greedy matching of the detections of an image and class with its ground truths, under all criteria at once: a lane
/// for each pair of an area range and an IoU threshold.
///
///     a ground truth is ignored where it is a crowd or its area is outside the range
///     overlap = I / U, for a crowd I / A of the detection
///     in descending order of score, a detection takes the ground truth not yet taken (a crowd never is) that it
///     overlaps most, of equals the last, if by the threshold or more: one that is not ignored, else one that is
///     it is a true positive where that is not ignored; it counts there, and where it has none if its own area is
///     inside the range
struct DetectionMatcher {
  typealias V = DoubleLanes
  typealias Mask = DoubleLanes.Integers
  /// Vectors of criteria.
  private let vectors: Int
  /// Of each criterion; those that fill up the last vector match nothing.
  private let threshold, least, greatest: UnsafeMutablePointer<Double>
  private var lowestThreshold = Double.infinity

  /// The ground truths, whether each is a crowd, and where it is ignored and taken.
  private let truths: BoxColumns<Double>
  private let crowd: UnsafeMutablePointer<Double>
  private let ignored, taken: UnsafeMutablePointer<Mask>
  private var count = 0
  /// Of the present detection: its overlap with each, and those that reach any threshold.
  private let overlaps: UnsafeMutablePointer<Double>
  private let candidates: UnsafeMutablePointer<UInt32>

  init(_ arena: inout Arena, _ shape: CocoShape, capacity: Int) {
    vectors = (shape.criteria &+ V.count &- 1) / V.count
    threshold = arena.take(Double.self, vectors &* V.count)
    least = arena.take(Double.self, vectors &* V.count)
    greatest = arena.take(Double.self, vectors &* V.count)
    truths = BoxColumns(&arena, capacity: capacity)
    crowd = arena.take(Double.self, capacity &+ V.count)
    ignored = arena.take(Mask.self, capacity &* vectors)
    taken = arena.take(Mask.self, capacity &* vectors)
    overlaps = arena.take(Double.self, capacity &+ V.count)
    candidates = arena.take(UInt32.self, capacity)
  }

  /// Reads the criteria.
  mutating func setUp(_ state: CocoState) {
    for i in 0..<(vectors &* V.count) {
      let isFilling = i >= state.shape.criteria
      let t = isFilling ? .infinity : state.threshold(i % state.shape.thresholds)
      threshold[i] = isFilling ? t : Swift.min(t, 1 - 1e-10)
      lowestThreshold = Swift.min(lowestThreshold, threshold[i])
      let range = isFilling ? (.infinity, -.infinity) : state.range(i / state.shape.thresholds)
      (least[i], greatest[i]) = range
    }
  }

  /// Forgets the ground truths.
  mutating func clear() { count = 0 }

  mutating func addTruth(_ box: SIMD4<Double>, area: Double, isCrowd: Bool) {
    truths.x1[count] = box.x
    truths.y1[count] = box.y
    truths.x2[count] = box.z
    truths.y2[count] = box.w
    truths.area[count] = (box.z - box.x) * (box.w - box.y)
    crowd[count] = isCrowd ? 1 : 0
    for v in 0..<vectors {
      ignored[count &* vectors &+ v] = isCrowd ? Mask(-1) : outside(V(area), v)
      taken[count &* vectors &+ v] = Mask(0)
    }
    count &+= 1
  }

  /// Where an area is outside the range.
  @inline(__always)
  private func outside(_ area: V, _ v: Int) -> Mask {
    (area .< V.load(least + v &* V.count)) | (area .> V.load(greatest + v &* V.count))
  }

  /// Matches the next detection. A byte for each vector of criteria goes to each of `hits` and `counted`.
  func match(_ box: SIMD4<Double>, _ hits: UnsafeMutableRawPointer, _ counted: UnsafeMutableRawPointer) {
    let box = BoxLanes(x1: V(box.x), y1: V(box.y), x2: V(box.z), y2: V(box.w))
    let candidateCount = findCandidates(box)
    for v in 0..<vectors {
      let chosen = candidateCount == 0 ? (truth: Mask(-1), isRegular: Mask(0)) : choose(v, candidateCount)
      let isUnmatched = chosen.truth .== Mask(-1)
      let isCounted = chosen.isRegular | (isUnmatched & ~outside(box.area, v))
      hits.storeBytes(of: UInt8(truncatingIfNeeded: chosen.isRegular.maskBits), toByteOffset: v, as: UInt8.self)
      counted.storeBytes(of: UInt8(truncatingIfNeeded: isCounted.maskBits), toByteOffset: v, as: UInt8.self)
    }
  }

  /// Finds the ground truths that reach the lowest threshold; returns how many they are.
  private func findCandidates(_ box: BoxLanes<V>) -> Int {
    var found = 0
    forEachVector(V.self, 0..<count) { i, n in
      let truth = truths.load(i)
      let (intersection, union) = box.overlap(with: truth)
      let isCrowd = (V.load(crowd + i) .!= V.zero) & ~truth.area.isNaN
      let overlap = BoxLanes.ratio(intersection, V.select(isCrowd, box.area, union))
      var bits = (overlap .>= V(lowestThreshold)).maskBits & ((1 &<< UInt32(truncatingIfNeeded: n)) &- 1)
      if bits == 0 { return }
      overlap.store(overlaps + i)
      while bits != 0 {
        candidates[found] = UInt32(truncatingIfNeeded: i &+ bits.trailingZeroBitCount)
        found &+= 1
        bits &= bits &- 1
      }
    }
    return found
  }

  /// Chooses among the candidates under one vector of criteria: which (−1 for none), and where it is not ignored.
  @inline(__always)
  private func choose(_ v: Int, _ candidateCount: Int) -> (truth: Mask, isRegular: Mask) {
    var best = (overlap: V.load(threshold + v &* V.count), truth: Mask(-1))
    improve(&best, v, candidateCount) { ~(ignored[$0] | taken[$0]) }
    let isRegular = ~(best.truth .== Mask(-1))
    improve(&best, v, candidateCount) { ignored[$0] & ~(taken[$0] | isRegular) }
    for c in 0..<candidateCount where crowd[Int(candidates[c])] == 0 {
      let truth = Int(candidates[c])
      taken[truth &* vectors &+ v] = taken[truth &* vectors &+ v] | (best.truth .== Mask(truth))
    }
    return (best.truth, isRegular)
  }

  /// Takes candidates that may be taken and overlap no less than the best so far.
  @inline(__always)
  private func improve(
    _ best: inout (overlap: V, truth: Mask), _ v: Int, _ candidateCount: Int, _ mayTake: (Int) -> Mask
  ) {
    for c in 0..<candidateCount {
      let truth = Int(candidates[c])
      let overlap = V(overlaps[truth])
      let isBetter = mayTake(truth &* vectors &+ v) & (best.overlap .<= overlap)
      best = (V.select(isBetter, overlap, best.overlap), Mask.select(isBetter, Mask(truth), best.truth))
    }
  }
}
