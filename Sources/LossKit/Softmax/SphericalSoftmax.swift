/// Spherical softmax: squares instead of exponentials.
///
///     p_i = (z_i² + eps) / Σ_j (z_j² + eps)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class (probability 0); a row with NaN or +inf gives a row of
///     NaN. A row whose sum is 0 is uniform. Squares do not overflow: rows are scaled by their largest magnitude.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - eps: ≥ 0, default 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: de Brébisson & Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss Family.
func sphericalSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ eps: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  return mapNormalized(Square<S.Vector>(eps: eps), z, (outer, classes, inner), output: p)
}

/// Vector-Jacobian product of spherical_softmax.
///
///     grad_j = 2 z_j / S · (g_j − ⟨p, g⟩),   S = Σ_j (z_j² + eps)     (0 where S = 0)
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`.
///   - gradOutput: g, shaped as `z`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - eps: as given to `sphericalSoftmax`.
///   - gradZ: output, shaped as `z`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func sphericalSoftmaxVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ eps: Double,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  return mapNormalizedVjp(Square<S.Vector>(eps: eps), z, gradOutput, (outer, classes, inner), gradZ: gradZ)
}

/// f = (z² + eps) / M² with M = max(max |z|, √eps): a factor that cancels in p.
private struct Square<V: Lanes>: NormalizedFunction {
  let rootOfEps: V
  static var isUniformAtZero: Bool { true }

  init(eps: Double) { rootOfEps = V(eps.squareRoot()) }

  /// a = M (1 where it is 0), b = eps / M²
  @inline(__always) func constants(_ tile: RowTile<V>) -> RowConstants<V> {
    let largest = V.max(tile.maximum { counted($0.x).magnitude }, rootOfEps)
    let scale = V.select(largest .== V.zero, V.one, largest)
    let root = rootOfEps / scale
    return RowConstants(a: scale, b: root * root)
  }

  @inline(__always) func value(_ x: V, _ k: RowConstants<V>) -> V {
    let ratio = x / k.a
    return V.select(x .== -V.infinity, V.zero, V.fma(ratio, ratio, k.b))
  }

  @inline(__always) func derivative(_ x: V, _ k: RowConstants<V>) -> V { V(2) * (counted(x) / k.a) / k.a }

  @inline(__always) func logarithmicDerivative(_ x: V, _ k: RowConstants<V>) -> V { derivative(x, k) / value(x, k) }

  @inline(__always) private func counted(_ x: V) -> V { V.select(x .== -V.infinity, V.zero, x) }
}
