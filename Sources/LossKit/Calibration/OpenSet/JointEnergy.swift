/// Joint energy of each row and its label: cross-entropy is this less the free energy of `energy_score`.
///
///     E = −z_y,      dE/dz_j = −[j = y]
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`.
///   - y: `[outer, inner]`, labels 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's energy with respect to its logits.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET.
/// - Reference: Mirza et al. 2024, Shedding More Light on Robust Classifiers under the lens of Energy-based Models.
func jointEnergy<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let logits, let y, let score else { return .nullPointer }
  guard areIndices(y, shape.rows, below: classes) else { return .invalidTarget }
  grad?.update(repeating: 0, count: shape.rows &* classes)
  for row in 0..<shape.rows {
    let at = (row / inner &* classes &+ Int(y[row])) &* inner &+ row % inner
    score[row] = -logits[at]
    grad?[at] = -1
  }
  return .ok
}
