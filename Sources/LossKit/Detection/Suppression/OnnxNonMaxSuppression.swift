/// Non-maximum suppression as the ONNX operator NonMaxSuppression has it: of each batch and class by itself, over boxes
/// that the classes of a batch share.
///
/// Candidates are the boxes whose score exceeds `scoreThreshold`, in descending order (equal scores: lower indices
/// first). One is selected unless its IoU with one selected before exceeds `iouThreshold`, until there are
/// `maxOutputBoxesPerClass`.
///
/// - Parameters:
///   - boxes: `[batches, boxCount, 4]`: y1, x1, y2, x2, any two opposite corners; or centre x, centre y, width, height.
///     NaN coordinates neither suppress nor are suppressed.
///   - scores: `[batches, classes, boxCount]`; NaN gives INVALID_VALUE.
///   - batches: ≥ 0.
///   - classes: ≥ 0.
///   - boxCount: number of boxes of a batch, 0 … 2³¹ − 1.
///   - maxOutputBoxesPerClass: ≥ 0; 0 for none (0).
///   - iouThreshold: any number but NaN (0).
///   - hasScoreThreshold: if false, all boxes are candidates and `scoreThreshold` is not read.
///   - scoreThreshold: any number but NaN.
///   - centerPointBox: whether boxes are given by centre and size (false).
///   - selected: output, rows of three, as many as `capacity` says: batch, class and box of each that is selected;
///     batches and classes ascend, and in each the best box is first.
///   - capacity: rows that `selected` has room for; batches · classes · min(boxCount, maxOutputBoxesPerClass) always
///     suffice. If more are selected: BUFFER_TOO_SMALL, and `selectedCount` is the number needed. With a
///     capacity of 0 `selected` may be null.
///   - selectedCount: output, the number of selected boxes.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `onnxNonMaxSuppressionWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing
///     written; not read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: ONNX, operator NonMaxSuppression, version 11.
func onnxNonMaxSuppression<S: Scalar>(
  _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ batches: Int, _ classes: Int, _ boxCount: Int,
  _ maxOutputBoxesPerClass: Int, _ iouThreshold: Double, _ hasScoreThreshold: Bool, _ scoreThreshold: Double,
  _ centerPointBox: Bool, _ selected: UnsafeMutablePointer<Int64>?, _ capacity: Int,
  _ selectedCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard let scoreCount = elementCount(batches, classes, boxCount), elementCount(batches, boxCount, 4) != nil,
    boxCount <= largestSortCount, capacity >= 0
  else { return .invalidShape }
  guard let selectedCount, selected != nil || capacity == 0 else { return .nullPointer }
  guard maxOutputBoxesPerClass >= 0, iouThreshold == iouThreshold,
    !hasScoreThreshold || scoreThreshold == scoreThreshold
  else { return .invalidParameter }
  if scoreCount == 0 {
    selectedCount.pointee = 0
    return .ok
  }
  guard let boxes, let scores else { return .nullPointer }
  guard !hasNaN(scores, scoreCount) else { return .invalidValue }

  return withWorkspace(
    workspace, workspaceSize, layout: { OnnxSuppression<S>(&$0, capacity: boxCount, threshold: iouThreshold) }
  ) { state in
    let most = Swift.min(maxOutputBoxesPerClass, boxCount)
    let threshold = hasScoreThreshold ? scoreThreshold : nil
    // Outputs stay untouched if they do not suffice: where that is possible, a first run only counts.
    if capacity < scoreCount / boxCount &* most {
      let needed = state.run(boxes, scores, (batches, classes, boxCount), centerPointBox, threshold, most) { _, _, _, _ in }
      selectedCount.pointee = needed
      guard needed <= capacity else { return .bufferTooSmall }
    }
    selectedCount.pointee = state.run(boxes, scores, (batches, classes, boxCount), centerPointBox, threshold, most) {
      selected?[3 &* $0] = Int64($1)
      selected?[3 &* $0 &+ 1] = Int64($2)
      selected?[3 &* $0 &+ 2] = Int64($3)
    }
    return .ok
  }
}

/// The workspace that `onnxNonMaxSuppression` wants, in either precision.
///
/// - Parameters:
///   - boxCount: number of boxes of a batch, 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func onnxNonMaxSuppressionWorkspaceSize(_ boxCount: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard boxCount >= 0, boxCount <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { OnnxSuppression<Double>(&$0, capacity: boxCount, threshold: 0) }
  return .ok
}

private struct OnnxSuppression<S: Scalar> {
  private var suppression: GroupedSuppression<S>
  /// The boxes of a batch, the lower corner first.
  private let corners: UnsafeMutablePointer<S>

  init(_ arena: inout Arena, capacity: Int, threshold: Double) {
    suppression = GroupedSuppression(&arena, capacity: capacity, isBatched: false, threshold: threshold)
    corners = arena.take(S.self, 4 &* capacity)
  }

  /// Calls `select(i, batch, class, box)` for what is selected, and returns how many that are.
  @inline(__always)
  mutating func run(
    _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ shape: (batches: Int, classes: Int, boxes: Int),
    _ areCentered: Bool, _ threshold: Double?, _ most: Int, _ select: (Int, Int, Int, UInt32) -> Void
  ) -> Int {
    var total = 0
    for batch in 0..<shape.batches {
      arrange(boxes + 4 &* batch &* shape.boxes, shape.boxes, areCentered)
      for label in 0..<shape.classes {
        suppression.rank(scores + (batch &* shape.classes &+ label) &* shape.boxes, shape.boxes, above: threshold)
        suppression.fill { columns, place, box in columns.set(place, corners + 4 &* box) }
        let kept = suppression.suppress(SuppressionRule(most: most))
        suppression.forEachKept { i, box in select(total &+ i, batch, label, box) }
        total &+= kept
      }
    }
    return total
  }

  private func arrange(_ boxes: UnsafePointer<S>, _ count: Int, _ areCentered: Bool) {
    for box in 0..<count {
      let (source, target) = (boxes + 4 &* box, corners + 4 &* box)
      for axis in 0..<2 {
        var (low, high) = (source[axis], source[axis &+ 2])
        if areCentered { (low, high) = (low - high / 2, low + high / 2) }
        // Both stay where one is NaN.
        if low > high { swap(&low, &high) }
        target[axis] = low
        target[axis &+ 2] = high
      }
    }
  }
}
