/// The parts of an active-passive loss.
enum ActivePassiveTerm: Int32 {
  /// Cross-entropy.
  case ce = 0
  /// Focal loss.
  case fl = 1
  /// Normalized cross-entropy.
  case nce = 2
  /// Normalized focal loss.
  case nfl = 3
  /// Generalized cross-entropy.
  case gce = 4
  /// Normalized generalized cross-entropy.
  case ngce = 5
  /// Mean absolute error.
  case mae = 6
  /// Normalized mean absolute error.
  case nmae = 7
  /// Reverse cross-entropy.
  case rce = 8
  /// Normalized reverse cross-entropy.
  case nrce = 9
}

/// Active-passive loss: a loss that raises p_y and one that lowers the others, each robust to wrong labels.
///
///     L = α · active + β · passive
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - active: the part that raises p_y, default nce.
///   - passive: the part that lowers the others, default mae. Any two parts may be combined.
///   - alpha: α, default 1.
///   - beta: β, default 1.
///   - gamma: γ ≥ 0 of the focal losses, default 0.5.
///   - q: in (0, 1], of the generalized cross-entropies, default 0.7.
///   - logZero: A < 0, default log 10⁻⁴ = −9.210340371976182: what log 0 counts as.
///   - detachModulator: treat (1 − p)^γ as a constant in the gradient; default false.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels.
func activePassiveLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ active: ActivePassiveTerm, _ passive: ActivePassiveTerm, _ alpha: Double, _ beta: Double, _ gamma: Double,
  _ q: Double, _ logZero: Double, _ detachModulator: Bool, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha.isFinite, beta.isFinite, gamma >= 0, gamma < .infinity, q > 0, q <= 1, isPositive(-logZero) else {
    return .invalidParameter
  }
  typealias Term = ProbabilityTerm<S.Vector>
  func term(_ kind: ActivePassiveTerm, _ weight: Double) -> Term {
    Term(
      kind, weight: weight, classes: classes, gamma: gamma, q: q, logZero: logZero, detachModulator: detachModulator)
  }
  @inline(__always) func run<L: RowLoss>(_ formula: L) -> Status where L.V == S.Vector {
    rowLoss(
      formula, z, target, (outer, classes, inner), smallestClassCount: 2, reduction, sampleWeight, loss, grad)
  }
  var first = active, second = passive
  var weights = (alpha, beta)
  if Term.isNormalized(second) {
    swap(&first, &second)
    swap(&weights.0, &weights.1)
  }
  if !Term.isNormalized(first) {
    return targetRowLoss(
      ProbabilityTerms(first: term(first, weights.0), second: term(second, weights.1)), z, target,
      (outer, classes, inner), smallestClassCount: 2, reduction, sampleWeight, loss, grad)
  }
  if first == second { weights = (weights.0 + weights.1, 0) }
  if first != second && Term.isNormalized(second) {
    return run(NormalizedPair(first: term(first, weights.0), second: term(second, weights.1)))
  }
  let added = first == second ? nil : term(second, weights.1)
  switch first {
  case .nce: return run(NormalizedLoss(CrossEntropy<S.Vector>(), weight: weights.0, added: added))
  case .nfl:
    return run(
      NormalizedLoss(
        FocalLoss<S.Vector>(gamma: gamma, detachModulator: detachModulator), weight: weights.0, added: added))
  default: return run(NormalizedLoss(NormalizablePower<S.Vector>(q), weight: weights.0, added: added))
  }
}

/// A part of an active-passive loss, chosen at run time: by itself, or as the v and ψ that a normalized part is made of.
struct ProbabilityTerm<V: Lanes>: TargetRowLoss, DenseRowLoss {
  private let kind: ActivePassiveTerm
  let weight: V
  private let focal: FocalLoss<V>
  private let power: PowerLoss<V>
  private let absolute: MeanAbsoluteError<V>

  init(
    _ kind: ActivePassiveTerm, weight: Double, classes: Int, gamma: Double, q: Double, logZero: Double,
    detachModulator: Bool
  ) {
    self.kind = kind
    self.weight = V(weight)
    focal = FocalLoss(gamma: gamma, detachModulator: detachModulator)
    power = PowerLoss(q)
    absolute = MeanAbsoluteError(kind == .mae ? 1 : kind == .rce ? -logZero : 1 / Double(classes &- 1))
  }

  /// Is a part divided by a sum that depends on the logits?
  static func isNormalized(_ kind: ActivePassiveTerm) -> Bool { kind == .nce || kind == .nfl || kind == .ngce }

  @inline(__always) func evaluateUnweighted(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    switch kind {
    case .ce, .nce: return CrossEntropy().evaluate(c)
    case .fl, .nfl: return focal.evaluate(c)
    case .gce, .ngce: return power.evaluate(c)
    default: return absolute.evaluate(c)
    }
  }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    let (value, psi) = evaluateUnweighted(c)
    return (value.scaled(by: weight), psi * weight)
  }
}

private struct ProbabilityTerms<V: Lanes>: TargetRowLoss {
  let first, second: ProbabilityTerm<V>

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    let a = first.evaluate(row), b = second.evaluate(row)
    return (a.value + b.value, a.psi + b.psi)
  }
}
