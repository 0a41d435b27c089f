/// Indices of the boxes that have both sides at least `minSize` long.
///
/// - Parameters:
///   - boxes: `[count, 4]`, x1, y1, x2, y2. A box with NaN in a side is small.
///   - count: ≥ 0.
///   - minSize: any number but NaN; compared in the precision of the boxes.
///   - keep: output, `[capacity]`: the indices, ascending. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more boxes are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of boxes kept.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, BUFFER_TOO_SMALL.
/// - Reference: torchvision.ops.remove_small_boxes.
func removeSmallBoxes<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ count: Int, _ minSize: Double, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ keptCount: UnsafeMutablePointer<Int>?
) -> Status {
  guard elementCount(count, 4) != nil, capacity >= 0 else { return .invalidShape }
  guard let keptCount, keep != nil || capacity == 0, boxes != nil || count == 0 else { return .nullPointer }
  guard minSize == minSize else { return .invalidParameter }
  let least = S(minSize)
  let isLarge = { (box: UnsafePointer<S>) in box[2] - box[0] >= least && box[3] - box[1] >= least }
  var kept = 0
  if let boxes { for i in 0..<count where isLarge(boxes + 4 &* i) { kept &+= 1 } }
  keptCount.pointee = kept
  guard kept <= capacity else { return .bufferTooSmall }
  guard let boxes, let keep else { return .ok }
  kept = 0
  for i in 0..<count where isLarge(boxes + 4 &* i) {
    keep[kept] = Int64(i)
    kept &+= 1
  }
  return .ok
}
