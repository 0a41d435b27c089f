/// What decides whether a box suppresses another: a number of the two, never above their IoU where that is positive.
protocol OverlapMeasure<V> {
  associatedtype V: Lanes
  /// The lanes of `other` whose measure with `box` exceeds the limit, as bits; NaN does not.
  ///
  /// - Parameter isPositive: whether the limit is ≥ 0.
  func exceeding(_ box: BoxLanes<V>, _ other: BoxLanes<V>, limit: V, isPositive: Bool) -> UInt32
}

/// IoU.
struct OverlapRatio<V: Lanes>: OverlapMeasure {
  @inline(__always)
  func exceeding(_ box: BoxLanes<V>, _ other: BoxLanes<V>, limit: V, isPositive: Bool) -> UInt32 {
    let (intersection, union) = box.overlap(with: other)
    // A quotient that rounds to more than t ≥ 0 is itself more than t, and rounding is monotonic: so where
    // t · union, rounded, exceeds the intersection there is nothing to divide.
    if isPositive, !(limit * union .<= intersection).any { return 0 }
    return (BoxLanes.ratio(intersection, union) .> limit).maskBits
  }
}

/// IoU − (ρ²/(c² + eps))^beta, where ρ is the distance of the centres and c the diagonal of the enclosing box.
struct DistanceOverlap<V: Lanes>: OverlapMeasure {
  let beta, eps: V.Element

  @inline(__always)
  func exceeding(_ box: BoxLanes<V>, _ other: BoxLanes<V>, limit: V, isPositive: Bool) -> UInt32 {
    let ratio = box.intersectionOverUnion(with: other)
    if isPositive, !(limit .< ratio).any { return 0 }
    return (ratio - penalty(box, other) .> limit).maskBits
  }

  /// (ρ²/(c² + eps))^beta
  @inline(__always)
  func penalty(_ box: BoxLanes<V>, _ other: BoxLanes<V>) -> V {
    let dx = ((box.x1 + box.x2) - (other.x1 + other.x2)) * V(V.Element(0.5))
    let dy = ((box.y1 + box.y2) - (other.y1 + other.y2)) * V(V.Element(0.5))
    let width = V.max(box.x2, other.x2) - V.min(box.x1, other.x1)
    let height = V.max(box.y2, other.y2) - V.min(box.y1, other.y1)
    let quotient = (dx * dx + dy * dy) / (width * width + height * height + V(eps))
    return beta == 1 ? quotient : V.pow(quotient, V(beta))
  }
}
