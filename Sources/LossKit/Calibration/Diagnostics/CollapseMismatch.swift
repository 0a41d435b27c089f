/// NC4, how often the classifier disagrees with the rule of the nearest class mean: 0 where features have collapsed.
///
///     share of samples with argmax(W x + b) ≠ argmin_c ‖x − μ_c‖     (of equal ones the first)
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - weight: W, `[classes, dimensions]`.
///   - bias: b, `[classes]`.
///   - means: μ, `[classes, dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - mismatch: output; NaN without samples.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for NaN or ±inf, OUT_OF_MEMORY.
/// - Reference: Papyan et al. 2020, Prevalence of Neural Collapse During the Terminal Phase of Deep Learning Training.
func nc4NccMismatch<S: Scalar>(
  _ x: UnsafePointer<S>?, _ weight: UnsafePointer<S>?, _ bias: UnsafePointer<S>?, _ means: UnsafePointer<S>?,
  _ count: Int, _ dimensions: Int, _ classes: Int, _ mismatch: UnsafeMutablePointer<S>?
) -> Status {
  guard LogitRows<S>.fit(count, dimensions, classes) else { return .invalidShape }
  guard let mismatch else { return .nullPointer }
  if count == 0 {
    mismatch.pointee = .nan
    return .ok
  }
  guard let x, let weight, let bias, let means else { return .nullPointer }
  guard areFinite(x, count &* dimensions), areFinite(weight, classes &* dimensions), areFinite(bias, classes),
    areFinite(means, classes &* dimensions)
  else { return .invalidValue }
  return withWorkspace {
    (
      logits: LogitRows<S>(&$0, x, weight, bias, count, dimensions, classes),
      means: $0.take(Double.self, classes &* dimensions), row: $0.take(Double.self, dimensions)
    )
  } _: { memory in
    memory.logits.compute()
    widen(means, step: 1, memory.means, classes &* dimensions)
    var different = 0
    for i in 0..<count {
      widen(x + i &* dimensions, step: 1, memory.row, dimensions)
      if nearestPoint(memory.row, memory.means, classes, dimensions).index != memory.logits.best[i] { different &+= 1 }
    }
    mismatch.pointee = S(Double(different) / Double(count))
    return .ok
  }
}
