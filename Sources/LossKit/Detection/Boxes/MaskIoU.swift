/// Intersection over union of every mask of one list with every mask of another: pixels that both have over pixels that
/// either has, 0 where neither has any.
///
/// - Parameters:
///   - masks1: `[count1, pixels]`, true where a byte is not 0.
///   - masks2: `[count2, pixels]`.
///   - count1: ≥ 0.
///   - count2: ≥ 0.
///   - pixels: of a mask, ≥ 0.
///   - iou: output, `[count1, count2]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY: the masks are packed into bits, an eighth of their size.
func maskIoU<S: Scalar>(
  _ masks1: UnsafePointer<UInt8>?, _ masks2: UnsafePointer<UInt8>?, _ count1: Int, _ count2: Int, _ pixels: Int,
  _ iou: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count1, pixels) != nil, elementCount(count2, pixels) != nil,
    let pairs = elementCount(count1, count2)
  else { return .invalidShape }
  if pairs == 0 { return .ok }
  guard let iou, pixels == 0 || (masks1 != nil && masks2 != nil) else { return .nullPointer }
  return withWorkspace(
    layout: { (MaskBits(&$0, count: count1, pixels: pixels), MaskBits(&$0, count: count2, pixels: pixels)) }
  ) { masks in
    if let masks1, let masks2 {
      masks.0.pack(masks1)
      masks.1.pack(masks2)
    } else {
      masks.0.clear()
      masks.1.clear()
    }
    let split = Split(count1, smallest: 1)
    parallel(
      split.parts, MaskPairsJob(masks1: masks.0, masks2: masks.1, count2: count2, iou: iou, split: split))
    return .ok
  }
}

private struct MaskPairsJob<S: Scalar>: ParallelJob {
  let masks1, masks2: MaskBits
  let count2: Int
  let iou: UnsafeMutablePointer<S>
  let split: Split

  func run(part: Int) {
    for row in split.range(part) {
      for column in 0..<count2 {
        let both = masks1.intersection(row, masks2, column)
        let either = masks1.area[row] &+ masks2.area[column] &- both
        iou[row &* count2 &+ column] = either == 0 ? 0 : S(Double(both) / Double(either))
      }
    }
  }
}

/// Masks, 64 pixels a word.
private struct MaskBits {
  let words: UnsafeMutablePointer<UInt64>
  let area: UnsafeMutablePointer<Int>
  let count, pixels: Int
  private var length: Int { (pixels &+ 63) / 64 }

  init(_ arena: inout Arena, count: Int, pixels: Int) {
    self.count = count
    self.pixels = pixels
    words = arena.take(UInt64.self, count &* ((pixels &+ 63) / 64))
    area = arena.take(Int.self, count)
  }

  func clear() { for mask in 0..<count { area[mask] = 0 } }

  func pack(_ masks: UnsafePointer<UInt8>) {
    let split = Split(count, smallest: 1)
    parallel(split.parts) { part in
      for mask in split.range(part) {
        var area = 0
        for word in 0..<length {
          let first = word &* 64
          var bits: UInt64 = 0
          forEachVector(FloatLanes.self, 0..<Swift.min(64, pixels &- first)) { pixel, n in
            let some = FloatLanes.Integers.load(masks + (mask &* pixels &+ first &+ pixel), lanes: n).maskBits
            bits |= UInt64(some) &<< UInt64(pixel)
          }
          words[mask &* length &+ word] = bits
          area &+= bits.nonzeroBitCount
        }
        self.area[mask] = area
      }
    }
  }

  func intersection(_ mask: Int, _ others: Self, _ other: Int) -> Int {
    let (a, b) = (words + mask &* length, others.words + other &* length)
    var count = 0
    for word in 0..<length { count &+= (a[word] & b[word]).nonzeroBitCount }
    return count
  }
}
