/// Greedy non-maximum suppression of rotated boxes: in descending order of score, a box is kept unless its overlap, as
/// `boxIoURotated` has it in double precision, with a box kept before exceeds the threshold.
///
/// Equal scores are taken in ascending order of index. With labels, only boxes of equal labels suppress each other. Boxes
/// are not validated; NaN neither suppresses nor is suppressed.
///
/// - Parameters:
///   - boxes: `[count, 5]`, cx, cy, w, h, θ in radians.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - labels: optional, `[count]`, the class of each box: any numbers.
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - iouThreshold: any number but NaN; from 1 on every box is kept, below 0 the best one of each label.
///   - clockwise: if false, θ is counter-clockwise; with y pointing down.
///   - keep: output, `[capacity]`: the indices of the kept boxes, best first. `count` entries always suffice.
///   - capacity: entries that `keep` has room for. If more are kept: BUFFER_TOO_SMALL, and `keptCount` is
///     the number needed. With a capacity of 0 `keep` may be null.
///   - keptCount: output, the number of kept boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `nmsRotatedWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written;
///     not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: mmcv.ops.nms_rotated, which on the CPU drops a box whose overlap equals the threshold.
func nmsRotated<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ labels: UnsafePointer<Int64>?, _ count: Int,
  _ iouThreshold: Double, _ clockwise: Bool, _ keep: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ keptCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  SuppressionCall(boxes, scores, count, capacity, keptCount, workspace, workspaceSize)(
    isValid: iouThreshold == iouThreshold, hasOutput: keep != nil || capacity == 0,
    layout: { LabelledRotatedBoxes<S>(&$0, capacity: count, threshold: iouThreshold) },
    run: { state, boxes, scores in state.suppress(boxes, scores, labels, count, clockwise) },
    write: { state, _ in if let keep { state.writeKept(keep, count) } })
}

/// The workspace that `nmsRotated` wants, in either precision.
///
/// - Parameters:
///   - count: number of boxes, 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func nmsRotatedWorkspaceSize(_ count: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { LabelledRotatedBoxes<Double>(&$0, capacity: count, threshold: 0) }
  return .ok
}

private struct LabelledRotatedBoxes<S: Scalar> {
  private let byScore: Sorter<S.Bits>
  private let byLabel: Sorter<UInt64>
  private var suppressor: RotatedSuppressor
  /// Place in the order of scores → box, and: was it kept?
  private let boxAtPlace: UnsafeMutablePointer<UInt32>
  private let isKept: UnsafeMutablePointer<Bool>

  init(_ arena: inout Arena, capacity: Int, threshold: Double) {
    byScore = Sorter(&arena, capacity: capacity)
    byLabel = Sorter(&arena, capacity: capacity)
    suppressor = RotatedSuppressor(&arena, capacity: capacity, threshold: threshold)
    boxAtPlace = arena.take(UInt32.self, capacity)
    isKept = arena.take(Bool.self, capacity)
  }

  /// Returns how many boxes are kept.
  mutating func suppress(
    _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ labels: UnsafePointer<Int64>?, _ count: Int,
    _ clockwise: Bool
  ) -> Int {
    let best = byScore.sorted(count) { scores[$0].descendingKey }
    for place in 0..<count { boxAtPlace[place] = best[place].index }
    // Without labels this is the order of scores again.
    let members = byLabel.sorted(count) { place in labels.map { $0[Int(boxAtPlace[place])].ascendingKey } ?? 0 }
    for rank in 0..<count { suppressor.boxes.set(rank, boxes + 5 &* Int(boxAtPlace[Int(members[rank].index)])) }
    suppressor.boxes.prepare(count, clockwise: clockwise)
    var start = 0
    for rank in 1...count where rank == count || members[rank].key != members[start].key {
      suppressor.run(start..<rank)
      start = rank
    }
    var kept = 0
    for rank in 0..<count {
      isKept[Int(members[rank].index)] = suppressor.isKept[rank]
      kept &+= suppressor.isKept[rank] ? 1 : 0
    }
    return kept
  }

  func writeKept(_ keep: UnsafeMutablePointer<Int64>, _ count: Int) {
    var kept = 0
    for place in 0..<count where isKept[place] {
      keep[kept] = Int64(boxAtPlace[place])
      kept &+= 1
    }
  }
}
