/// Scores of conformalised quantile regression: how far a target lies outside its interval, negative inside.
///
///     max(lower − y, y − upper)
///
/// With q their conformal quantile, [lower − q, upper + q] is the interval of a new prediction. For absolute residuals,
/// lower = upper = prediction.
///
/// - Parameters:
///   - lower: `[count]`.
///   - upper: `[count]`.
///   - target: `[count]`, y.
///   - count: ≥ 0.
///   - scores: `[count]`; may be one of the inputs. NaN where an input is.
/// - Reference: Romano, Patterson and Candès, Conformalized Quantile Regression, 2019.
func conformalCqrScores<S: Scalar>(
  _ lower: UnsafePointer<S>?, _ upper: UnsafePointer<S>?, _ target: UnsafePointer<S>?, _ count: Int,
  _ scores: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let lower, let upper, let target, let scores else { return .nullPointer }
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let y = S.Vector.load(target + i, lanes: n)
    let below = S.Vector.load(lower + i, lanes: n) - y
    let above = y - S.Vector.load(upper + i, lanes: n)
    S.Vector.select(below.isNaN, below, S.Vector.max(below, above)).store(scores + i, lanes: n)
  }
  return .ok
}
