/// What a box loss makes of the overlap.
enum BoxIoULossForm: Int32 {
  /// 1 − IoU.
  case linear = 0
  /// 1 − IoU².
  case square = 1
  /// −ln max(IoU, ε).
  case log = 2
}

/// IoU loss of pairs of boxes.
///
///     IoU = I / (U + ε),  U = A1 + A2 − I
///     L = 1 − IoU,  1 − IoU²  or  −ln max(IoU, ε), whose gradient is 0 where it is clamped
///
/// - Parameters:
///   - boxes1: `[count, 4]`, x1, y1, x2, y2; not validated. NaN propagates to its own row.
///   - boxes2: `[count, 4]`: row i of `boxes1` belongs with row i of these.
///   - count: ≥ 0.
///   - form: what is made of the IoU; default linear.
///   - eps: ε ≥ 0, default 1e-7.
///   - reduction: default none; the mean divides by Σ s_i.
///   - sampleWeight: optional, one per pair, ≥ 0, default 1.
///   - loss: optional output, one value, or one per pair without reduction.
///   - gradBoxes1: optional output, `[count, 4]`. Where a side is shared by both boxes, each gets half of what moving
///     it does.
///   - gradBoxes2: optional output, `[count, 4]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a negative weight.
/// - Reference: Yu et al. 2016, UnitBox: An Advanced Object Detection Network.
func boxIouLoss<S: Scalar>(
  _ boxes1: UnsafePointer<S>?, _ boxes2: UnsafePointer<S>?, _ count: Int, _ form: BoxIoULossForm, _ eps: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradBoxes1: UnsafeMutablePointer<S>?, _ gradBoxes2: UnsafeMutablePointer<S>?
) -> Status {
  boxLoss(
    BoxIoULoss<S.Vector>(form: form), boxes1, boxes2, count, eps, reduction, sampleWeight, loss, gradBoxes1, gradBoxes2)
}

private struct BoxIoULoss<V: Lanes>: BoxLoss {
  let form: BoxIoULossForm

  @inline(__always)
  func evaluate(_ pair: BoxPair<V>) -> (value: V, partials: BoxPartials<V>) {
    var partials = BoxPartials<V>()
    switch form {
    case .linear:
      partials.subtractOverlap(pair)
      return (pair.complement, partials)
    case .square:
      partials.subtractOverlap(pair, scale: pair.overlap + pair.overlap)
      return (pair.complement * (V.one + pair.overlap), partials)
    case .log:
      let isClamped = pair.overlap .<= pair.epsilon
      partials.subtractOverlap(pair, scale: V.select(isClamped, V.zero, V.one / pair.overlap))
      return (-V.select(isClamped, V.log(pair.epsilon), pair.logarithmOfOverlap), partials)
    }
  }
}
