/// Logistic function, element by element.
///
///     σ(x) = 1 / (1 + e^{−x})
///
/// - Parameters:
///   - x: `[count]`.
///   - count: number of elements, ≥ 0.
///   - y: output, `[count]`, in (0, 1); may be `x` itself. NaN propagates.
func sigmoid<S: Scalar>(_ x: UnsafePointer<S>?, _ count: Int, _ y: UnsafeMutablePointer<S>?) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let y else { return .nullPointer }
  mapElements(Sigmoid<S.Vector>(), x, x, count, y)
  return .ok
}

/// Vector-Jacobian product of the logistic function: `grad_output · y · (1 − y)`.
///
/// - Parameters:
///   - y: `[count]`, what `sigmoid` returned.
///   - gradOutput: `[count]`, the incoming gradient.
///   - count: number of elements, ≥ 0.
///   - grad: output, `[count]`; may be `gradOutput` itself.
func sigmoidVjp<S: Scalar>(
  _ y: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let y, let gradOutput, let grad else { return .nullPointer }
  mapElements(SigmoidVjp<S.Vector>(), y, gradOutput, count, grad)
  return .ok
}

private struct Sigmoid<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _: V) -> V { V.one / (V.one + V.exp(-x)) }
}

private struct SigmoidVjp<V: Lanes>: ElementMap {
  @inline(__always) func value(_ y: V, _ g: V) -> V { g * y * (V.one - y) }
}
