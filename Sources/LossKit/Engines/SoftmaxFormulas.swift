// Formulas of one probability that several losses are made of: the value v(p) and ψ = dv/dν with ν = −log p. Of a target
// they are losses themselves; of every class, with a weight each, they are parts of one.

/// ν and 1.
struct CrossEntropy<V: Lanes>: TargetRowLoss, DenseRowLoss {
  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) { (c.nu, V.one) }
}

/// (1 − p)^γ ν and (1 − p)^γ + γ (1 − p)^{γ−1} p ν, where p ν → 0 as p → 0.
struct FocalLoss<V: Lanes>: TargetRowLoss, DenseRowLoss {
  let modulator: FixedPower<V>
  /// Is (1 − p)^γ a constant for the gradient?
  let detachModulator: Bool

  init(gamma: Double, detachModulator: Bool) {
    modulator = FixedPower(gamma)
    self.detachModulator = detachModulator
  }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    let (power, slope) = modulator(c.complement)
    let value = V.select(c.complement .== V.zero, V.zero, power * c.nu)
    if detachModulator { return (value, power) }
    return (value, V.select(c.probability .== V.zero, power, V.fma(slope * c.probability, c.nu, power)))
  }
}

/// (1 − p^q)/q and p^q, for any q: ν and 1 for q = 0.
struct PowerLoss<V: Lanes>: TargetRowLoss, DenseRowLoss {
  static var isUnbounded: Bool { true }
  private let q, qRest, inverse: V
  private let isLogarithm: Bool

  init(_ q: Double) {
    self.q = V(q)
    qRest = V(q - V.Element(q).double)
    inverse = V(1 / q)
    isLogarithm = q == 0
  }

  @inline(__always) func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V) {
    if isLogarithm { return (c.nu, V.one) }
    // p^q = e^{−qν}. What rounding takes from a large exponent is no small part of the power.
    let exponent = -(q * c.nu)
    let rest = -V.finite(V.fma(q, c.nu, exponent) + V.fma(q, c.nuRest, qRest * c.nu))
    let power = V.exp(exponent)
    let correction = V.finite(power * rest)
    return (-(V.expm1(exponent) + correction) * inverse, power + correction)
  }
}
