/// The Euclidean projection of each row onto the capped simplex, where no entry is above 1 and the sum is k.
///
///     p_i = min(max(z_i − τ, 0), 1),   τ such that Σ_i p_i = k
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf has weight 0; a row with +inf, or with fewer than k others than −inf,
///     gives a row of NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: 0 < k ≤ `classes`, any real number, default 2.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Blondel et al. 2020, Learning with Fenchel-Young Losses; entmax.budget_bisect.
func cappedSimplexProjection<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard k > 0, k <= Double(classes) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let p else { return .nullPointer }
  if hasNaN(z, shape.rows &* classes) { return .invalidValue }
  forEachRowTile(
    shape, RowArrays(first: z, second: z, perClass: nil, output: p),
    CappedSimplexProjection<S.Vector>(total: DoubleLanes(k)))
  return .ok
}

/// Vector-Jacobian product of capped_simplex_projection.
///
///     A = {i : 0 < p_i < 1},   grad_z_i = [i ∈ A] (g_i − mean_A g)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `capped_simplex_projection` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func cappedSimplexProjectionVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  supportVjp(Interior<S.Vector>(), p, gradOutput, (outer, classes, inner), gradZ)
}

private struct Interior<V: Lanes>: SupportWeights {
  @inline(__always) func weight(_ p: V) -> V {
    V.select((p .<= V.zero) | (V.one .<= p), V.zero, V.one + p * V.zero)
  }
}

/// k.a is the maximum, k.d = τ − k.a; then k.b … k.c has the root: sums are at least the total at k.b, at most at k.c.
private struct CappedSimplexProjection<V: Lanes>: RowKernel {
  let total: DoubleLanes
  static var usesSecond: Bool { false }
  var empty: Void { () }

  @inline(__always) private func clipped(_ z: DoubleLanes, _ k: WideRow) -> DoubleLanes {
    DoubleLanes.max(DoubleLanes.zero, DoubleLanes.min(DoubleLanes.one, (z - k.a) - k.d))
  }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    var k = WideConstants<V>()
    k.forEachHalf(tile.maximum()) { half, m in half.a = m }
    k.forEachHalf(-tile.maximum { e in V.select(e.x .== -V.infinity, e.x, -e.x) }) { half, least in
      half.b = (least - half.a) - DoubleLanes(2)
      half.d = half.b
      half.e = DoubleLanes.infinity
    }
    // The sum is linear in τ between the logits and the logits less one. Newton's steps, which find the root of a
    // piece at once, take turns with halvings where they do not get on.
    for _ in 0..<2000 {
      var isDone = true
      tile.withSums(&k, { z, _, k in
        let p = clipped(z, k)
        let isInside = (DoubleLanes.zero .< p) & (p .< DoubleLanes.one)
        return (p, DoubleLanes.select(isInside, DoubleLanes.one, DoubleLanes.zero))
      }) { half, sums, first in
        let excess = sums.first - total
        // Fewer than k finite scores, as is seen in the first pass, where all are at 1.
        let isImpossible = (excess .< DoubleLanes.zero) & (half.e .== DoubleLanes.infinity)
        half.b = DoubleLanes.select(DoubleLanes.zero .<= excess, half.d, half.b)
        half.c = DoubleLanes.select(excess .<= DoubleLanes.zero, half.d, half.c)
        let width = half.c - half.b
        let newton = half.d + excess / sums.second
        let tolerance = DoubleLanes(0x1p-51) * half.d.magnitude
        let isRoot = (excess .== DoubleLanes.zero) | ((newton - half.d).magnitude .<= tolerance) | ~(excess .== excess)
        let isUseful = (half.b .<= newton) & (newton .<= half.c) & (width .<= DoubleLanes(0.5) * half.e)
        let step = DoubleLanes.select(isUseful, newton, half.b + DoubleLanes(0.5) * width)
        half.e = width
        let next = DoubleLanes.select(isRoot, DoubleLanes.select(sums.second .== DoubleLanes.zero, half.d, newton), step)
        let stays = isRoot | (next .== half.d)
        half.d = DoubleLanes.select(isImpossible, DoubleLanes.nan, next)
        let lanes = Swift.max(0, Swift.min(DoubleLanes.count, tile.count &- first))
        if (~(stays | isImpossible) & DoubleLanes.Integers.first(lanes)).any { isDone = false }
      }
      if isDone { break }
    }
    tile.wideMap(k) { z, _, k in clipped(z, k) }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}
