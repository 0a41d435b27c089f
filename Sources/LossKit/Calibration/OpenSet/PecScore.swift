/// Prediction error of one student network for each class: high for classes whose student imitates the teacher well.
///
///     score_nc = −1/D Σ_d (s_ncd − t_nd)²,      dscore_nc/ds_ncd = −2 (s_ncd − t_nd) / D
///
/// - Parameters:
///   - student: s, what the students give, `[count, classes, dimensions]`.
///   - teacher: t, what the frozen teacher gives, `[count, dimensions]`.
///   - count: ≥ 0.
///   - classes: ≥ 1.
///   - dimensions: D ≥ 1.
///   - score: output, `[count, classes]`.
///   - grad: optional output, shaped as `student`: of each score with respect to its student.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Zając et al. 2024, Prediction Error-based Classification for Class-Incremental Learning.
func pecScore<S: Scalar>(
  _ student: UnsafePointer<S>?, _ teacher: UnsafePointer<S>?, _ count: Int, _ classes: Int, _ dimensions: Int,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 1, dimensions >= 1, elementCount(count, classes, dimensions) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let student, let teacher, let score else { return .nullPointer }
  forEachRow(
    count &* classes, size: dimensions,
    StudentError(
      student: student, teacher: teacher, classes: classes, dimensions: dimensions,
      factor: S.Vector(-2 / Double(dimensions)), score: score, grad: grad))
  return .ok
}

private struct StudentError<S: Scalar>: RowWork {
  let student, teacher: UnsafePointer<S>
  let classes, dimensions: Int
  let factor: S.Vector
  let score: UnsafeMutablePointer<S>
  let grad: UnsafeMutablePointer<S>?

  @inline(__always) func run(row: Int) {
    let s = student + row &* dimensions
    let t = teacher + row / classes &* dimensions
    var low = DoubleLanes.zero, high = DoubleLanes.zero
    forEachVector(S.Vector.self, 0..<dimensions) { d, n in
      let error = S.Vector.load(s + d, lanes: n) - S.Vector.load(t + d, lanes: n)
      let halves = error.doubles
      low = DoubleLanes.fma(halves.0, halves.0, low)
      high = DoubleLanes.fma(halves.1, halves.1, high)
      if let grad { (factor * error).store(grad + (row &* dimensions &+ d), lanes: n) }
    }
    score[row] = S(-(low + high).sum / Double(dimensions))
  }
}
