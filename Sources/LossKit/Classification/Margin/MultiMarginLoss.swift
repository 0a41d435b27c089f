/// Multi-class hinge loss of Weston and Watkins: every other class should stay a margin below the target.
///
///     L = (w_y / C) Σ_{k≠y} max(0, margin − z_y + z_k)^p
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - weight: optional, `[classes]`, ≥ 0: class weights, default 1. Not part of the mean's denominator.
///   - power: p, default linear.
///   - margin: default 1; finite.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`. Derivatives at kinks are 0.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.multi_margin_loss; Weston and Watkins 1999, Support Vector Machines for Multi-Class
///   Pattern Recognition.
func multiMarginLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ weight: UnsafePointer<S>?, _ power: HingePower, _ margin: Double, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard margin.magnitude < .infinity else { return .invalidParameter }
  @inline(__always) func run<P: PowerOfHinge>(_: P.Type) -> Status where P.V == S.Vector {
    rowLoss(
      MultiMargin<P>(margin: SplitParameter(margin), inverseCount: S.Vector(1 / Double(classes))), z, target,
      (outer, classes, inner), classFactor: weight, reduction, sampleWeight, loss, grad)
  }
  return power == .linear ? run(LinearHinge<S.Vector>.self) : run(SquaredHinge<S.Vector>.self)
}

private struct MultiMargin<P: PowerOfHinge>: RowLoss {
  typealias V = P.V
  let margin: SplitParameter<V>
  /// 1 / C.
  let inverseCount: V

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    k.a = own
    let sum = tile.sum(
      k, keep: keep,
      terms: { e, k in
        let isOther = ~(e.classes .== k.target)
        let h = hinge(e.x, k.a)
        return (V.select(isOther, P.value(h), V.zero), V.select(isOther, P.slope(h), V.zero))
      })
    let value = sum.undefined(where: own) * inverseCount
    if keep {
      k.a = (scale * inverseCount).undefined(where: value)
      k.b = -scaled(tile.sum(k, keep: false) { e, _ in e.kept }, k.a)
    }
    return value
  }

  /// max(0, margin + (x − own)), of which the difference may cancel; 0 for a masked class.
  @inline(__always) private func hinge(_ x: V, _ own: V) -> V {
    let difference = V.exactSum(x, -own)
    let u = (difference.sum + margin.high) + (difference.error + margin.low)
    return V.select(x .< V.infinity, V.max(u, V.zero), V.nan)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(e.classes .== k.target, k.b, scaled(e.kept, k.a))
  }

  /// A row of weight 0 does not count, also where its slopes are infinite.
  @inline(__always) private func scaled(_ slope: V, _ scale: V) -> V {
    V.select(scale .== V.zero, V.zero, slope * scale)
  }
}
