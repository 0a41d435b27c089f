/// Multi-class perceptron loss: how far the target is below the best class.
///
///     L = max_k z_k − z_y
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`: 1 at the best class, of equal ones the lowest, and −1 at the target; 0
///     where they are the same.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Collins 2002, Discriminative Training Methods for Hidden Markov Models;
///   optax.losses.multiclass_perceptron_loss.
func multiclassPerceptronLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(MulticlassPerceptron<S.Vector>(), z, target, (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct MulticlassPerceptron<V: Lanes>: SparseRowLoss {
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let rival = tile.bestRival(k.target)
    let value = V.max(rival.logit - own, V.zero).undefined(where: rival.logit - own)
    if keep {
      let isBest = (rival.logit .< own) | ((rival.logit .== own) & (k.target .< rival.class))
      let slope = V.select(isBest, V.zero, scale).undefined(where: value)
      tile.writeTwoClassGradient(k.target, rival: rival.class, slope: slope)
    }
    return value
  }
}
