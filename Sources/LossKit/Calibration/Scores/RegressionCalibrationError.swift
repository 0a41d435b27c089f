/// How `regressionCalibrationError` joins the levels.
enum LevelNorm: Int32 {
  /// Sum of squares.
  case l2 = 0
  /// Root mean square.
  case rms = 1
  /// Mean absolute difference.
  case l1 = 2
  /// The largest absolute difference.
  case max = 3
}

/// Calibration error of predictive distributions: is the share of targets below a quantile what the quantile says?
///
///     obs_j = mean [F_i(y_i) ≤ level_j];   l2: Σ (obs_j − level_j)²,  rms: √mean (…)²,  l1: mean |…|,  max: max |…|
///
/// - Parameters:
///   - cdf: `[count]`, F_i(y_i), in [0, 1].
///   - count: N ≥ 0; with N = 0 all is NaN.
///   - levels: `[levelCount]`, in [0, 1]; 0.05, 0.10, …, 0.95 are usual.
///   - levelCount: ≥ 1.
///   - norm: `l2` is usual.
///   - value: optional output.
///   - observed: optional output, `[levelCount]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_PARAMETER if a level is outside [0, 1], INVALID_VALUE if a number of `cdf`
///   is NaN or outside [0, 1].
/// - Reference: Kuleshov et al., Accurate Uncertainties for Deep Learning Using Calibrated Regression, 2018.
func regressionCalibrationError<S: Scalar>(
  _ cdf: UnsafePointer<S>?, _ count: Int, _ levels: UnsafePointer<Double>?, _ levelCount: Int, _ norm: LevelNorm,
  _ value: UnsafeMutablePointer<S>?, _ observed: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil, levelCount >= 1, elementCount(levelCount, 1) != nil else { return .invalidShape }
  guard let levels else { return .nullPointer }
  guard areFractions(levels, levelCount) else { return .invalidParameter }
  guard count > 0 else {
    setUndefined(value)
    observed?.update(repeating: .nan, count: levelCount)
    return .ok
  }
  guard let cdf else { return .nullPointer }
  guard areFractions(cdf, count) else { return .invalidValue }
  var squares = 0.0
  var absolute = 0.0
  var largest = 0.0
  for j in 0..<levelCount {
    let share = Double(numberOfElements(cdf, count, upTo: levels[j])) / Double(count)
    observed?[j] = S(share)
    let difference = share - levels[j]
    squares += difference * difference
    absolute += difference.magnitude
    largest = max(largest, difference.magnitude)
  }
  let n = Double(levelCount)
  switch norm {
  case .l2: value?.pointee = S(squares)
  case .rms: value?.pointee = S((squares / n).squareRoot())
  case .l1: value?.pointee = S(absolute / n)
  case .max: value?.pointee = S(largest)
  }
  return .ok
}

/// How many are ≤ level, compared as doubles.
private func numberOfElements<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int, upTo level: Double) -> Int {
  let limit = DoubleLanes(level)
  var number = Int64Lanes(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let (low, high) = S.Vector.load(p + i, lanes: n, fill: 2).doubles
    number = number &- (low .<= limit)
    if S.Vector.count > 8 { number = number &- (high .<= limit) }
  }
  var sum = 0
  for lane in 0..<8 { sum &+= number[lane] }
  return sum
}
