/// Logarithm of the logistic function, element by element.
///
///     log σ(x) = min(x, 0) − log1p(e^{−|x|})
///
/// - Parameters:
///   - x: `[count]`.
///   - count: number of elements, ≥ 0.
///   - y: output, `[count]`; may be `x` itself. NaN propagates.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: torch.nn.functional.logsigmoid.
func logSigmoid<S: Scalar>(_ x: UnsafePointer<S>?, _ count: Int, _ y: UnsafeMutablePointer<S>?) -> Status {
  mapElements(LogSigmoidGate<S.Vector>(), x, x, count, y)
}

/// Vector-Jacobian product of log_sigmoid: `grad_output · σ(−x)`.
///
/// - Parameters:
///   - x: `[count]`, as given to `logSigmoid`.
///   - gradOutput: `[count]`, the incoming gradient.
///   - count: number of elements, ≥ 0.
///   - grad: output, `[count]`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func logSigmoidVjp<S: Scalar>(
  _ x: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  mapElements(LogSigmoidVjp<S.Vector>(), x, gradOutput, count, grad)
}

private struct LogSigmoidGate<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _: V) -> V { V.logSigmoid(x) }
}

private struct LogSigmoidVjp<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _ g: V) -> V { g * V.sigmoid(-x) }
}
