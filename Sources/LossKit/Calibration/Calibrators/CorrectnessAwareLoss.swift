/// Correctness-aware loss: the confidence of the predicted class should be 1 where it is right and 0 where it is wrong.
///
///     m = argmax z (the first of equal ones),  conf = softmax(z)_m,  L = w (conf − [m = y])²
///     ∂L/∂z_j = 2 w (conf − [m = y]) conf ([j = m] − p_j)
///
/// balanced: w = 1 − A for right rows and A for wrong ones, where A is the accuracy of the batch; 1 for all if these
/// weights sum to 0. Else w = 1.
///
/// - Parameters:
///   - logits: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - balanced: true is usual.
///   - reduction: default mean, which divides by Σ w.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `logits`; weights, predictions and their correctness are constants.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET; OUT_OF_MEMORY if there is none for a number per row (balanced).
/// - Reference: Liu, Wang, Gould and Zheng, Optimizing Calibration by Gaining Aware of Prediction Correctness, 2024.
func correctnessAwareLoss<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ balanced: Bool, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  let shape = (outer, classes, inner)
  var right = 1.0
  var wrong = 1.0
  if balanced, let rows = RowShape(outer, classes, inner)?.rows, rows > 0 {
    var hits = 0
    let status = withWorkspace(layout: { $0.take(S.self, rows) }) { isRight in
      let status = rowLoss(TopLabelHit<S.Vector>(), logits, target, shape, .none, nil, isRight, nil)
      if status == .ok {
        for row in 0..<rows where isRight[row] == 1 { hits &+= 1 }
      }
      return status
    }
    guard status == .ok else { return status }
    let misses = rows &- hits
    if hits > 0, misses > 0 {
      // The engine's mean divides by the number of rows, this one by Σ w = 2 hits misses / rows.
      right = reduction == .mean ? Double(rows) / (2 * Double(hits)) : Double(misses) / Double(rows)
      wrong = reduction == .mean ? Double(rows) / (2 * Double(misses)) : Double(hits) / Double(rows)
    }
  }
  return rowLoss(
    CorrectnessAware<S.Vector>(right: S.Vector(right), wrong: S.Vector(wrong)), logits, target, shape, reduction, nil,
    loss, grad)
}

/// 1 where the first of the largest logits is the target's, else 0.
private struct TopLabelHit<V: Lanes>: SparseRowLoss {
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = tile.maximum()
    return V.select(tile.lowestClass(k, where: { e, k in e.x .== k.a }) .== k.target, V.one, V.zero)
  }
}

private struct CorrectnessAware<V: Lanes>: RowLoss {
  /// The weights of right and wrong rows.
  let right, wrong: V

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let largest = tile.maximum()
    k.a = largest
    let predicted = tile.lowestClass(k, where: { e, k in e.x .== k.a })
    let isRight = predicted .== k.target
    k.target = predicted
    k.a = V.shift(largest)
    let others = tile.sum(k, keep: keep) { e, k in V.select(e.classes .== k.target, V.zero, V.exp(e.x - k.a)) }
    let own = V.exp(largest - k.a)
    let sum = V.definedSum(own + others)
    let (confidence, complement) = (own / sum, others / sum)
    // conf − [m = y], without a difference where that is small.
    let error = V.select(isRight, -complement, confidence)
    let weighted = V.select(isRight, right, wrong) * error
    let slope = (weighted + weighted) * confidence * scale
    k.b = -slope / sum
    k.c = slope * complement
    return weighted * error
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(e.classes .== k.target, k.c, e.kept * k.b)
  }
}
