/// What `oneVsRestSvmLoss` adds to the loss for its weights.
enum SVMRegularizer: Int32 {
  /// Nothing.
  case none = 0
  /// Their mean square.
  case mean = 1
  /// Half their squared norm, as in the soft margin SVM.
  case halfSum = 2
}

/// One-versus-rest support vector machine: a hinge loss of every class, and the weights' size.
///
///     L = penalty · (1/C) Σ_k max(0, 1 − s_k z_k)^p,   s_y = 1, others −1
///     result = reduced L + R,   R = mean w²  or  |w|² / 2
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - w: optional, `[weightCount]`: the weights that R is made of.
///   - weightCount: ≥ 0.
///   - power: p, default squared (L2-SVM).
///   - penalty: > 0, default 1.
///   - regularizer: R, default none. Others need `w` and a reduction to one value.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`. Derivatives at kinks are 0.
///   - gradW: optional output, `[weightCount]`: the gradient of R.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Tang 2013, Deep Learning using Linear Support Vector Machines; Agarap 2017, An Architecture Combining
///   Convolutional Neural Network and Support Vector Machine for Image Classification.
func oneVsRestSvmLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ w: UnsafePointer<S>?, _ weightCount: Int, _ power: HingePower, _ penalty: Double, _ regularizer: SVMRegularizer,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?, _ gradW: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(weightCount, 1) != nil else { return .invalidShape }
  guard isPositive(penalty), regularizer == .none || (w != nil && reduction != .none) else { return .invalidParameter }
  @inline(__always) func run<P: PowerOfHinge>(_: P.Type) -> Status where P.V == S.Vector {
    rowLoss(
      OneVersusRestHinge<P>(factor: S.Vector(penalty / Double(classes))), z, target, (outer, classes, inner),
      reduction, sampleWeight, loss, grad)
  }
  let status = power == .linear ? run(LinearHinge<S.Vector>.self) : run(SquaredHinge<S.Vector>.self)
  if status == .ok { addRegularizer(regularizer, w, weightCount, loss, gradW) }
  return status
}

private struct OneVersusRestHinge<P: PowerOfHinge>: RowLoss {
  typealias V = P.V
  /// penalty / C.
  let factor: V

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    let sum = tile.sum(k, keep: false) { e, k in P.value(hinge(e, e.classes .== k.target)) }
    let value = sum.undefined(where: own) * factor
    k.a = (scale * factor).undefined(where: value)
    return value
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let isOwn = e.classes .== k.target
    return P.slope(hinge(e, isOwn)) * V.select(isOwn, -k.a, k.a)
  }

  /// max(0, 1 − s_k z_k)
  @inline(__always) private func hinge(_ e: RowElements<V>, _ isOwn: V.Integers) -> V {
    let x = e.x.definedLogit
    return V.max(V.zero, V.one + V.select(isOwn, -x, x))
  }
}

/// Adds R to the loss, and writes its gradient: 2w / count, w, or 0.
private func addRegularizer<S: Scalar>(
  _ regularizer: SVMRegularizer, _ w: UnsafePointer<S>?, _ count: Int, _ loss: UnsafeMutablePointer<S>?,
  _ gradW: UnsafeMutablePointer<S>?
) {
  let slope = regularizer == .none || count == 0 ? 0 : regularizer == .mean ? 2 / Double(count) : 1
  var low = DoubleLanes.zero, high = DoubleLanes.zero
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = slope == 0 ? S.Vector.zero : S.Vector.load(w.unsafelyUnwrapped + i, lanes: n)
    let doubles = x.doubles
    low = DoubleLanes.fma(doubles.0, doubles.0, low)
    high = DoubleLanes.fma(doubles.1, doubles.1, high)
    if let gradW { (x * S.Vector(slope)).store(gradW + i, lanes: n) }
  }
  if slope != 0, let loss { loss.pointee = S(loss.pointee.double + slope / 2 * (low + high).sum) }
}
