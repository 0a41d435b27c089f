/// Smooth form of max(x, 0), element by element.
///
///     softplus(x) = log1p(e^{βx}) / β,   and exactly x where βx > threshold
///
/// - Parameters:
///   - x: `[count]`.
///   - count: number of elements, ≥ 0.
///   - beta: β > 0, default 1.
///   - threshold: default 20; not NaN.
///   - y: output, `[count]`; may be `x` itself. NaN propagates.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: torch.nn.functional.softplus.
func softplus<S: Scalar>(
  _ x: UnsafePointer<S>?, _ count: Int, _ beta: Double, _ threshold: Double, _ y: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(beta), !threshold.isNaN else { return .invalidParameter }
  return mapElements(
    SoftplusGate<S.Vector>(beta: S.Vector(beta), inverseBeta: S.Vector(1 / beta), threshold: S.Vector(threshold)), x, x,
    count, y)
}

/// Vector-Jacobian product of softplus: `grad_output · σ(βx)`, and `grad_output` where βx > threshold.
///
/// - Parameters:
///   - x: `[count]`, as given to `softplus`.
///   - gradOutput: `[count]`, the incoming gradient.
///   - count: number of elements, ≥ 0.
///   - beta: β > 0, default 1.
///   - threshold: default 20; not NaN.
///   - grad: output, `[count]`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func softplusVjp<S: Scalar>(
  _ x: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ beta: Double, _ threshold: Double,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(beta), !threshold.isNaN else { return .invalidParameter }
  return mapElements(
    SoftplusVjp<S.Vector>(beta: S.Vector(beta), threshold: S.Vector(threshold)), x, gradOutput, count, grad)
}

private struct SoftplusGate<V: Lanes>: ElementMap {
  let beta, inverseBeta, threshold: V

  @inline(__always) func value(_ x: V, _: V) -> V {
    let scaled = x * beta
    return V.select(scaled .> threshold, x, V.softplus(scaled) * inverseBeta)
  }
}

private struct SoftplusVjp<V: Lanes>: ElementMap {
  let beta, threshold: V

  @inline(__always) func value(_ x: V, _ g: V) -> V {
    let scaled = x * beta
    return V.select(scaled .> threshold, g, g * V.sigmoid(scaled))
  }
}
