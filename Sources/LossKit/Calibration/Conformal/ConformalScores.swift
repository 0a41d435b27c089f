/// Conformal scores of the true classes: how strange the label of each row is to the classifier.
///
///     lac:   1 − p_y
///     aps:   Σ_{classes ranked before y} p + u p_y,  by descending p, of equal ones the lower class first
///     raps:  the same + λ max(0, o − k_reg),  o the rank of y, from 1 on
///
/// - Parameters:
///   - probs: `[count, classes]`, in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns, 1 to 2³¹ − 1.
///   - method: `lac` is usual.
///   - lam: λ of `raps`, ≥ 0 and finite; 0 is usual.
///   - kReg: ranks that cost nothing, ≥ 0; 0 is usual.
///   - u: optional, `[count]`, in [0, 1], for `aps` and `raps`: uniform random numbers make coverage exact; default 1.
///   - scores: `[count]`.
/// - Errors: INVALID_VALUE if a probability or u is NaN or outside [0, 1], INVALID_TARGET if a label is out of range.
/// - Reference: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers, 2019; Romano, Sesia and Candès,
///   Classification with Valid and Adaptive Coverage, 2020; Angelopoulos et al., Uncertainty Sets for Image Classifiers
///   using Conformal Prediction, 2021.
func conformalScores<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ method: ConformalMethod,
  _ lam: Double, _ kReg: Int, _ u: UnsafePointer<S>?, _ scores: UnsafeMutablePointer<S>?
) -> Status {
  ConformalRows.with(probs, count, classes, method, lam, kReg, u) { rows in
    guard let y, let scores else { return .nullPointer }
    for row in 0..<count where y[row] < 0 || y[row] >= Int64(classes) { return .invalidTarget }
    return withWorkspace(layout: { Sorter<S.Bits>(&$0, capacity: classes) }) { sorter in
      for row in 0..<count {
        let p = rows.probs + row &* classes
        let label = Int(y[row])
        scores[row] = S(method == .lac ? 1 - p[label].double : rows.score(of: label, p, row, sorter))
      }
      return .ok
    }
  }
}

extension ConformalRows {
  /// Only what is ranked before the label need be in order.
  @inline(__always)
  fileprivate func score(of label: Int, _ p: UnsafePointer<S>, _ row: Int, _ sorter: Sorter<S.Bits>) -> Double {
    let own = p[label]
    var rank = 0
    for c in 0..<classes where p[c] > own || (p[c] == own && c < label) {
      sorter.items[rank] = SortItem(key: p[c].descendingKey, index: UInt32(truncatingIfNeeded: c))
      rank &+= 1
    }
    let sorted = sorter.sort(rank)
    var before = 0.0
    for i in 0..<rank { before += p[Int(sorted[i].index)].double }
    return score(own, before: before, rank: rank &+ 1, share: share(row))
  }
}
