/// Symmetric cross-entropy: cross-entropy and its reverse.
///
///     L = α ν + β (−A) (1 − p_y),   ν = −log p_y,   p = softmax(z)
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - alpha: α, default 0.1, the setting for CIFAR-10 (CIFAR-100: 6).
///   - beta: β, default 1 (CIFAR-100: 0.1).
///   - logZero: A < 0, default log 10⁻⁴ = −9.210340371976182: what log 0 counts as.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Wang et al. 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels.
func symmetricCrossEntropy<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ alpha: Double, _ beta: Double, _ logZero: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard alpha.isFinite, beta.isFinite, isPositive(-logZero) else { return .invalidParameter }
  return targetRowLoss(
    SymmetricCrossEntropy<S.Vector>(alpha: S.Vector(alpha), reverse: MeanAbsoluteError(-beta * logZero)), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct SymmetricCrossEntropy<V: Lanes>: TargetRowLoss {
  let alpha: V
  let reverse: MeanAbsoluteError<V>

  @inline(__always) func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V) {
    let (value, psi) = reverse.evaluate(row)
    return (row.nu.scaled(by: alpha) + value, alpha + psi)
  }
}
