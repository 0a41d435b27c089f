/// Poly-N cross-entropy: the first n coefficients of its expansion in 1 − p are raised.
///
///     L = ν + Σ_{j=1}^n ε_j (1 − p_y)^j,   ν = −log p_y,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - epsilons: ε_1 … ε_n, `[n]`; may be null if n = 0.
///   - n: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func polyNCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ epsilons: UnsafePointer<Double>?, _ n: Int, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  polynomialLoss(
    epsilons, n, hasCrossEntropy: true, z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

/// Poly loss: a polynomial in 1 − p. Cross-entropy is the series with α_j = 1/j.
///
///     L = Σ_{j=1}^n α_j (1 − p_y)^j,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alphas: α_1 … α_n, `[n]`; may be null if n = 0.
///   - n: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions.
func polyLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alphas: UnsafePointer<Double>?, _ n: Int, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  polynomialLoss(
    alphas, n, hasCrossEntropy: false, z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

@inline(__always)
private func polynomialLoss<S: Scalar>(
  _ coefficients: UnsafePointer<Double>?, _ n: Int, hasCrossEntropy: Bool, _ z: UnsafePointer<S>?,
  _ target: UnsafePointer<Int64>?, _ shape: (outer: Int, classes: Int, inner: Int), _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(n, 1) != nil else { return .invalidShape }
  if coefficients == nil && n > 0 { return .nullPointer }
  for j in 0..<n where !coefficients![j].isFinite { return .invalidParameter }
  return targetRowLoss(
    PolynomialLoss<S.Vector>(
      polynomial: Polynomial(coefficients: coefficients, n: n), hasCrossEntropy: hasCrossEntropy), z, target, shape,
    reduction, sampleWeight, loss, grad)
}

/// c_1 q + c_2 q² + … + c_n qⁿ and its derivative.
private struct Polynomial<V: Lanes> {
  let coefficients: UnsafePointer<Double>?
  let n: Int

  @inline(__always) func callAsFunction(_ q: V) -> (value: V, slope: V) {
    var value = V.zero, slope = V.zero
    for j in 0..<n {
      value = V.fma(value, q, V(coefficients![n &- 1 &- j]))
      slope = V.fma(slope, q, value)
    }
    // The last step of Horner's scheme, with the coefficient c_0 = 0, the slope has taken already.
    return (value * q, slope)
  }
}

private struct PolynomialLoss<V: Lanes>: TargetRowLoss {
  let polynomial: Polynomial<V>
  let hasCrossEntropy: Bool

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    let (value, slope) = polynomial(row.complement)
    let psi = row.probability * slope
    return hasCrossEntropy ? (row.nu + value, V.one + psi) : (value, psi)
  }
}
