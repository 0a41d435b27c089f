/// Multi-class hinge loss of Crammer and Singer: the best other class should stay a margin below the target.
///
///     L = max(0, margin + max_{k≠y} z_k − z_y)^p
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 2.
///   - inner: ≥ 0.
///   - margin: default 1; finite.
///   - power: p, default linear.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`. Derivatives at kinks are 0; of equal classes the lowest one counts.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Crammer and Singer 2001, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines.
func crammerSingerLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ margin: Double, _ power: HingePower, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard margin.magnitude < .infinity else { return .invalidParameter }
  @inline(__always) func run<P: PowerOfHinge>(_: P.Type) -> Status where P.V == S.Vector {
    rowLoss(
      CrammerSinger<P>(margin: SplitParameter(margin)), z, target, (outer, classes, inner), smallestClassCount: 2,
      reduction, sampleWeight, loss, grad)
  }
  return power == .linear ? run(LinearHinge<S.Vector>.self) : run(SquaredHinge<S.Vector>.self)
}

private struct CrammerSinger<P: PowerOfHinge>: SparseRowLoss {
  typealias V = P.V
  let margin: SplitParameter<V>

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let rival = tile.bestRival(k.target)
    let difference = V.exactSum(rival.logit, -own)
    let h = V.max(V.zero, (difference.sum + margin.high) + (difference.error + margin.low))
    let value = P.value(h)
    if keep {
      let slope = (P.slope(h) * scale).undefined(where: value)
      tile.writeTwoClassGradient(k.target, rival: rival.class, slope: slope)
    }
    return value
  }
}
