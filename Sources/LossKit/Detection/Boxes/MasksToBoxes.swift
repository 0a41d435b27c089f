/// The box around each mask: the first column and row with a true pixel, and the last, inclusive. Zeros for a mask
/// without any.
///
/// - Parameters:
///   - masks: `[count, height, width]`, true where a byte is not 0.
///   - count: ≥ 0.
///   - height: ≥ 0.
///   - width: ≥ 0.
///   - boxes: output, `[count, 4]`, x1, y1, x2, y2.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: torchvision.ops.masks_to_boxes.
func masksToBoxes<S: Scalar>(
  _ masks: UnsafePointer<UInt8>?, _ count: Int, _ height: Int, _ width: Int, _ boxes: UnsafeMutablePointer<S>?
) -> Status {
  guard let pixels = elementCount(count, height, width), elementCount(height, width) != nil,
    elementCount(count, 4) != nil
  else { return .invalidShape }
  if count == 0 { return .ok }
  guard let boxes, masks != nil || pixels == 0 else { return .nullPointer }
  let split = Split(count, smallest: 1)
  parallel(split.parts, MaskBoundsJob(masks: masks, height: height, width: width, boxes: boxes, split: split))
  return .ok
}

private struct MaskBoundsJob<S: Scalar>: ParallelJob {
  let masks: UnsafePointer<UInt8>?
  let height, width: Int
  let boxes: UnsafeMutablePointer<S>
  let split: Split

  func run(part: Int) {
    for mask in split.range(part) {
      let bounds = masks.flatMap { maskBounds($0 + mask &* height &* width, height, width) }
      boxes[4 &* mask] = S(Double(bounds?.left ?? 0))
      boxes[4 &* mask &+ 1] = S(Double(bounds?.top ?? 0))
      boxes[4 &* mask &+ 2] = S(Double(bounds?.right ?? 0))
      boxes[4 &* mask &+ 3] = S(Double(bounds?.bottom ?? 0))
    }
  }
}

/// Nil where no pixel is true. A pixel within the columns that are known to be in the box is not looked at again, unless
/// it is in search of the last row.
private func maskBounds(
  _ mask: UnsafePointer<UInt8>, _ height: Int, _ width: Int
) -> (left: Int, top: Int, right: Int, bottom: Int)? {
  guard let first = firstTrue(mask, 0..<(height &* width)) else { return nil }
  let last = lastTrue(mask, first..<(height &* width)) ?? first
  let (top, bottom) = (first / width, last / width)
  var (left, right) = (first % width, first % width)
  for row in top...bottom {
    let pixels = mask + row &* width
    if let column = firstTrue(pixels, 0..<left) { left = column }
    if let column = lastTrue(pixels, (right &+ 1)..<width) { right = column }
  }
  return (left, top, right, bottom)
}

private func firstTrue(_ pixels: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
  var i = range.lowerBound
  while i < range.upperBound {
    let bits = trueBits(pixels + i, range.upperBound &- i)
    if bits != 0 { return i &+ bits.trailingZeroBitCount }
    i &+= FloatLanes.count
  }
  return nil
}

private func lastTrue(_ pixels: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
  var end = range.upperBound
  while end > range.lowerBound {
    let start = Swift.max(end &- FloatLanes.count, range.lowerBound)
    let bits = trueBits(pixels + start, end &- start)
    if bits != 0 { return start &+ (31 &- bits.leadingZeroBitCount) }
    end = start
  }
  return nil
}

/// Bit i: is pixel i, of up to 16, true?
@inline(__always)
private func trueBits(_ pixels: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
  FloatLanes.Integers.load(pixels, lanes: Swift.min(count, FloatLanes.count)).maskBits
}
