/// Free energy of each row: low where the input is like those of the training.
///
///     E = −T log Σ_j e^{z_j / T},      dE/dz = −softmax(z / T)
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row of −inf alone gives +inf, a row with +inf gives
///     −inf, a row with NaN gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, finite, default 1.
///   - score: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's energy with respect to its logits.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Liu et al. 2020, Energy-based Out-of-distribution Detection.
func energyScore<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ temperature: Double,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return confidenceScore(
    FreeEnergy<S.Vector>(
      exponential: ScaledExponential(temperature: temperature),
      temperature: S.Vector(S.Vector.usable(temperature))),
    logits, (outer, classes, inner), score, grad)
}

/// Weight of each row as a sample of a loss: large where the energy E is close to 0.
///
///     w = 1 / log(1 + e^{|E|}),   E = −log Σ_j e^{z_j},      dw/dz_j = sign(E) σ(|E|) w² softmax(z)_j
///
/// - Parameters:
///   - logits: z, `[outer, classes, inner]`. −inf is a masked class; a row of −inf alone, or with +inf, gives 0, a row with
///     NaN gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weight: output, one per row.
///   - grad: optional output, shaped as `logits`: of each row's weight with respect to its logits; 0 where E is 0.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Mirza et al. 2024, Shedding More Light on Robust Classifiers under the lens of Energy-based Models.
func energyWeight<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ weight: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  confidenceScore(InverseEnergy<S.Vector>(), logits, (outer, classes, inner), weight, grad)
}

private struct FreeEnergy<V: Lanes>: ConfidenceScore {
  let exponential: ScaledExponential<V>
  let temperature: V

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let energy = -(row.maximum + temperature * row.logSum)
    return (
      V.select(row.maximum .== V.infinity, -V.infinity, energy), ScoreConstants(a: -(V.one / (V.one + row.others)))
    )
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V { k.a * e.exponential }
}

private struct InverseEnergy<V: Lanes>: ConfidenceScore {
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) func evaluate(_ row: ScoredRow<V>, _: (V, V)) -> (score: V, constants: ScoreConstants<V>) {
    let sum = row.maximum + row.logSum
    let negativeEnergy = V.select(row.maximum .== V.infinity, V.infinity, sum)
    let magnitude = negativeEnergy.magnitude
    let logistic = Logistic<V>(magnitude)
    let weight = V.one / (magnitude + logistic.tail)
    let slope = logistic.positive * weight * weight / (V.one + row.others)
    let signed = V.select(V.zero .< negativeEnergy, -slope, slope)
    return (weight, ScoreConstants(a: V.select(magnitude .== V.zero, V.zero, signed)))
  }

  @inline(__always) func derivative(_ e: ScoredElement<V>, _ k: ScoreConstants<V>) -> V { k.a * e.exponential }
}
