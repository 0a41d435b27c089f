// Confidences and labels as calibrators take them: checked, and eight at a time in double.

/// INVALID_TARGET if a label is out of range, else INVALID_VALUE if a probability is not in [0, 1].
///
/// - Parameter classes: columns of `probs`; 0 for the binary view.
@inline(__always)
func statusOfConfidences<S: Scalar>(
  _ probs: UnsafePointer<S>, _ y: UnsafePointer<Int64>, _ count: Int, classes: Int
) -> Status {
  ConfidenceRows(probs, y, count, classes: classes, isTopLabel: true).forEachTile(0..<count) { _, _ in }.status
}

/// Calls `body(i, x, n)` with the elements i ..< i + n, n ≤ 8.
@inline(__always)
func forEachEight<S: Scalar>(_ x: UnsafePointer<S>, _ range: Range<Int>, _ body: (Int, DoubleLanes, Int) -> Void) {
  forEachVector(DoubleLanes.self, range) { i, n in body(i, S.Vector.load(x + i, lanes: n).doubles.0, n) }
}

/// Calls `body(x)`, whose results are rounded to `output`.
@inline(__always)
func mapInDouble<S: Scalar>(
  _ x: UnsafePointer<S>, _ count: Int, _ output: UnsafeMutablePointer<S>, _ body: (DoubleLanes) -> DoubleLanes
) {
  forEachEight(x, 0..<count) { i, x, n in S.Vector(body(x), DoubleLanes.zero).store(output + i, lanes: n) }
}
