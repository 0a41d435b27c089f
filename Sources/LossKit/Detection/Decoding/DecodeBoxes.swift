/// Boxes from the offsets that a regression head predicts for its anchors (R-CNN parametrisation).
///
///     centre = anchor centre + (dx / wx · w, dy / wy · h)
///     size   = (w e^{min(dw / ww, clip)}, h e^{min(dh / wh, clip)})
///
/// with the anchor's size (w, h).
///
/// - Parameters:
///   - deltas: `[count, 4]`, dx, dy, dw, dh.
///   - anchors: `[count, 4]`, x1, y1, x2, y2.
///   - count: ≥ 0.
///   - weightX: wx, > 0 and finite like the other weights (1 or, in R-CNN heads, 10).
///   - weightY: wy (1 or 10).
///   - weightWidth: ww (1 or 5).
///   - weightHeight: wh (1 or 5).
///   - clip: the largest log scale, not NaN; ln(1000 / 16) = 4.135166556742356 is usual.
///   - boxes: output, `[count, 4]`, x1, y1, x2, y2; may be `deltas` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Ren et al. 2015, Faster R-CNN; torchvision.models.detection, BoxCoder.
func decodeBoxes<S: Scalar>(
  _ deltas: UnsafePointer<S>?, _ anchors: UnsafePointer<S>?, _ count: Int, _ weightX: Double, _ weightY: Double,
  _ weightWidth: Double, _ weightHeight: Double, _ clip: Double, _ boxes: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard let coder = BoxCoder<S>(weightX, weightY, weightWidth, weightHeight, clip) else {
    return .invalidParameter
  }
  if count == 0 { return .ok }
  guard let deltas, let anchors, let boxes else { return .nullPointer }
  forEachRowVector(S.Vector.self, count) { row, n in
    coder.decode(Quads(deltas + 4 &* row, rows: n), Quads(anchors + 4 &* row, rows: n)).store(boxes + 4 &* row, rows: n)
  }
  return .ok
}

/// Vector-Jacobian product of `decodeBoxes` with respect to the deltas.
///
///     g_cx = g_x1 + g_x2,  g_w = (g_x2 − g_x1) / 2,  and likewise in y
///     grad_dx = g_cx w / wx,  grad_dw = g_w · decoded width / ww where dw / ww ≤ clip, else 0
///
/// - Parameters:
///   - deltas: `[count, 4]`, dx, dy, dw, dh.
///   - anchors: `[count, 4]`, x1, y1, x2, y2.
///   - gradOutput: `[count, 4]`, the incoming gradient of the boxes.
///   - count: ≥ 0.
///   - weightX: wx, > 0 and finite like the other weights.
///   - weightY: wy.
///   - weightWidth: ww.
///   - weightHeight: wh.
///   - clip: the largest log scale, not NaN.
///   - gradDeltas: output, `[count, 4]`; may be `deltas` or `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func decodeBoxesVjp<S: Scalar>(
  _ deltas: UnsafePointer<S>?, _ anchors: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int,
  _ weightX: Double, _ weightY: Double, _ weightWidth: Double, _ weightHeight: Double, _ clip: Double,
  _ gradDeltas: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard let coder = BoxCoder<S>(weightX, weightY, weightWidth, weightHeight, clip) else {
    return .invalidParameter
  }
  if count == 0 { return .ok }
  guard let deltas, let anchors, let gradOutput, let gradDeltas else { return .nullPointer }
  forEachRowVector(S.Vector.self, count) { row, n in
    coder.pullBack(
      Quads(deltas + 4 &* row, rows: n), Quads(anchors + 4 &* row, rows: n), Quads(gradOutput + 4 &* row, rows: n)
    ).store(gradDeltas + 4 &* row, rows: n)
  }
  return .ok
}

/// What a regression head should predict for its anchors to give the boxes: the inverse of `decodeBoxes`.
///
///     dx = wx (box centre − anchor centre) / w,  dw = ww ln(box width / w),  and likewise in y
///
/// with the anchor's size (w, h). A width that is not positive gives −inf or NaN, as computed.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - anchors: `[count, 4]`, x1, y1, x2, y2.
///   - count: ≥ 0.
///   - weightX: wx, > 0 and finite like the other weights.
///   - weightY: wy.
///   - weightWidth: ww.
///   - weightHeight: wh.
///   - deltas: output, `[count, 4]`, dx, dy, dw, dh; may be `boxes` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Ren et al. 2015, Faster R-CNN; torchvision.models.detection, BoxCoder.
func encodeBoxes<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ anchors: UnsafePointer<S>?, _ count: Int, _ weightX: Double, _ weightY: Double,
  _ weightWidth: Double, _ weightHeight: Double, _ deltas: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  guard let coder = BoxCoder<S>(weightX, weightY, weightWidth, weightHeight, 0) else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let boxes, let anchors, let deltas else { return .nullPointer }
  forEachRowVector(S.Vector.self, count) { row, n in
    coder.encode(Quads(boxes + 4 &* row, rows: n), Quads(anchors + 4 &* row, rows: n)).store(deltas + 4 &* row, rows: n)
  }
  return .ok
}

/// The parametrisation.
struct BoxCoder<S: Scalar> {
  typealias V = S.Vector
  private let weightX, weightY, weightWidth, weightHeight: S
  private let clip: S

  init?(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ clip: Double) {
    guard isPositive(x), isPositive(y), isPositive(width), isPositive(height), clip == clip else { return nil }
    (weightX, weightY, weightWidth, weightHeight) = (S(x), S(y), S(width), S(height))
    self.clip = S(clip)
  }

  @inline(__always)
  func decode(_ deltas: Quads<V>, _ anchors: Quads<V>) -> Quads<V> {
    let x = Axis(deltas.a / V(weightX), deltas.c / V(weightWidth), anchors.a, anchors.c, V(clip))
    let y = Axis(deltas.b / V(weightY), deltas.d / V(weightHeight), anchors.b, anchors.d, V(clip))
    let half = V(0.5 as S)
    return Quads(
      x.center - half * x.size, y.center - half * y.size, x.center + half * x.size, y.center + half * y.size)
  }

  @inline(__always)
  func encode(_ boxes: Quads<V>, _ anchors: Quads<V>) -> Quads<V> {
    let x = encode(boxes.a, boxes.c, anchors.a, anchors.c)
    let y = encode(boxes.b, boxes.d, anchors.b, anchors.d)
    return Quads(
      V(weightX) * x.shift, V(weightY) * y.shift, V(weightWidth) * x.scale, V(weightHeight) * y.scale)
  }

  /// From the distances of the sides, which lose nothing where box and anchor are close to each other and far from the
  /// origin: the log of the quotient of their sizes is log(1 + (their difference / the anchor's size)).
  @inline(__always)
  private func encode(_ low: V, _ high: V, _ anchorLow: V, _ anchorHigh: V) -> (shift: V, scale: V) {
    let extent = anchorHigh - anchorLow
    let (fromLow, fromHigh) = (low - anchorLow, high - anchorHigh)
    let growth = (fromHigh - fromLow) / extent
    let isSimilar = growth.magnitude .< V(0.5 as S)
    let scale = V.select(isSimilar, V.log1p(growth), V.log((high - low) / extent))
    return (V(0.5 as S) * (fromLow + fromHigh) / extent, scale)
  }

  @inline(__always)
  func pullBack(_ deltas: Quads<V>, _ anchors: Quads<V>, _ grad: Quads<V>) -> Quads<V> {
    let x = Axis(deltas.a / V(weightX), deltas.c / V(weightWidth), anchors.a, anchors.c, V(clip))
    let y = Axis(deltas.b / V(weightY), deltas.d / V(weightHeight), anchors.b, anchors.d, V(clip))
    return Quads(
      x.shiftGradient(grad.a, grad.c) / V(weightX), y.shiftGradient(grad.b, grad.d) / V(weightY),
      x.scaleGradient(grad.a, grad.c) / V(weightWidth), y.scaleGradient(grad.b, grad.d) / V(weightHeight))
  }

  /// One of x and y.
  private struct Axis {
    let extent: V
    let center: V
    let size: V
    let isClipped: V.Integers

    @inline(__always)
    init(_ shift: V, _ scale: V, _ low: V, _ high: V, _ clip: V) {
      extent = high - low
      center = shift * extent + (low + V(0.5 as S) * extent)
      // min(clip, x) rather than min(x, clip): NaN stays NaN.
      size = V.exp(V.min(clip, scale)) * extent
      isClipped = clip .< scale
    }

    @inline(__always)
    func shiftGradient(_ low: V, _ high: V) -> V { (low + high) * extent }

    @inline(__always)
    func scaleGradient(_ low: V, _ high: V) -> V {
      V.select(isClipped, V.zero, V(0.5 as S) * (high - low) * size)
    }
  }
}
