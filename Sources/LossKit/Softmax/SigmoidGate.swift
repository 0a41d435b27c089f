/// Logistic function, element by element.
///
///     σ(x) = 1 / (1 + e^{−x})
///
/// - Parameters:
///   - x: `[count]`.
///   - count: number of elements, ≥ 0.
///   - y: output, `[count]`, in [0, 1]; may be `x` itself. NaN propagates.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: torch.sigmoid.
func sigmoid<S: Scalar>(_ x: UnsafePointer<S>?, _ count: Int, _ y: UnsafeMutablePointer<S>?) -> Status {
  mapElements(SigmoidGate<S.Vector>(), x, x, count, y)
}

/// Vector-Jacobian product of the logistic function: `grad_output · y · (1 − y)`.
///
/// - Parameters:
///   - y: `[count]`, what `sigmoid` returned.
///   - gradOutput: `[count]`, the incoming gradient.
///   - count: number of elements, ≥ 0.
///   - grad: output, `[count]`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func sigmoidVjp<S: Scalar>(
  _ y: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  mapElements(SigmoidVjp<S.Vector>(), y, gradOutput, count, grad)
}

private struct SigmoidGate<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _: V) -> V { V.sigmoid(x) }
}

private struct SigmoidVjp<V: Lanes>: ElementMap {
  @inline(__always) func value(_ y: V, _ g: V) -> V { g * y * (V.one - y) }
}
