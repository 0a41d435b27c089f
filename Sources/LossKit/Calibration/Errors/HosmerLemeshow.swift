/// Hosmer-Lemeshow test of binary probabilities: are the outcomes of groups of equal mass as their probabilities say?
///
///     H = Σ_g (n_g (acc_g − p̄_g))² / (n_g p̄_g (1 − p̄_g))       0/0 = 0, x/0 = ∞
///
/// over the non-empty ones of `nGroups` groups by rank (element k of the sorted probabilities is in group ⌊k·nGroups/N⌋).
/// The degrees of freedom are two less than there are groups, but 1 at least.
///
/// - Parameters:
///   - probs: `[count]`, the probability of class 1.
///   - y: `[count]`, 0 or 1.
///   - count: N, 0 to 2³¹ − 1; with N = 0 all is NaN.
///   - nGroups: 1 to 2²⁴; 10 is usual.
///   - statistic: optional output, H.
///   - dof: optional output, the degrees of freedom.
///   - pValue: optional output, the probability that χ² of so many degrees exceeds H.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Hosmer and Lemeshow, Goodness of Fit Tests for the Multiple Logistic Regression Model, 1980.
func hosmerLemeshow<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ nGroups: Int,
  _ statistic: UnsafeMutablePointer<S>?, _ dof: UnsafeMutablePointer<S>?, _ pValue: UnsafeMutablePointer<S>?
) -> Status {
  let groups = BinLayout(count: nGroups, binning: .rank, edge: .right)
  return withBins(probs, y, count, 0, isTopLabel: false, groups) { binned in
    if count == 0 { return setUndefined(statistic, dof, pValue) }
    let h = binned.view(0).total { group in
      let variance = group.confidence.value * group.meanDoubt
      return group.excess == 0 ? 0 : group.excess * group.excess / variance
    }
    let freedom = max(binned.view(0).total { $0.count == 0 ? 0 : 1 } - 2, 1)
    statistic?.pointee = S(h)
    dof?.pointee = S(freedom)
    pValue?.pointee = S(upperTailOfChiSquare(h, freedom: Int(freedom)))
  }
}
