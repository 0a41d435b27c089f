/// Boxes clipped to an image: x to [0, width], y to [0, height].
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2.
///   - count: ≥ 0.
///   - height: of the image, ≥ 0.
///   - width: of the image, ≥ 0.
///   - clipped: output, `[count, 4]`; may be `boxes` itself. NaN stays NaN.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torchvision.ops.clip_boxes_to_image.
func clipBoxesToImage<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ count: Int, _ height: Double, _ width: Double, _ clipped: UnsafeMutablePointer<S>?
) -> Status {
  guard height >= 0, width >= 0 else { return .invalidParameter }
  return mapBoxes(BoxClipping(limits: ImageLimits<S>(height: height, width: width)), boxes, count, clipped)
}

private struct BoxClipping<S: Scalar>: BoxMap {
  let limits: ImageLimits<S>
  @inline(__always) func value(_ box: Quads<S.Vector>) -> Quads<S.Vector> { limits.clip(box) }
}
