/// What the four numbers of a box are.
enum BoxFormat: Int32 {
  /// x1, y1, x2, y2: two corners.
  case xyxy = 0
  /// x1, y1, width, height: a corner and the size.
  case xywh = 1
  /// The centre and the size.
  case cxcywh = 2
}

/// Boxes in another format.
///
///     xyxy → xywh      (x1, y1, x2 − x1, y2 − y1)         xywh → xyxy      (x, y, x + w, y + h)
///     xyxy → cxcywh    ((x1 + x2)/2, …, x2 − x1, …)       cxcywh → xyxy    (cx ∓ w/2, cy ∓ h/2)
///
/// Other pairs go by way of xyxy; equal formats copy. Boxes are not validated.
///
/// - Parameters:
///   - boxes: `[count, 4]`.
///   - count: ≥ 0.
///   - inFmt: the format of `boxes`.
///   - outFmt: the format wanted.
///   - converted: output, `[count, 4]`; may be `boxes` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torchvision.ops.box_convert.
func boxConvert<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ count: Int, _ inFmt: BoxFormat, _ outFmt: BoxFormat,
  _ converted: UnsafeMutablePointer<S>?
) -> Status {
  mapBoxes(BoxConversion<S.Vector>(source: inFmt, target: outFmt), boxes, count, converted)
}

/// Vector-Jacobian product of `boxConvert`: a linear map, so its transpose, whatever the boxes.
///
/// - Parameters:
///   - gradOutput: `[count, 4]`, the incoming gradient of the converted boxes.
///   - count: ≥ 0.
///   - inFmt: the format of the boxes that were converted.
///   - outFmt: the format they were converted to.
///   - grad: output, `[count, 4]`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func boxConvertVjp<S: Scalar>(
  _ gradOutput: UnsafePointer<S>?, _ count: Int, _ inFmt: BoxFormat, _ outFmt: BoxFormat,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  mapBoxes(BoxConversionTranspose<S.Vector>(source: inFmt, target: outFmt), gradOutput, count, grad)
}

/// Areas of boxes: `(x2 − x1)(y2 − y1)`, or width times height for the formats that have them.
///
/// - Parameters:
///   - boxes: `[count, 4]`, not validated: a reversed box has the area as computed.
///   - count: ≥ 0.
///   - fmt: the format of `boxes` (default xyxy).
///   - area: output, `[count]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torchvision.ops.box_area.
func boxArea<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ count: Int, _ fmt: BoxFormat, _ area: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let boxes, let area else { return .nullPointer }
  forEachRowVector(S.Vector.self, count) { row, n in
    let box = Quads<S.Vector>(boxes + 4 &* row, rows: n)
    (fmt == .xyxy ? box.boxes().area : box.c * box.d).store(area + row, lanes: n)
  }
  return .ok
}

private struct BoxConversion<V: Lanes>: BoxMap {
  let source, target: BoxFormat

  @inline(__always) func value(_ box: Quads<V>) -> Quads<V> {
    source == target ? box : fromCorners(corners(box))
  }

  @inline(__always) private func corners(_ box: Quads<V>) -> Quads<V> {
    switch source {
    case .xyxy: return box
    case .xywh: return Quads(box.a, box.b, box.a + box.c, box.b + box.d)
    case .cxcywh:
      let (x, y) = (V(0.5) * box.c, V(0.5) * box.d)
      return Quads(box.a - x, box.b - y, box.a + x, box.b + y)
    }
  }

  @inline(__always) private func fromCorners(_ box: Quads<V>) -> Quads<V> {
    let (width, height) = (box.c - box.a, box.d - box.b)
    switch target {
    case .xyxy: return box
    case .xywh: return Quads(box.a, box.b, width, height)
    case .cxcywh: return Quads(V(0.5) * (box.a + box.c), V(0.5) * (box.b + box.d), width, height)
    }
  }
}

private struct BoxConversionTranspose<V: Lanes>: BoxMap {
  let source, target: BoxFormat

  @inline(__always) func value(_ grad: Quads<V>) -> Quads<V> {
    source == target ? grad : toSource(toCorners(grad))
  }

  @inline(__always) private func toCorners(_ grad: Quads<V>) -> Quads<V> {
    switch target {
    case .xyxy: return grad
    case .xywh: return Quads(grad.a - grad.c, grad.b - grad.d, grad.c, grad.d)
    case .cxcywh:
      let (x, y) = (V(0.5) * grad.a, V(0.5) * grad.b)
      return Quads(x - grad.c, y - grad.d, x + grad.c, y + grad.d)
    }
  }

  @inline(__always) private func toSource(_ grad: Quads<V>) -> Quads<V> {
    let (x, y) = (grad.a + grad.c, grad.b + grad.d)
    switch source {
    case .xyxy: return grad
    case .xywh: return Quads(x, y, grad.c, grad.d)
    case .cxcywh: return Quads(x, y, V(0.5) * (grad.c - grad.a), V(0.5) * (grad.d - grad.b))
    }
  }
}
