/// Harmonic loss: cross-entropy of class probabilities that fall with a power of the distance to the class centre.
///
///     δ_v = min(dist(x, w_v), 10⁶),   p_v = δ_v^−n / Σ_u δ_u^−n,   L = −log p_y
///     dL/dδ_v = −n (p_v − [v = y]) / δ_v, 0 where δ is clamped
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - w: class centres, `[classes, dimensions]`.
///   - y: targets, `[count]`, in 0 ..< classes.
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
///   - reduction: default mean, which divides by Σ s_i. With none there are no gradients: UNSUPPORTED.
///   - sampleWeight: optional, `[count]`, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - gradX: optional output, shaped as `x`.
///   - gradW: optional output, shaped as `w`.
///   - gradPrecision: optional output, with as many numbers as the precision; 0 where that is not used.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, UNSUPPORTED, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative
///   weight, OUT_OF_MEMORY.
/// - Reference: Rethinking the Harmonic Loss; Baek et al. 2025, Harmonic Loss Trains Interpretable AI Models.
func harmonicLoss<S: Scalar>(
  _ x: UnsafePointer<S>?, _ w: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimensions: Int,
  _ classes: Int, _ distance: HarmonicDistance,
  _ n: Double, _ eps: Double, _ p: Double, _ temperature: Double, _ threshold: Double, _ smooth: Double,
  _ minDenom: Double, _ weightPower: Double, _ precision: UnsafePointer<S>?, _ precisionIsMatrix: Bool,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ gradX: UnsafeMutablePointer<S>?, _ gradW: UnsafeMutablePointer<S>?, _ gradPrecision: UnsafeMutablePointer<S>?
) -> Status {
  let model = HarmonicModel(
    distance: distance, n: n, eps: eps, p: p, temperature: temperature, threshold: threshold, smooth: smooth,
    minDenom: minDenom, weightPower: weightPower, precision: precision, precisionIsMatrix: precisionIsMatrix)
  let arrays = HarmonicArrays(
    x: x, w: w, count: count, dimensions: dimensions, classes: classes, gradX: gradX, gradW: gradW,
    gradPrecision: gradPrecision)
  if let problem = arrays.problem(model) { return problem }
  let wantsGradient = gradX != nil || gradW != nil || gradPrecision != nil
  if reduction == .none && wantsGradient { return .unsupported }
  guard areWeights(sampleWeight, count) else { return .invalidValue }
  var denominator = 0.0
  if count > 0 {
    guard let y else { return .nullPointer }
    let targets = Targets<S>(classes: y, ignoreIndex: nil, classFactor: nil, factorIsWeight: false)
    guard let sum = targets.denominator(count, classCount: classes, sampleWeight) else { return .invalidTarget }
    denominator = sum
  }
  let scale = reduction == .sum ? 1 : denominator == 0 ? 0 : 1 / denominator
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: nil)
  let use = HarmonicRows<S>.Use.loss(
    target: y, sampleWeight: sampleWeight, scale: scale, wantsGradient: wantsGradient)
  return arrays.run(model, use) { losses in reduce(losses, count, denominator, call) }
}

/// Writes the losses of the rows, or their weighted sum or mean.
private func reduce<S: Scalar>(
  _ losses: UnsafeMutablePointer<Double>, _ count: Int, _ denominator: Double, _ call: LossCall<S>
) {
  LossSink.run(call, denominator: denominator) { sink in
    var partial = sink.empty
    forEachVector(DoubleLanes.self, 0..<count) { i, n in
      let rows = DoubleLanes.load(losses + i, lanes: n)
      sink.deposit(S.Vector(rows, DoubleLanes.zero), first: i, count: n, &partial)
    }
    sink.finish(partial, part: 0)
  }
}
