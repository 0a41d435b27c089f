/// Harmonic logits: the negative logarithms of the distances of features to class centres.
///
///     δ_iv = min(dist(x_i, w_v), 10⁶),   ℓ_iv = −n log δ_iv,   softmax(ℓ)_v = δ_v^−n / Σ_u δ_u^−n
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - w: class centres, `[classes, dimensions]`.
///   - count: N ≥ 0.
///   - dimensions: D ≥ 1; ≥ 2 for `chebyshev_soft`.
///   - classes: V ≥ 1.
///   - distance: default euclidean, which is squared.
///   - n: the exponent, > 0, default 1.
///   - eps: > 0, default 1e-4.
///   - p: of `minkowski`, > 0, default 1.5.
///   - temperature: T of the `hamming` distances, > 0, default 1.
///   - threshold: of `hamming_hard`, default 0.5.
///   - smooth: of `chebyshev_lse`, > 0, default 10.
///   - minDenom: of `canberra`, > 0, default 1e-8.
///   - weightPower: of `canberra_weighted`, default 1.
///   - precision: S of `mahalanobis`, optional: dimensions × dimensions numbers, of which the symmetric part counts and
///     has to be positive semidefinite, or its diagonal. Other distances ignore it.
///   - precisionIsMatrix: is the precision a matrix, or a diagonal?
///   - logits: output, `[count, classes]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Rethinking the Harmonic Loss; Baek et al. 2025, Harmonic Loss Trains Interpretable AI Models.
func harmonicLogits<S: Scalar>(
  _ x: UnsafePointer<S>?, _ w: UnsafePointer<S>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ distance: HarmonicDistance,
  _ n: Double, _ eps: Double, _ p: Double, _ temperature: Double, _ threshold: Double, _ smooth: Double,
  _ minDenom: Double, _ weightPower: Double, _ precision: UnsafePointer<S>?, _ precisionIsMatrix: Bool,
  _ logits: UnsafeMutablePointer<S>?
) -> Status {
  let model = HarmonicModel(
    distance: distance, n: n, eps: eps, p: p, temperature: temperature, threshold: threshold, smooth: smooth,
    minDenom: minDenom, weightPower: weightPower, precision: precision, precisionIsMatrix: precisionIsMatrix)
  let arrays = HarmonicArrays(x: x, w: w, count: count, dimensions: dimensions, classes: classes)
  if let problem = arrays.problem(model) { return problem }
  if count == 0 { return .ok }
  guard let logits else { return .nullPointer }
  return arrays.run(model, .logits(logits)) { _ in }
}

/// Vector-Jacobian product of harmonic_logits.
///
///     dL/dδ_iv = −n g_iv / δ_iv, 0 where δ is clamped
///     grad_x_i = Σ_v dL/dδ_iv ∂δ_iv/∂x_i,   grad_w_v = Σ_i dL/dδ_iv ∂δ_iv/∂w_v
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - w: class centres, `[classes, dimensions]`.
///   - gradOutput: g, `[count, classes]`: the incoming gradient.
///   - count: N ≥ 0.
///   - dimensions: D ≥ 1; ≥ 2 for `chebyshev_soft`.
///   - classes: V ≥ 1.
///   - distance: default euclidean, which is squared.
///   - n: the exponent, > 0, default 1.
///   - eps: > 0, default 1e-4.
///   - p: of `minkowski`, > 0, default 1.5.
///   - temperature: T of the `hamming` distances, > 0, default 1.
///   - threshold: of `hamming_hard`, default 0.5.
///   - smooth: of `chebyshev_lse`, > 0, default 10.
///   - minDenom: of `canberra`, > 0, default 1e-8.
///   - weightPower: of `canberra_weighted`, default 1.
///   - precision: S of `mahalanobis`, optional: dimensions × dimensions numbers, of which the symmetric part counts and
///     has to be positive semidefinite, or its diagonal. Other distances ignore it.
///   - precisionIsMatrix: is the precision a matrix, or a diagonal?
///   - gradX: optional output, shaped as `x`.
///   - gradW: optional output, shaped as `w`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func harmonicLogitsVjp<S: Scalar>(
  _ x: UnsafePointer<S>?, _ w: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ dimensions: Int,
  _ classes: Int, _ distance: HarmonicDistance,
  _ n: Double, _ eps: Double, _ p: Double, _ temperature: Double, _ threshold: Double, _ smooth: Double,
  _ minDenom: Double, _ weightPower: Double, _ precision: UnsafePointer<S>?, _ precisionIsMatrix: Bool,
  _ gradX: UnsafeMutablePointer<S>?, _ gradW: UnsafeMutablePointer<S>?
) -> Status {
  let model = HarmonicModel(
    distance: distance, n: n, eps: eps, p: p, temperature: temperature, threshold: threshold, smooth: smooth,
    minDenom: minDenom, weightPower: weightPower, precision: precision, precisionIsMatrix: precisionIsMatrix)
  let arrays = HarmonicArrays(
    x: x, w: w, count: count, dimensions: dimensions, classes: classes, gradX: gradX, gradW: gradW)
  if let problem = arrays.problem(model) { return problem }
  if gradOutput == nil && count > 0 { return .nullPointer }
  return arrays.run(model, .logitsVjp(gradOutput)) { _ in }
}
