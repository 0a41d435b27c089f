/// SIoU loss of pairs of boxes: overlap, direction and distance of the centres, shape.
///
///     Λ = 2 |dx dy| / (dx² + dy² + ε),  γ = 2 − Λ
///     Δ = Σ_{t = x, y} (1 − e^{−γ ρ_t}),  ρ_x = (dx / (cw + ε))²
///     Ω = Σ_{t = w, h} (1 − e^{−ω_t})^θ,  ω_w = |w1 − w2| / (max(w1, w2) + ε)
///     L = 1 − IoU + (Δ + Ω) / 2
///
/// Everything is differentiated; |u| has the derivative 0 at 0.
///
/// - Parameters:
///   - boxes1: `[count, 4]`, x1, y1, x2, y2; not validated. NaN propagates to its own row.
///   - boxes2: `[count, 4]`: row i of `boxes1` belongs with row i of these.
///   - count: ≥ 0.
///   - theta: θ > 0 and finite, default 4.
///   - eps: ε ≥ 0, default 1e-7.
///   - reduction: default none; the mean divides by Σ s_i.
///   - sampleWeight: optional, one per pair, ≥ 0, default 1.
///   - loss: optional output, one value, or one per pair without reduction.
///   - gradBoxes1: optional output, `[count, 4]`. Where a side is shared by both boxes, each gets half of what moving
///     it does.
///   - gradBoxes2: optional output, `[count, 4]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Gevorgyan 2022, SIoU Loss: More Powerful Learning for Bounding Box Regression.
func scyllaBoxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ theta: Double, _ eps: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(theta) else { return .invalidParameter }
  return boxLoss(
    ScyllaBoxIoULoss<S.Vector>(shape: FixedPower(theta)), boxes1, boxes2, count, eps, reduction, sampleWeight, loss,
    gradBoxes1, gradBoxes2)
}

private struct ScyllaBoxIoULoss<V: Lanes>: BoxLoss {
  let shape: FixedPower<V>

  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    var partials = BoxPartials<V>()
    partials.subtractOverlap(pair)
    let (dx, dy) = (pair.x.offset, pair.y.offset)
    let squares = dx * dx + dy * dy + pair.epsilon
    let gamma = V(2) - V(2) * (dx * dy).magnitude / squares
    let x = Distance(pair.x, gamma, pair.epsilon), y = Distance(pair.y, gamma, pair.epsilon)
    // ∂Λ/∂|dx| = 2 |dy| (dy² − dx² + ε) / (dx² + dy² + ε)²
    let byGamma = V(0.5) * (x.byGamma + y.byGamma)
    let excess = (dy - dx) * (dy + dx)
    let byAngleX = V(2) * dy.magnitude / squares * ((excess + pair.epsilon) / squares)
    let byAngleY = V(2) * dx.magnitude / squares * ((pair.epsilon - excess) / squares)
    partials.x.offset = V(0.5) * x.byOffset - byGamma * byAngleX * sign(dx)
    partials.y.offset = V(0.5) * y.byOffset - byGamma * byAngleY * sign(dy)
    partials.x.addEnclosing(V(0.5) * x.byEnclosing)
    partials.y.addEnclosing(V(0.5) * y.byEnclosing)
    let width = addShape(pair.x, pair.epsilon, &partials.x)
    let height = addShape(pair.y, pair.epsilon, &partials.y)
    return (pair.complement + V(0.5) * ((x.value + y.value) + (width + height)), partials)
  }

  /// 1 − e^{−γρ} of one axis.
  private struct Distance {
    let value, byGamma, byOffset, byEnclosing: V

    @inline(__always)
    init(_ axis: BoxPairAxis<V>, _ gamma: V, _ epsilon: V) {
      let extent = axis.enclosing + epsilon
      let ratio = axis.offset / extent
      let rho = ratio * ratio
      value = -V.expm1(-(gamma * rho))
      let rest = V.exp(-(gamma * rho))
      byGamma = rho * rest
      byOffset = V(2) * gamma * rest * ratio / extent
      byEnclosing = V(-2) * gamma * rest * rho / extent
    }
  }

  /// (1 − e^{−ω})^θ of one axis; half of its gradient is added to the partials.
  @inline(__always)
  private func addShape(_ axis: BoxPairAxis<V>, _ epsilon: V, _ partials: inout BoxPartialsAxis<V>) -> V {
    let difference = axis.sizeDifference
    let largest = V.max(axis.size1, axis.size2) + epsilon
    let omega = difference.magnitude / largest
    let (power, slope) = shape(-V.expm1(-omega))
    let byOmega = V(0.5) * slope * V.exp(-omega) / largest
    let bySmallest = byOmega * sign(difference)
    // 1 − ω = (min + ε) / (max + ε)
    let byLargest = bySmallest * ((V.min(axis.size1, axis.size2) + epsilon) / largest)
    let isFirst = axis.size2 .< axis.size1
    partials.addSizes(V.select(isFirst, byLargest, bySmallest), -V.select(isFirst, bySmallest, byLargest))
    return power
  }

  @inline(__always) private func sign(_ u: V) -> V { V.select(u .== V.zero, V.zero, V.one.copySign(u)) }
}
