/// The values of the leaves of one multi-output tree that is boosted for all classes at once: one Newton step a leaf.
///
///     r = t − p,   value[l, c] = (C − 1)/C · Σ s_i r_ic / Σ s_i (t_ic − r_ic)(1 − t_ic + r_ic),   over the rows i in leaf l
///
/// A leaf without rows, or whose denominator is as good as 0 (below 1e-150 in double, 1e-30 in single precision), has
/// the value 0.
///
/// - Parameters:
///   - residual: r, `[rows, classes]`.
///   - t: targets, one-hot, shaped as `residual`. Not checked.
///   - leaf: `[rows]`, the leaf of each row, in 0 ..< nLeaves.
///   - rows: ≥ 0.
///   - classes: C ≥ 1.
///   - nLeaves: number of leaves, ≥ 0.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - value: output, `[nLeaves, classes]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET for a leaf out of range, INVALID_VALUE for a negative weight,
///   OUT_OF_MEMORY.
/// - Reference: Emami and Martínez-Muñoz 2022, Condensed Gradient Boosting.
func condensedLeafValues<S: Scalar>(
  _ residual: UnsafePointer<S>?, _ t: UnsafePointer<S>?, _ leaf: UnsafePointer<Int64>?, _ rows: Int, _ classes: Int,
  _ nLeaves: Int, _ sampleWeight: UnsafePointer<S>?, _ value: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 1, elementCount(rows, classes) != nil, let count = elementCount(nLeaves, classes) else {
    return .invalidShape
  }
  if rows == 0 && count == 0 { return .ok }
  guard count == 0 || value != nil else { return .nullPointer }
  if rows > 0 {
    guard residual != nil, t != nil, let leaf else { return .nullPointer }
    guard areWeights(sampleWeight, rows) else { return .invalidValue }
    let leaves = Targets<S>(classes: leaf, ignoreIndex: nil, classFactor: nil, factorIsWeight: false)
    guard leaves.denominator(rows, classCount: nLeaves, nil) != nil else { return .invalidTarget }
  }
  return withWorkspace(layout: { arena in LeafSums(&arena, count) }) { sums in
    for i in 0..<count { (sums.steps[i], sums.curvatures[i]) = (0, 0) }
    let split = Split(classes, smallest: max(1, smallestElementwisePart / max(1, rows)), multiple: S.Vector.count)
    parallel(
      split.parts,
      LeafJob(
        residual: residual, t: t, leaf: leaf, rows: rows, classes: classes, leaves: nLeaves, sampleWeight: sampleWeight,
        value: value, sums: sums, split: split))
    return .ok
  }
}

/// The two sums of every leaf and class.
private struct LeafSums {
  let steps, curvatures: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int) {
    steps = arena.take(Double.self, count)
    curvatures = arena.take(Double.self, count)
  }
}

/// Columns of classes. Their sums run over the rows in order.
private struct LeafJob<S: Scalar>: ParallelJob {
  let residual, t: UnsafePointer<S>?
  let leaf: UnsafePointer<Int64>?
  let rows, classes, leaves: Int
  let sampleWeight: UnsafePointer<S>?
  let value: UnsafeMutablePointer<S>?
  let sums: LeafSums
  let split: Split

  @inline(__always) func run(part: Int) {
    let columns = split.range(part)
    if let residual, let t, let leaf {
      for row in 0..<rows {
        let weight = sampleWeight.map { $0[row].double } ?? 1
        let source = row &* classes
        let sum = Int(leaf[row]) &* classes
        for c in columns {
          let r = residual[source &+ c].double, t = t[source &+ c].double
          sums.steps[sum &+ c] += weight * r
          sums.curvatures[sum &+ c] += weight * ((t - r) * ((1 - t) + r))
        }
      }
    }
    let factor = Double(classes &- 1) / Double(classes)
    let smallest = MemoryLayout<S>.size == 4 ? 1e-30 : 1e-150
    for l in 0..<leaves {
      for i in l &* classes &+ columns.lowerBound..<l &* classes &+ columns.upperBound {
        value?[i] = abs(sums.curvatures[i]) < smallest ? 0 : S(factor * sums.steps[i] / sums.curvatures[i])
      }
    }
  }
}
