/// Which of its three parameters a beta calibration has.
enum BetaVariant: Int32 {
  /// a, b and c.
  case abm = 0
  /// a = b, and c: logistic calibration of the log-odds.
  case am = 1
  /// a and b, with c = (a − b) log 2: ½ stays where it is.
  case ab = 2
}

/// Beta calibration: the map σ(a log p − b log(1 − p) + c), a, b ≥ 0, of least mean log loss.
///
/// By Newton's method from 0 without constraints. If then a < 0, a is set to 0 and the others are fitted again; else if
/// b < 0, the same with b; if the other one is negative then, both are 0 and c is fitted alone (`ab`: c = 0).
///
/// - Parameters:
///   - probs: `[count]`, probabilities of class 1, in [0, 1], clipped to [ε, 1 − ε].
///   - y: `[count]`, labels 0 and 1.
///   - count: number of samples, ≥ 1.
///   - variant: which parameters are free; `abm` is usual.
///   - eps: ε, in [2⁻⁵³, ½); 1e-12 is usual.
///   - a: optional output.
///   - b: optional output.
///   - c: optional output.
///   - loss: optional output, the mean log loss.
///   - converged: optional output, 1 if this is the minimum, 0 if there is none, as where p separates the labels.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is neither 0 nor 1.
/// - Reference: Kull, Silva Filho and Flach, Beta Calibration, 2017.
func betaCalibrationFit<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ variant: BetaVariant, _ eps: Double,
  _ a: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?, _ c: UnsafeMutablePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard count >= 1, elementCount(count, 4) != nil else { return .invalidShape }
  guard ClippedLogarithms.allows(eps) else { return .invalidParameter }
  guard let probs, let y else { return .nullPointer }
  let status = statusOfConfidences(probs, y, count, classes: 0)
  guard status == .ok else { return status }
  return withWorkspace(layout: { LogisticSamples(&$0, count) }) { samples in
    samples.setTargets(y)
    if variant == .am { samples.setLogOdds(probs, eps: eps) } else { samples.setLogarithms(probs, variant, eps: eps) }
    return fitNonNegative(samples, variant) { fit in
      a?.pointee = S(fit.a)
      b?.pointee = S(variant == .am ? fit.a : fit.b)
      c?.pointee = S(variant == .ab ? (fit.a - fit.b) * logOfTwo : fit.c)
      loss?.pointee = S(fit.loss)
      converged?.pointee = fit.isConverged ? 1 : 0
    }
  }
}

/// Applies a beta calibration: σ(a log p − b log(1 − p) + c).
///
/// - Parameters:
///   - probs: `[count]`, probabilities in [0, 1], clipped to [ε, 1 − ε].
///   - count: number of elements, ≥ 0.
///   - a: finite.
///   - b: finite.
///   - c: finite.
///   - eps: ε, in [2⁻⁵³, ½); 1e-12 is usual.
///   - output: `[count]`; may be `probs`.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1].
/// - Reference: Kull, Silva Filho and Flach, Beta Calibration, 2017.
func betaCalibrationApply<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ count: Int, _ a: Double, _ b: Double, _ c: Double, _ eps: Double,
  _ output: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  guard (a.magnitude + b.magnitude + c.magnitude) < .infinity, ClippedLogarithms.allows(eps) else {
    return .invalidParameter
  }
  if count == 0 { return .ok }
  guard let probs, let output else { return .nullPointer }
  guard areFractions(probs, count) else { return .invalidValue }
  let (a, b, c) = (DoubleLanes(a), DoubleLanes(b), DoubleLanes(c))
  mapInDouble(probs, count, output) { p in
    let logs = ClippedLogarithms(p, eps: eps)
    return DoubleLanes.sigmoid(a * logs.positive - b * logs.negative + c)
  }
  return .ok
}

private let logOfTwo = 0.693147180559945309417

extension LogisticSamples {
  /// φ = log p and ψ = −log(1 − p), or φ = log 2p and ψ = −log 2(1 − p), which are 0 at ½.
  fileprivate func setLogarithms<S: Scalar>(_ probs: UnsafePointer<S>, _ variant: BetaVariant, eps: Double) {
    let shift = DoubleLanes(variant == .ab ? logOfTwo : 0)
    forEachEight(probs, 0..<count) { i, p, n in
      let logs = ClippedLogarithms(p, eps: eps)
      (logs.positive + shift).store(first + i, lanes: n)
      (-(logs.negative + shift)).store(second + i, lanes: n)
    }
  }
}

/// Fits with coefficients ≥ 0.
private func fitNonNegative(
  _ samples: LogisticSamples, _ variant: BetaVariant, _ found: (LogisticFit) -> Void
) -> Status {
  var regression = LogisticRegression(
    count: samples.count, targets: samples.targets, first: samples.first,
    second: variant == .am ? nil : UnsafePointer(samples.second), hasIntercept: variant != .ab)
  // At most two coefficients can be dropped, the first of them decides which is looked at next.
  for _ in 0..<3 {
    var accepted = false
    let status = regression.fit { fit in
      if fit.a < 0 {
        regression.drop(first: true)
      } else if fit.b < 0 {
        regression.drop(first: false)
      } else {
        accepted = true
        found(fit)
      }
    }
    if status != .ok || accepted { return status }
  }
  return .ok
}

extension LogisticRegression {
  fileprivate mutating func drop(first isFirst: Bool) {
    if isFirst { first = nil } else { second = nil }
  }
}
