/// The score of a class, which is in the prediction set if the score is not above the threshold.
enum ConformalMethod: Int32 {
  /// 1 − p (least ambiguous set-valued classifier).
  case lac = 0
  /// The sum of the probabilities of the classes ranked before it, and of its own times u (adaptive prediction sets).
  case aps = 1
  /// As `aps`, and λ for each rank beyond `k_reg` (regularised adaptive prediction sets).
  case raps = 2
}

/// A rule for scores, and the rows it is applied to.
struct ConformalRows<S: Scalar> {
  let probs: UnsafePointer<S>
  let count: Int
  let classes: Int
  let method: ConformalMethod
  let lam: Double
  let kReg: Int
  /// One number in [0, 1] per row; 1 where absent.
  let u: UnsafePointer<S>?

  /// The share of a class's own probability that counts.
  @inline(__always) func share(_ row: Int) -> Double { u?[row].double ?? 1 }

  /// The score of the class of probability p and 1-based rank `rank`, after classes whose probabilities sum to `before`.
  @inline(__always) func score(_ p: S, before: Double, rank: Int, share: Double) -> Double {
    let sum = before + share * p.double
    return method == .raps ? sum + lam * Double(Swift.max(0, rank &- kReg)) : sum
  }

  /// Checks the arguments that scores and sets have in common, and runs `body` with the rows, if there are any.
  @inline(__always)
  static func with(
    _ probs: UnsafePointer<S>?, _ count: Int, _ classes: Int, _ method: ConformalMethod, _ lam: Double, _ kReg: Int,
    _ u: UnsafePointer<S>?, _ body: (ConformalRows<S>) -> Status
  ) -> Status {
    guard classes >= 1, classes <= largestSortCount, elementCount(count, classes) != nil else { return .invalidShape }
    guard lam >= 0, lam < .infinity, kReg >= 0 else { return .invalidParameter }
    if count == 0 { return .ok }
    guard let probs else { return .nullPointer }
    guard areFractions(probs, count &* classes), u == nil || areFractions(u!, count) else { return .invalidValue }
    return body(
      ConformalRows(probs: probs, count: count, classes: classes, method: method, lam: lam, kReg: kReg, u: u))
  }
}
