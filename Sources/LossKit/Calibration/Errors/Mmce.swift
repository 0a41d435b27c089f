/// Maximum mean calibration error: the distance of confidences from hits in the Hilbert space of a Laplacian kernel.
///
///     e_i = corr_i − conf_i,  k_ij = exp(−|conf_i − conf_j| / bandwidth):      V = √(eᵀKe) / N
///     weighted, with m hits:  v_i = (1 − conf_i)/m for a hit, −conf_i/(N − m) for the others:      V = √(vᵀKv)
///
/// Correctness and arg max are constants of the gradient, which is 0 where V is 0.
///
/// In the order of the confidences the kernel is a product of neighbours' factors ρ, so that Kv takes one pass each way,
/// not N²: with L_i = v_i + ρ_i L_{i−1}, vᵀKv = Σ L_i² (1 − ρ_{i+1}²), a sum without cancellation.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 the value is 0.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - bandwidth: > 0, finite; 0.4 is usual.
///   - weighted: false is usual.
///   - value: optional output, V.
///   - grad: optional output, like `probs`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Kumar et al., Trainable Calibration Measures for Neural Networks from Kernel Mean Embeddings, 2018.
func mmce<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ bandwidth: Double,
  _ weighted: Bool, _ value: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(bandwidth) else { return .invalidParameter }
  return withSortedConfidences(
    probs, y, count, classes, layout: { LaplacianForm(&$0, count) }, whenEmpty: { value?.pointee = 0 }
  ) { sorted, form in
    var hits = 0
    for k in 0..<count { hits &+= sorted.isHit(k) ? 1 : 0 }
    // ± the weight of a hit and of a miss: also the slope of v with respect to the confidence.
    let ofHit = weighted ? 1 / Double(hits) : 1
    let ofMiss = weighted ? 1 / Double(count &- hits) : 1
    for k in 0..<count {
      let c = sorted.confidence(k)
      form.v[k] = sorted.isHit(k) ? (1 - c) * ofHit : -c * ofMiss
    }
    let scale = weighted ? 1 : 1 / Double(count)
    let norm = form.norm(sorted, bandwidth)
    value?.pointee = S(norm * scale)
    guard let grad else { return }
    let columns = max(classes, 1)
    grad.update(repeating: 0, count: count &* columns)
    if norm == 0 { return }
    form.forEachDerivative(sorted, bandwidth) { k, kv, slope in
      let row = sorted.row(k)
      let derivative = (form.v[k] * slope - kv * (sorted.isHit(k) ? ofHit : ofMiss)) / norm
      let place = classes > 0 ? firstLargest(probs.unsafelyUnwrapped + row &* columns, columns) : 0
      grad[row &* columns &+ place] = S(derivative * scale)
    }
  }
}

private func firstLargest<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Int {
  var best = 0
  for c in 1..<max(count, 1) where p[c] > p[best] { best = c }
  return best
}

/// vᵀKv and its parts, for points in ascending order.
private struct LaplacianForm {
  let v: UnsafeMutablePointer<Double>
  /// L: Σ_{j ≤ i} v_j k_ij.
  private let left: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int) {
    v = arena.take(Double.self, count)
    left = arena.take(Double.self, count)
  }

  /// √(vᵀKv)
  func norm<C: Scalar>(_ sorted: SortedConfidences<C>, _ bandwidth: Double) -> Double {
    var sum = 0.0
    var reach = 0.0
    for i in 0..<sorted.count {
      let distance = i == 0 ? .infinity : sorted.confidence(i) - sorted.confidence(i &- 1)
      // 1 − ρ² of the last point, whose L is complete.
      if distance > 0, i > 0 { sum -= reach * reach * exponentialMinusOne(-2 * distance / bandwidth) }
      reach = v[i] + (distance > 0 ? reach * exponential(-distance / bandwidth) : reach)
      left[i] = reach
    }
    return (sum + reach * reach).squareRoot()
  }

  /// Calls `body(i, (Kv)_i, Σ_j v_j ∂k_ij/∂conf_i)`; equal points have derivative 0.
  @inline(__always)
  func forEachDerivative<C: Scalar>(
    _ sorted: SortedConfidences<C>, _ bandwidth: Double, _ body: (Int, Double, Double) -> Void
  ) {
    var right = 0.0  // Σ v_j k_ij over the points above the group
    var end = sorted.count
    while end > 0 {
      // A group of equal points: its sums from the left are those of its last and of the one before its first.
      let confidence = sorted.confidence(end &- 1)
      var start = end
      var own = 0.0
      while start > 0, sorted.confidence(start &- 1) == confidence {
        start &-= 1
        own += v[start]
      }
      let distance = start == 0 ? .infinity : confidence - sorted.confidence(start &- 1)
      let factor = exponential(-distance / bandwidth)
      let below = start == 0 ? 0 : left[start &- 1] * factor
      for i in start..<end { body(i, below + own + right, (right - below) / bandwidth) }
      right = (right + own) * factor
      end = start
    }
  }
}
