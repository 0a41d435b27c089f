/// How far logits may move along a direction before the Taylor series of their log-sum-exp stops converging.
///
///     ρ = π / Δ,   Δ = max_k a_k − min_k a_k;   for two classes with z:  ρ = √((z_1 − z_0)² + π²) / Δ
///
/// A step of length τ along the direction is safe while τ < ρ.
///
/// - Parameters:
///   - a: derivatives of the logits along a unit direction, `[outer, classes, inner]`. Equal ones give +inf, NaN gives NaN.
///   - z: optional, logits, shaped as `a`; used for two classes only, where the radius is exact with them.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - radius: output, one per row.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Ghosts of Softmax (convergence radii from complex singularities of the log-sum-exp).
func softmaxStepRadius<S: Scalar>(
  _ a: UnsafePointer<S>?, _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ radius: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let a, let radius else { return .nullPointer }
  let logits = classes == 2 ? z : nil
  forEachRowTile(
    shape, RowArrays(first: a, second: logits ?? a, perClass: nil, output: nil),
    StepRadius<S.Vector>(radius: radius, usesLogits: logits != nil))
  return .ok
}

private struct StepRadius<V: Lanes>: RowVisitor {
  let radius: UnsafeMutablePointer<V.Element>
  let usesLogits: Bool
  static var usesSecond: Bool { true }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let width = tile.maximum() + tile.maximum { -$0.x }
    let isNaN = tile.maximum { V.select($0.x.isNaN, V.one, V.zero) }
    let pi = V(Double.pi)
    var distance = pi
    if usesLogits {
      let none = RowConstants<V>()
      let difference = tile.sum(none, keep: false) { e, _ in V.select(e.classes .== V.Integers(0), -e.y, e.y) }.magnitude
      let larger = V.select(difference .> pi, difference, pi), ratio = V.select(difference .> pi, pi, difference) / larger
      let root = larger * V.fma(ratio, ratio, V.one).squareRoot
      distance = V.select(difference .== V.infinity, difference, root)
    }
    tile.rows.store(V.select(isNaN .> V.zero, V.nan, distance / width), radius)
  }
}
