/// Efficient-IoU loss of pairs of boxes, with γ > 0 its focal form.
///
///     L = IoU^γ (L_DIoU + (w1 − w2)² / (cw² + ε) + (h1 − h2)² / (ch² + ε))
///
/// The factor IoU^γ is constant for the gradient, and 0 for boxes that do not meet.
///
/// - Parameters:
///   - boxes1: `[count, 4]`, x1, y1, x2, y2; not validated. NaN propagates to its own row.
///   - boxes2: `[count, 4]`: row i of `boxes1` belongs with row i of these.
///   - count: ≥ 0.
///   - gamma: γ ≥ 0 and finite, default 0: no factor (0.5 in the paper).
///   - eps: ε ≥ 0, default 1e-7.
///   - reduction: default none; the mean divides by Σ s_i.
///   - sampleWeight: optional, one per pair, ≥ 0, default 1.
///   - loss: optional output, one value, or one per pair without reduction.
///   - gradBoxes1: optional output, `[count, 4]`. Where a side is shared by both boxes, each gets half of what moving
///     it does.
///   - gradBoxes2: optional output, `[count, 4]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Zhang et al. 2021, Focal and Efficient IOU Loss for Accurate Bounding Box Regression.
func efficientBoxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ gamma: Double, _ eps: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  guard gamma >= 0, gamma < .infinity else { return .invalidParameter }
  return boxLoss(
    EfficientBoxIoULoss<S.Vector>(focus: FixedPower(gamma)), boxes1, boxes2, count, eps, reduction, sampleWeight, loss,
    gradBoxes1, gradBoxes2)
}

private struct EfficientBoxIoULoss<V: Lanes>: BoxLoss {
  let focus: FixedPower<V>

  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    let factor = focus(pair.overlap).power
    var partials = BoxPartials<V>()
    partials.subtractOverlap(pair, scale: factor)
    let distance = CentreDistance(pair)
    distance.add(to: &partials, scale: factor)
    let width = addSize(pair.x, pair.epsilon, factor, &partials.x)
    let height = addSize(pair.y, pair.epsilon, factor, &partials.y)
    return (factor * (pair.complement + distance.value + (width + height)), partials)
  }

  /// u = (size1 − size2)² / (enclosing² + ε); its gradient, scaled, is added to the partials.
  @inline(__always)
  private func addSize(_ axis: BoxPairAxis<V>, _ epsilon: V, _ scale: V, _ partials: inout BoxPartialsAxis<V>) -> V {
    let difference = axis.sizeDifference
    let inverse = V.one / (axis.enclosing * axis.enclosing + epsilon)
    let slope = V(2) * scale * inverse * difference
    partials.inner1 = partials.inner1 + slope
    partials.inner2 = partials.inner2 - slope
    // 1 ∓ difference · enclosing / (enclosing² + ε), from enclosing ∓ difference = size + excess.
    let rest1 = axis.enclosing * (axis.size2 + axis.excess2) + epsilon
    let rest2 = axis.enclosing * (axis.size1 + axis.excess1) + epsilon
    partials.outer1 = partials.outer1 + slope * (rest1 * inverse)
    partials.outer2 = partials.outer2 - slope * (rest2 * inverse)
    return difference * difference * inverse
  }
}
