/// The parametrisation of a YOLO head. (From version 8 on heads give distributions over distances: `dflDecode` and
/// `distanceToBox`.)
enum YoloVersion: Int32 {
  /// Anchor-based: centre `(σ(t) + cell) · stride`, size `e^t · anchor`.
  case v3 = 0
  /// Anchor-based: centre `(2σ(t) − ½ + cell) · stride`, size `(2σ(t))² · anchor`.
  case v5 = 1
  /// As `v5`.
  case v7 = 2
  /// YOLOX, without anchors: centre `(t + cell) · stride`, size `e^t · stride`.
  case x = 3
}

/// Boxes from the raw outputs of a YOLO head.
///
///     v3        centre (σ(t_xy) + cell) s             size e^{t_wh} anchor
///     v5, v7    centre (2 σ(t_xy) − ½ + cell) s       size (2 σ(t_wh))² anchor
///     x         centre (t_xy + cell) s                size e^{t_wh} s
///
/// with the stride s, then to corners.
///
/// - Parameters:
///   - pred: `[count, 4]`, the raw t_x, t_y, t_w, t_h.
///   - grid: `[count, 2]`, column and row of the cell.
///   - stride: `[count]`, pixels per cell.
///   - anchors: optional, `[count, 2]`, width and height in pixels; not read for `x`, needed otherwise.
///   - count: ≥ 0.
///   - version: the parametrisation, default v5.
///   - boxes: output, `[count, 4]`, x1, y1, x2, y2 in pixels; may be `pred` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Redmon & Farhadi 2018, YOLOv3; Jocher 2020, YOLOv5; Ge et al. 2021, YOLOX.
func decodeYolo<S: Scalar>(
  _ pred: UnsafePointer<S>?, _ grid: UnsafePointer<S>?, _ stride: UnsafePointer<S>?, _ anchors: UnsafePointer<S>?,
  _ count: Int, _ version: YoloVersion, _ boxes: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let pred, let grid, let stride, let boxes, anchors != nil || version == .x else { return .nullPointer }
  let cells = YoloCells(grid: grid, stride: stride, anchors: anchors, version: version)
  forEachRowVector(S.Vector.self, count) { row, n in
    cells.decode(Quads(pred + 4 &* row, rows: n), row, n).store(boxes + 4 &* row, rows: n)
  }
  return .ok
}

/// Vector-Jacobian product of `decodeYolo` with respect to the raw outputs.
///
///     g_cx = g_x1 + g_x2,  g_w = (g_x2 − g_x1) / 2,  and likewise in y
///     v3        g_cx s σ(1 − σ),     g_w · decoded width
///     v5, v7    g_cx s 2 σ(1 − σ),   g_w · decoded width · 2 (1 − σ)
///     x         g_cx s,              g_w · decoded width
///
/// - Parameters:
///   - pred: `[count, 4]`, the raw t_x, t_y, t_w, t_h.
///   - grid: optional, `[count, 2]`: gradients do not depend on it.
///   - stride: `[count]`, pixels per cell.
///   - anchors: optional, `[count, 2]`, width and height in pixels; not read for `x`, needed otherwise.
///   - gradOutput: `[count, 4]`, the incoming gradient of the boxes.
///   - count: ≥ 0.
///   - version: the parametrisation.
///   - gradPred: output, `[count, 4]`; may be `pred` or `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func decodeYoloVjp<S: Scalar>(
  _ pred: UnsafePointer<S>?, _ grid: UnsafePointer<S>?, _ stride: UnsafePointer<S>?, _ anchors: UnsafePointer<S>?,
  _ gradOutput: UnsafePointer<S>?, _ count: Int, _ version: YoloVersion, _ gradPred: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let pred, let stride, let gradOutput, let gradPred, anchors != nil || version == .x else {
    return .nullPointer
  }
  let cells = YoloCells(grid: grid, stride: stride, anchors: anchors, version: version)
  forEachRowVector(S.Vector.self, count) { row, n in
    cells.pullBack(Quads(pred + 4 &* row, rows: n), Quads(gradOutput + 4 &* row, rows: n), row, n)
      .store(gradPred + 4 &* row, rows: n)
  }
  return .ok
}

extension YoloVersion {
  /// Boxes from raw outputs, cells (column, row), strides, and the units of size: anchors, or strides for `x`.
  @inline(__always)
  func decode<V: Lanes>(_ raw: Quads<V>, _ cell: (V, V), _ stride: V, _ unit: (V, V)) -> Quads<V> {
    let (x, y) = ((shift(raw.a) + cell.0) * stride, (shift(raw.b) + cell.1) * stride)
    let (halfWidth, halfHeight) = (V(0.5) * (scale(raw.c) * unit.0), V(0.5) * (scale(raw.d) * unit.1))
    return Quads(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight)
  }

  /// Of the centre within its cell.
  @inline(__always)
  private func shift<V: Lanes>(_ t: V) -> V {
    switch self {
    case .v3: return V.sigmoid(t)
    case .v5, .v7: return V(2) * V.sigmoid(t) - V(0.5)
    case .x: return t
    }
  }

  @inline(__always)
  fileprivate func shiftSlope<V: Lanes>(_ t: V) -> V {
    switch self {
    case .v3: return V.sigmoid(t) * V.sigmoid(-t)
    case .v5, .v7: return V(2) * (V.sigmoid(t) * V.sigmoid(-t))
    case .x: return V.one
    }
  }

  @inline(__always)
  fileprivate func scale<V: Lanes>(_ t: V) -> V {
    switch self {
    case .v3, .x: return V.exp(t)
    case .v5, .v7:
      let twice = V(2) * V.sigmoid(t)
      return twice * twice
    }
  }

  /// The derivative of the scale, divided by the scale.
  @inline(__always)
  fileprivate func relativeSlope<V: Lanes>(_ t: V) -> V {
    switch self {
    case .v3, .x: return V.one
    case .v5, .v7: return V(2) * V.sigmoid(-t)
    }
  }
}

private struct YoloCells<S: Scalar> {
  typealias V = S.Vector
  let grid: UnsafePointer<S>?
  let stride: UnsafePointer<S>
  let anchors: UnsafePointer<S>?
  let version: YoloVersion

  @inline(__always)
  func decode(_ raw: Quads<V>, _ row: Int, _ n: Int) -> Quads<V> {
    let stride = V.load(stride + row, lanes: n)
    let cell: (V, V) = grid.map { loadPairs($0 + 2 &* row, rows: n) } ?? (V.zero, V.zero)
    return version.decode(raw, cell, stride, units(stride, row, n))
  }

  @inline(__always)
  func pullBack(_ raw: Quads<V>, _ grad: Quads<V>, _ row: Int, _ n: Int) -> Quads<V> {
    let stride = V.load(stride + row, lanes: n)
    let unit = units(stride, row, n)
    return Quads(
      (grad.a + grad.c) * stride * version.shiftSlope(raw.a), (grad.b + grad.d) * stride * version.shiftSlope(raw.b),
      V(0.5) * (grad.c - grad.a) * (version.scale(raw.c) * unit.0) * version.relativeSlope(raw.c),
      V(0.5) * (grad.d - grad.b) * (version.scale(raw.d) * unit.1) * version.relativeSlope(raw.d))
  }

  @inline(__always)
  private func units(_ stride: V, _ row: Int, _ n: Int) -> (V, V) {
    (version == .x ? nil : anchors).map { loadPairs($0 + 2 &* row, rows: n) } ?? (stride, stride)
  }
}
