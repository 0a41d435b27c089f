/// Conformal prediction sets: the classes whose score is at most a threshold.
///
/// Scores are those of conformalScores, for every class with the row's u. As they do not fall along the ranks, a set of
/// `aps` or `raps` consists of the highest ranks.
///
/// - Parameters:
///   - probs: `[count, classes]`, in [0, 1].
///   - count: number of rows, ≥ 0.
///   - classes: number of columns, 1 to 2³¹ − 1.
///   - qhat: the threshold, as conformalQuantile gives it; not NaN.
///   - method: `lac` is usual.
///   - lam: λ of `raps`, ≥ 0 and finite; 0 is usual.
///   - kReg: ranks that cost nothing, ≥ 0; 0 is usual.
///   - u: optional, `[count]`, in [0, 1], for `aps` and `raps`; default 1.
///   - allowEmpty: may a set be empty? Else it has the most probable class, the first of equal ones. True is usual.
///   - includeLast: for `aps` and `raps`, add the next class by rank, the one that crosses the threshold; false is usual.
///   - mask: `[count, classes]`, 1 for the classes of the set, else 0.
/// - Errors: INVALID_VALUE if a probability or u is NaN or outside [0, 1].
/// - Reference: as for conformalScores.
func conformalSet<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ count: Int, _ classes: Int, _ qhat: Double, _ method: ConformalMethod, _ lam: Double,
  _ kReg: Int, _ u: UnsafePointer<S>?, _ allowEmpty: Bool, _ includeLast: Bool, _ mask: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard !qhat.isNaN else { return .invalidParameter }
  return ConformalRows.with(probs, count, classes, method, lam, kReg, u) { rows in
    guard let mask else { return .nullPointer }
    return withWorkspace(layout: { Sorter<S.Bits>(&$0, capacity: classes) }) { sorter in
      for row in 0..<count {
        let p = rows.probs + row &* classes
        let set = mask + row &* classes
        let size =
          method == .lac
          ? rows.mark(p, set, qhat) : rows.mark(p, set, qhat, share: rows.share(row), includeLast: includeLast, sorter)
        if size == 0, !allowEmpty { set[rows.firstLargest(p)] = 1 }
      }
      return .ok
    }
  }
}

extension ConformalRows {
  /// Marks the classes with 1 − p ≤ `qhat`, and gives their number.
  fileprivate func mark(_ p: UnsafePointer<S>, _ set: UnsafeMutablePointer<UInt8>, _ qhat: Double) -> Int {
    var size = 0
    for c in 0..<classes {
      set[c] = 1 - p[c].double <= qhat ? 1 : 0
      size &+= Int(set[c])
    }
    return size
  }

  /// Marks the highest ranks, and gives their number.
  fileprivate func mark(
    _ p: UnsafePointer<S>, _ set: UnsafeMutablePointer<UInt8>, _ qhat: Double, share: Double, includeLast: Bool,
    _ sorter: Sorter<S.Bits>
  ) -> Int {
    set.update(repeating: 0, count: classes)
    let sorted = sorter.sorted(classes) { p[$0].descendingKey }
    var before = 0.0
    for i in 0..<classes {
      let c = Int(sorted[i].index)
      let isInside = score(p[c], before: before, rank: i &+ 1, share: share) <= qhat
      if isInside || includeLast { set[c] = 1 }
      if !isInside { return includeLast ? i &+ 1 : i }
      before += p[c].double
    }
    return classes
  }

  fileprivate func firstLargest(_ p: UnsafePointer<S>) -> Int {
    var best = 0
    for c in 1..<Swift.max(classes, 1) where p[c] > p[best] { best = c }
    return best
  }
}
