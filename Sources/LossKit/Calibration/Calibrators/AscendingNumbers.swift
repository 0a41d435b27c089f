/// Numbers to be searched: inner edges, knots.
struct AscendingNumbers<S: Scalar> {
  let first: UnsafePointer<S>
  let count: Int

  /// False also where there is a NaN.
  var areAscending: Bool {
    if count > 0, first[0].isNaN { return false }
    for i in 0..<max(count &- 1, 0) where !(first[i] <= first[i &+ 1]) { return false }
    return true
  }

  /// How many are < x.
  @inline(__always) func count(below x: S) -> Int {
    var base = 0
    var length = count
    // The last step's comparison is not a branch that could be foreseen: halves are chosen, not jumped to.
    while length > 0 {
      let half = (length &+ 1) / 2
      base = first[base &+ half &- 1] < x ? base &+ half : base
      length &-= half
    }
    return base
  }
}
