/// Cluster-NMS with a score penalty: scores fall by the overlaps with the boxes that Cluster-NMS keeps, and boxes may be
/// averaged with what they suppress.
///
///     B_ij = IoU_ij where i is better than j and kept by `clusterNms` (metric iou), else 0
///     s_j ← s_j · Π_i p_ij,  p_ij = e^{−B_ij²/sigma}
///     distance:  p_ij = min(1, e^{−B_ij²/sigma} + [B_ij > 0](ρ²/(c² + eps))^beta)
///     weighted:  box_i ← Σ_j W_ij box_j / Σ_j W_ij,  W_ij = (B_ij [B_ij > mergeIou] + [i = j]) s_j
///
/// Boxes are returned whose score is then above `minScore`, in the descending order of the scores that were given.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2; not validated. NaN coordinates overlap nothing.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: of Cluster-NMS, any number but NaN (0.5).
///   - topK: ≥ 0 (200): the others take no part.
///   - sigma: ≥ 0 (0.2).
///   - distance: whether the distance of centres softens the penalty (false).
///   - weighted: whether boxes are averaged (false).
///   - beta: for `distance`, ≥ 0 (0.6).
///   - mergeIou: for `weighted`, any number but NaN (0.8).
///   - minScore: any number but NaN (0.01).
///   - maxIter: of Cluster-NMS, ≥ 0 (200).
///   - eps: for `distance`, ≥ 0 (1e-7).
///   - newBoxes: optional output, `[capacity, 4]`.
///   - newScores: optional output, `[capacity]`.
///   - indices: optional output, `[capacity]`: which box each was.
///   - capacity: entries that the outputs have room for; the lesser of `count` and `topK` always suffices. If more
///     boxes are selected: BUFFER_TOO_SMALL, and `selectedCount` is the number needed.
///   - selectedCount: output, the number of boxes returned.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `clusterNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Zheng et al. 2021, Enhancing Geometric Factors in Model Learning and Inference for Object Detection and
///   Instance Segmentation.
func clusterNmsSpm<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ iouThreshold: Double, _ topK: Int,
  _ sigma: Double, _ distance: Bool, _ weighted: Bool, _ beta: Double, _ mergeIou: Double, _ minScore: Double,
  _ maxIter: Int, _ eps: Double, _ newBoxes: UnsafeMutablePointer<S>?, _ newScores: UnsafeMutablePointer<S>?,
  _ indices: UnsafeMutablePointer<Int64>?, _ capacity: Int, _ selectedCount: UnsafeMutablePointer<Int>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, selectedCount, workspace, workspaceSize)(
    isValid: iouThreshold == iouThreshold && topK >= 0 && sigma >= 0 && beta >= 0 && mergeIou == mergeIou
      && minScore == minScore && maxIter >= 0 && eps >= 0,
    layout: { PenalizedClusters<S>(&$0, count, topK, threshold: iouThreshold) },
    run: { clusters, boxes, scores in
      clusters.run(boxes, scores, count, maxIter: maxIter)
      clusters.penalize(scores, sigma: sigma, distance ? DistanceOverlap(beta: S(beta), eps: S(eps)) : nil)
      var selected = 0
      clusters.forEach(above: minScore) { _, _ in selected &+= 1 }
      return selected
    },
    write: { clusters, _ in
      clusters.forEach(above: minScore) { i, place in
        newScores?[i] = clusters.scores[place]
        indices?[i] = Int64(clusters.box(place))
        if let newBoxes { clusters.store(place, mergedAbove: weighted ? mergeIou : .infinity, newBoxes + 4 &* i) }
      }
    })
}

/// The best boxes, which of them Cluster-NMS keeps, and their penalized scores.
struct PenalizedClusters<S: Scalar> {
  typealias V = S.Vector
  private var clusters: ClusterSuppression<S, OverlapRatio<V>>
  /// By place in the order of scores, as everything here.
  let scores: UnsafeMutablePointer<S>
  /// Π p; while it is summed, Σ B².
  private let penalty: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int, _ topK: Int, threshold: Double) {
    clusters = ClusterSuppression(&arena, count, topK, threshold: threshold, OverlapRatio())
    let padded = Swift.min(count, topK) &+ FloatLanes.count
    scores = arena.take(S.self, padded)
    penalty = arena.take(Double.self, padded)
  }

  private var count: Int { clusters.ranked.count }
  func box(_ place: Int) -> Int { clusters.ranked.box(at: place) }

  mutating func run(_ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ count: Int, maxIter: Int) {
    _ = clusters.run(boxes, scores, count, maxIter: maxIter)
  }

  /// s_j · Π_i p_ij, without or with the distance of the centres.
  func penalize(_ given: UnsafePointer<S>, sigma: Double, _ measure: DistanceOverlap<V>?) {
    if let measure {
      penalty.update(repeating: 1, count: count &+ FloatLanes.count)
      forEachOverlap { box, others, j, overlap in
        let p = V.expOfNonPositive(-(overlap * overlap) / V(sigma)) + measure.penalty(box, others)
        add(j, V.select(V.zero .< overlap, V.min(p, V.one), V.one)) { product, p in product * p }
      }
    } else {
      penalty.update(repeating: 0, count: count &+ FloatLanes.count)
      forEachOverlap { _, _, j, overlap in
        add(j, overlap) { sum, b in sum + b * b }
      }
      forEachVector(DoubleLanes.self, 0..<count) { j, _ in
        let sum = DoubleLanes.load(penalty + j)
        let p = DoubleLanes.expOfNonPositive(-sum / DoubleLanes(sigma))
        DoubleLanes.select(sum .== DoubleLanes.zero, DoubleLanes.one, p).store(penalty + j)
      }
    }
    for place in 0..<count { scores[place] = S(given[box(place)].double * penalty[place]) }
  }

  @inline(__always)
  private func add(_ j: Int, _ x: V, _ join: (DoubleLanes, DoubleLanes) -> DoubleLanes) {
    let (low, high) = x.doubles
    join(DoubleLanes.load(penalty + j), low).store(penalty + j)
    if V.count > DoubleLanes.count {
      let upper = penalty + (j &+ DoubleLanes.count)
      join(DoubleLanes.load(upper), high).store(upper)
    }
  }

  /// Calls `body(box i, boxes j …, j, B_ij …)` for every kept i, from the best on.
  @inline(__always)
  private func forEachOverlap(_ body: (BoxLanes<V>, BoxLanes<V>, Int, V) -> Void) {
    let suppressor = clusters.ranked.suppressor
    for i in 0..<count where suppressor.isKept[i] {
      let box = suppressor.boxes.broadcast(i)
      forEachVector(V.self, (i &+ 1)..<count) { j, n in
        let others = suppressor.boxes.load(j)
        body(box, others, j, V.select(V.Integers.first(n), overlap(box, others), V.zero))
      }
    }
  }

  /// IoU; 0 where it is NaN.
  @inline(__always)
  private func overlap(_ box: BoxLanes<V>, _ others: BoxLanes<V>) -> V {
    V.max(box.intersectionOverUnion(with: others), V.zero)
  }

  /// Calls `body(i, place)` for the i-th box whose score is above the limit.
  @inline(__always)
  func forEach(above limit: Double, _ body: (Int, Int) -> Void) {
    var i = 0
    for place in 0..<count where scores[place].double > limit {
      body(i, place)
      i &+= 1
    }
  }

  /// Stores the average of a box and those behind it that overlap it by more than `limit`; it itself if there are none.
  func store(_ place: Int, mergedAbove limit: Double, _ target: UnsafeMutablePointer<S>) {
    let boxes = clusters.ranked.suppressor.boxes
    let own = (boxes.x1[place], boxes.y1[place], boxes.x2[place], boxes.y2[place])
    (target[0], target[1], target[2], target[3]) = own
    guard clusters.ranked.suppressor.isKept[place], limit < .infinity else { return }
    let box = boxes.broadcast(place)
    var found = false
    var weight = scores[place].double
    var sums = (weight * own.0.double, weight * own.1.double, weight * own.2.double, weight * own.3.double)
    forEachVector(V.self, (place &+ 1)..<count) { j, n in
      let others = boxes.load(j)
      let overlaps = overlap(box, others)
      let isMerged = V.Integers.first(n) & (V(S.roundedDown(limit)) .< overlaps) & (V.zero .< overlaps)
      if !isMerged.any { return }
      found = true
      let weights = V.select(isMerged, overlaps * V.load(scores + j), V.zero)
      weight += total(weights, V.one)
      sums.0 += total(weights, V.select(isMerged, others.x1, V.zero))
      sums.1 += total(weights, V.select(isMerged, others.y1, V.zero))
      sums.2 += total(weights, V.select(isMerged, others.x2, V.zero))
      sums.3 += total(weights, V.select(isMerged, others.y2, V.zero))
    }
    guard found, weight != 0 else { return }
    (target[0], target[1]) = (S(sums.0 / weight), S(sums.1 / weight))
    (target[2], target[3]) = (S(sums.2 / weight), S(sums.3 / weight))
  }

  /// Σ w·x in double precision.
  @inline(__always)
  private func total(_ weights: V, _ x: V) -> Double {
    let (w, x) = (weights.doubles, x.doubles)
    return (w.0 * x.0 + w.1 * x.1).sum
  }
}
