/// What an α-IoU loss adds to the overlap.
enum AlphaBoxIoUVariant: Int32 {
  /// Nothing.
  case iou = 0
  /// The empty part of the enclosing box.
  case giou = 1
  /// The distance of the centres.
  case diou = 2
  /// The distance of the centres and the difference of the aspect ratios.
  case ciou = 3
}

/// α-IoU loss of pairs of boxes: the terms of the IoU losses raised to a power.
///
///     iou:   1 − IoU^α
///     giou:  1 − IoU^α + ((C − U) / (C + ε))^α
///     diou:  1 − IoU^α + (ρ² / c²)^α
///     ciou:  1 − IoU^α + (ρ² / c²)^α + (β v)^α,  β = v / (1 − IoU + v + ε)
///
/// with the terms of `generalizedBoxIouLoss` and `completeBoxIouLoss`. β is constant for the gradient. A power of a
/// number ≤ 0 is 0, and so is its gradient.
///
/// - Parameters:
///   - boxes1: `[count, 4]`, x1, y1, x2, y2; not validated. NaN propagates to its own row.
///   - boxes2: `[count, 4]`: row i of `boxes1` belongs with row i of these.
///   - count: ≥ 0.
///   - variant: which of the terms there are; default iou.
///   - alpha: α > 0 and finite, default 3.
///   - eps: ε ≥ 0, default 1e-7.
///   - reduction: default none; the mean divides by Σ s_i.
///   - sampleWeight: optional, one per pair, ≥ 0, default 1.
///   - loss: optional output, one value, or one per pair without reduction.
///   - gradBoxes1: optional output, `[count, 4]`. Where a side is shared by both boxes, each gets half of what moving
///     it does.
///   - gradBoxes2: optional output, `[count, 4]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: He et al. 2021, Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding Box
///   Regression.
func alphaBoxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ variant: AlphaBoxIoUVariant,
  _ alpha: Double, _ eps: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(alpha) else { return .invalidParameter }
  return boxLoss(
    AlphaBoxIoULoss<S.Vector>(variant: variant, alpha: S.Vector(alpha), power: FixedPower(alpha)), boxes1, boxes2,
    count, eps, reduction, sampleWeight, loss, gradBoxes1, gradBoxes2)
}

private struct AlphaBoxIoULoss<V: Lanes>: BoxLoss {
  let variant: AlphaBoxIoUVariant
  let alpha: V
  let power: FixedPower<V>

  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    var partials = BoxPartials<V>()
    let hasNone = pair.overlap .<= V.zero
    partials.subtractOverlap(pair, scale: V.select(hasNone, V.zero, power(pair.overlap).slope))
    // 1 − IoU^α, which near 1 does not cancel.
    var value = V.select(hasNone, V.one, -V.expm1(alpha * pair.logarithmOfOverlap))
    switch variant {
    case .iou: break
    case .giou:
      let gap = EnclosingGap(pair)
      let (raised, slope) = positivePower(gap.value)
      gap.add(to: &partials, scale: slope)
      value = value + raised
    case .diou, .ciou:
      let distance = CentreDistance(pair)
      let (raised, slope) = positivePower(distance.value)
      distance.add(to: &partials, scale: slope)
      value = value + raised
      if variant == .ciou {
        let aspect = AspectDifference(pair)
        let beta = aspect.weight(pair)
        let (raised, slope) = positivePower(beta * aspect.value)
        aspect.add(to: &partials, scale: slope * beta)
        value = value + raised
      }
    }
    return (value, partials)
  }

  @inline(__always)
  private func positivePower(_ base: V) -> (power: V, slope: V) {
    let isNone = base .<= V.zero
    let (raised, slope) = power(base)
    return (V.select(isNone, V.zero, raised), V.select(isNone, V.zero, slope))
  }
}
