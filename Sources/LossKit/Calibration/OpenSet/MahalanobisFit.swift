/// Means of the classes and the precision matrix of the samples around them: what `mahalanobis_score` scores with.
///
///     μ_c = mean of the samples of class c     (0 for a class without samples)
///     Σ = 1/N Σ_i (x_i − μ_{y_i})(x_i − μ_{y_i})ᵀ,   Λ = Σ⁺, without eigenvalues ≤ 2.2e-16 · dimensions · max |λ|
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N ≥ 1.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - means: output, μ, `[classes, dimensions]`.
///   - precision: output, Λ, `[dimensions, dimensions]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN or ±inf, OUT_OF_MEMORY.
/// - Reference: Lee et al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
///   Attacks.
func mahalanobisFit<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ means: UnsafeMutablePointer<S>?, _ precision: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 1, dimensions >= 1, classes >= 1, elementCount(count, dimensions) != nil,
    elementCount(classes, dimensions) != nil, elementCount(dimensions &+ 16, dimensions &+ 16, 4) != nil
  else { return .invalidShape }
  guard let x, let y, let means, let precision else { return .nullPointer }
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  guard areFinite(x, count &* dimensions) else { return .invalidValue }
  return withWorkspace {
    (
      groups: ClassMeans(&$0, classes: classes, dimensions: dimensions), gram: GramMatrix(&$0, dimensions: dimensions),
      eigen: SymmetricEigenvectors(&$0, dimensions: dimensions)
    )
  } _: { memory in
    let (groups, gram, eigen) = memory
    groups.compute(x, y, count)
    gram.gather(count) { i, deviation in groups.deviation(x + i &* dimensions, Int(y[i]), into: deviation) }
    guard eigen.decompose(gram.sum, stride: gram.stride) else { return .invalidValue }
    // The sum is N Σ: its eigenvalues are N times those of Σ.
    let least = 0x1p-52 * Double(dimensions) * eigen.largestMagnitude
    gram.gather(dimensions) { k, row in
      let value = eigen.values[k]
      row.update(repeating: 0, count: dimensions)
      if value > least { addScaled((Double(count) / value).squareRoot(), eigen.vector(k), to: row, dimensions) }
    }
    narrow(groups.means, means, step: 1, classes &* dimensions)
    for i in 0..<dimensions {
      narrow(gram.sum + i &* gram.stride, precision + i &* dimensions, step: 1, dimensions)
    }
    return .ok
  }
}
