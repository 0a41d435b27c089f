/// Within which limits models that are about as good as a baseline predict each example.
///
///     competing: loss_m ≤ loss_baseline + epsilon;      low_i = min p_mi,   high_i = max p_mi over competing models
///
/// - Parameters:
///   - probs: p, probabilities of the positive class, `[models, count]`.
///   - losses: `[models]`.
///   - models: ≥ 0.
///   - count: ≥ 0.
///   - baseline: 0 ..< models, default 0.
///   - epsilon: ≥ 0, default 0.01.
///   - low: output, `[count]`.
///   - high: output, `[count]`.
///   - competing: output, `[models]`: 1 for models that compete (the baseline always), else 0.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or a probability outside [0, 1].
/// - Reference: Watson-Daniels et al. 2023, Predictive Multiplicity in Probabilistic Classification.
func viablePredictionRange<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ losses: UnsafePointer<S>?, _ models: Int, _ count: Int, _ baseline: Int,
  _ epsilon: Double, _ low: UnsafeMutablePointer<S>?, _ high: UnsafeMutablePointer<S>?,
  _ competing: UnsafeMutablePointer<UInt8>?
) -> Status {
  let competition: Competition<S>
  switch Competition.check(probs, losses, models, count, baseline, epsilon) {
  case .failure(let status): return status
  case .success(let checked): competition = checked
  }
  guard let competing, count == 0 || (low != nil && high != nil) else { return .nullPointer }
  for m in 0..<models { competing[m] = competition.competes(m) ? 1 : 0 }
  guard let low, let high, count > 0 else { return .ok }
  low.update(repeating: .infinity, count: count)
  high.update(repeating: -.infinity, count: count)
  for m in 0..<models where competition.competes(m) {
    forEachVector(S.Vector.self, 0..<count) { i, n in
      let p = S.Vector.load(competition.probs + (m &* count &+ i), lanes: n)
      S.Vector.min(p, S.Vector.load(UnsafePointer(low + i), lanes: n)).store(low + i, lanes: n)
      S.Vector.max(p, S.Vector.load(UnsafePointer(high + i), lanes: n)).store(high + i, lanes: n)
    }
  }
  return .ok
}

/// How many predictions depend on which of some equally good models is taken.
///
///     competing: loss_m ≤ loss_baseline + epsilon;      conflict_mi = |p_mi − p_{baseline,i}| ≥ delta − 1e-12
///     ambiguity = share of examples with a conflict in some competing model
///     discrepancy = the largest share of conflicts of one competing model
///
/// - Parameters:
///   - probs: p, probabilities of the positive class, `[models, count]`.
///   - losses: `[models]`.
///   - models: ≥ 0.
///   - count: ≥ 0.
///   - baseline: 0 ..< models, default 0.
///   - epsilon: ≥ 0, default 0.01.
///   - delta: ≥ 0, default 0.1.
///   - ambiguity: output; NaN without examples.
///   - discrepancy: output; NaN without examples.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or a probability outside [0, 1],
///   OUT_OF_MEMORY.
/// - Reference: Watson-Daniels et al. 2023, Predictive Multiplicity in Probabilistic Classification.
func predictiveMultiplicity<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ losses: UnsafePointer<S>?, _ models: Int, _ count: Int, _ baseline: Int,
  _ epsilon: Double, _ delta: Double, _ ambiguity: UnsafeMutablePointer<S>?, _ discrepancy: UnsafeMutablePointer<S>?
) -> Status {
  guard delta >= 0 else { return .invalidParameter }
  let competition: Competition<S>
  switch Competition.check(probs, losses, models, count, baseline, epsilon) {
  case .failure(let status): return status
  case .success(let checked): competition = checked
  }
  guard let ambiguity, let discrepancy else { return .nullPointer }
  if count == 0 {
    ambiguity.pointee = .nan
    discrepancy.pointee = .nan
    return .ok
  }
  return withWorkspace {
    $0.take(Bool.self, count)
  } _: { (isAmbiguous: inout UnsafeMutablePointer<Bool>) in
    isAmbiguous.update(repeating: false, count: count)
    let own = competition.probs + baseline &* count
    var most = 0
    for m in 0..<models where competition.competes(m) {
      let other = competition.probs + m &* count
      var conflicts = 0
      for i in 0..<count where (other[i].double - own[i].double).magnitude >= delta - 1e-12 {
        conflicts &+= 1
        isAmbiguous[i] = true
      }
      most = Swift.max(most, conflicts)
    }
    var ambiguous = 0
    for i in 0..<count where isAmbiguous[i] { ambiguous &+= 1 }
    ambiguity.pointee = S(Double(ambiguous) / Double(count))
    discrepancy.pointee = S(Double(most) / Double(count))
    return .ok
  }
}

/// Models whose losses are as good as the baseline's.
private struct Competition<S: Scalar> {
  let probs, losses: UnsafePointer<S>
  let baseline: Int
  let bound: Double

  func competes(_ m: Int) -> Bool { m == baseline || losses[m].double <= bound }

  enum Checked {
    case success(Competition)
    case failure(Status)
  }

  static func check(
    _ probs: UnsafePointer<S>?, _ losses: UnsafePointer<S>?, _ models: Int, _ count: Int, _ baseline: Int,
    _ epsilon: Double
  ) -> Checked {
    guard let size = elementCount(models, count), elementCount(models, 1) != nil else { return .failure(.invalidShape) }
    guard baseline >= 0, baseline < models, epsilon >= 0 else { return .failure(.invalidParameter) }
    guard let losses, let probs = size == 0 ? losses : probs else { return .failure(.nullPointer) }
    var good = ~S.Vector.Integers(0)
    forEachVector(S.Vector.self, 0..<size) { i, n in
      let p = S.Vector.load(probs + i, lanes: n)
      good = good & (S.Vector.zero .<= p) & (p .<= S.Vector.one)
    }
    if hasNaN(losses, models) || (~good).any { return .failure(.invalidValue) }
    return .success(
      Competition(probs: probs, losses: losses, baseline: baseline, bound: losses[baseline].double + epsilon))
  }
}
