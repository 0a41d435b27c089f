/// Rescaled square loss on raw outputs: the square loss to a one-hot target, with the target class scaled.
///
///     L = (k (z_y − M)² + Σ_{j≠y} z_j²)/C
///
/// - Parameters:
///   - z: outputs, `[outer, classes, inner]`. −inf is a masked class, which adds nothing.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: weight of the target class, default 1.
///   - m: M: what the target's output should be, default 1. With many classes, k = 15 and M = 30 are used.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Hui and Belkin 2021, Evaluation of Neural Architectures Trained with Square Loss vs Cross-Entropy in
///   Classification Tasks.
func rescaledSquareLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Double,
  _ m: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard k.isFinite, m.isFinite else { return .invalidParameter }
  return rowLoss(
    RescaledSquare<S.Vector>(weight: S.Vector(k), aim: S.Vector(m), inverse: S.Vector(1 / Double(classes))), z, target,
    (outer, classes, inner), reduction, sampleWeight, loss, grad)
}

private struct RescaledSquare<V: Lanes>: RowLoss {
  let weight, aim: V
  /// 1/C
  let inverse: V
  static var derivesTargetApart: Bool { true }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let squares = tile.sum(k, keep: false) { e, k in
      V.select(e.classes .== k.target, V.zero, V.squareUnlessMasked(e.x))
    }
    let x = tile.inputs(at: k.target)
    let value = inverse * V.fma(weight * (x - aim), x - aim, squares)
    // A row with NaN or +inf has no derivative anywhere.
    let isDefined = (squares .== squares) & (x .< V.infinity)
    let twice = V.select(isDefined, (scale + scale) * inverse, V.nan)
    k.a = twice
    k.atTarget = twice * weight * (x - aim)
    return V.select(isDefined, value, V.nan)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { k.a * V.zeroIfMasked(e.x) }
}

extension Lanes {
  /// x, but 0 for −inf, which marks a masked class.
  @inline(__always) static func zeroIfMasked(_ x: Self) -> Self { select(x .== -infinity, zero, x) }

  /// x², but 0 for −inf, and NaN for +inf, which no output may be.
  @inline(__always) static func squareUnlessMasked(_ x: Self) -> Self {
    let x = zeroIfMasked(x)
    return select(x .== infinity, nan, x * x)
  }
}
