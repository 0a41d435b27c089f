/// A sample of the relaxed categorical distribution with logits z: softmax of logits with Gumbel noise.
///
///     y = softmax((z + G)/τ),   G_{n,c} = element n·classes + c of philox_gumbel
///
/// With `hard` the one-hot row of the largest y, of equal ones the first; its gradient is that of y (straight-through).
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with +inf, or of −inf alone,
///     gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS. Row n is (o, i) with n = o · inner + i.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - tau: temperature τ > 0, default 1.
///   - hard: one-hot rows?
///   - seed: of the noise, any 64 bits, default 0.
///   - offset: of the elements of the noise, default 0.
///   - y: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Jang et al. 2017, Categorical Reparameterization with Gumbel-Softmax; torch.nn.functional.gumbel_softmax
///   is the same map of other random numbers.
func gumbelSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ tau: Double, _ hard: Bool, _ seed: UInt64,
  _ offset: UInt64, _ y: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(tau) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let y else { return .nullPointer }
  if hasNaN(z, shape.rows &* classes) { return .invalidValue }
  return mapRowsInDouble(
    GumbelSoftmax(exponential: ScaledExponential(temperature: tau), random: Philox(seed: seed, offset: offset), hard: hard),
    shape, z, output: y)
}

/// Vector-Jacobian product of gumbel_softmax.
///
///     grad_z = y ⊙ (g − ⟨y, g⟩) / τ
///
/// - Parameters:
///   - ySoft: y, `[outer, classes, inner]`: what `gumbelSoftmax` returned, or would have returned without `hard`.
///   - gradOutput: g, shaped as `ySoft`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - tau: τ > 0, as given to `gumbelSoftmax`.
///   - gradZ: output, shaped as `ySoft`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
func gumbelSoftmaxVjp<S: Scalar>(
  _ ySoft: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ tau: Double,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(tau) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let ySoft, let gradOutput, let gradZ else { return .nullPointer }
  return mapRowsInDouble(GumbelSoftmaxVjp(scale: 1 / DoubleLanes.usable(tau)), shape, ySoft, gradOutput, output: gradZ)
}

private struct GumbelSoftmax: DoubleRowFormula {
  let exponential: ScaledExponential<DoubleLanes>
  let random: Philox
  let hard: Bool
  static var usesSecond: Bool { false }

  @inline(__always)
  func run(_ x: UnsafeMutablePointer<Double>, _: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    typealias V = DoubleLanes
    // Without the maximum, what is large in the logits would take the places of the noise.
    var highest = -V.infinity
    forEachVector(V.self, 0..<count) { i, n in highest = V.max(V.load(x + i, lanes: n, fill: -.infinity), highest) }
    let maximum = V(highest.maximum)
    forEachVector(V.self, 0..<count) { i, n in
      let noise = random.gumbel(row &* count &+ i)
      ((V.load(x + i, lanes: n) - maximum) + noise).store(x + i, lanes: n)
    }
    softmaxInDouble(x, count, exponential, isHard: hard)
  }
}

private struct GumbelSoftmaxVjp: DoubleRowFormula {
  let scale: Double
  static var usesSecond: Bool { true }

  @inline(__always)
  func run(_ y: UnsafeMutablePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    softmaxVjpInDouble(y, g, count, scale: scale)
  }
}
