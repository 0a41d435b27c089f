/// Conformal quantile: the threshold that a new score stays below with probability 1 − α at least.
///
///     k = ⌈(n + 1)(1 − α) − 1e-10⌉;  the k-th smallest score (k ≥ 1), +inf if k > n
///
/// - Parameters:
///   - scores: `[count]`; infinities are in order.
///   - count: n, 0 to 2³¹ − 1.
///   - alpha: α, the miscoverage allowed, in (0, 1); 0.1 is usual.
///   - quantile: optional output.
/// - Errors: INVALID_VALUE if a score is NaN.
/// - Reference: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005.
func conformalQuantile<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ count: Int, _ alpha: Double, _ quantile: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, count <= largestSortCount else { return .invalidShape }
  guard alpha > 0, alpha < 1 else { return .invalidParameter }
  let position = Double(count &+ 1) * (1 - alpha) - 1e-10
  let rank = Int(position) &+ (Double(Int(position)) < position ? 1 : 0)
  guard count > 0 else {
    quantile?.pointee = .infinity
    return .ok
  }
  guard let scores else { return .nullPointer }
  guard !hasNaN(scores, count) else { return .invalidValue }
  if rank > count {
    quantile?.pointee = .infinity
    return .ok
  }
  return withWorkspace(layout: { Sorter<S.Bits>(&$0, capacity: count) }) { sorter in
    let sorted = sorter.sorted(count) { scores[$0].ascendingKey }
    quantile?.pointee = scores[Int(sorted[max(rank, 1) &- 1].index)]
    return .ok
  }
}
