/// Sparsemax: the Euclidean projection of each row onto the simplex.
///
///     p_i = max(z_i − τ, 0),   τ such that Σ_i p_i = 1
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. −inf has probability 0; a row with +inf, or of −inf alone, gives a row of
///     NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Martins and Astudillo 2016, From Softmax to Sparsemax.
func sparsemax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ p: UnsafeMutablePointer<S>?
) -> Status {
  mapToSimplex(EuclideanThreshold<S.Vector>(alpha: 2), z, (outer, classes, inner), p)
}

/// The threshold of sparsemax and how many classes are above it.
///
///     τ as in `sparsemax`,   k = #{i : z_i > τ}
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. A row with +inf, or of −inf alone, gives NaN and 0.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - tau: optional output, `[outer, inner]`.
///   - k: optional output, `[outer, inner]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE for NaN.
/// - Reference: Martins and Astudillo 2016, From Softmax to Sparsemax.
func sparsemaxSupport<S: Scalar>(
  _ z: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ tau: UnsafeMutablePointer<S>?,
  _ k: UnsafeMutablePointer<Int64>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z else { return .nullPointer }
  if hasNaN(z, shape.rows &* classes) { return .invalidValue }
  forEachRowTile(
    shape, RowArrays(first: z, second: z, perClass: nil, output: nil), SparsemaxSupport<S.Vector>(tau: tau, size: k))
  return .ok
}

/// Vector-Jacobian product of sparsemax.
///
///     S = {i : p_i > 0},   grad_z_i = [i ∈ S] (g_i − mean_S g)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `sparsemax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func sparsemaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  supportVjp(PositivePart<S.Vector>(), p, gradOutput, (outer, classes, inner), gradZ)
}

private typealias EuclideanThreshold<V: Lanes> = SimplexThreshold<V, FirstPower, FirstPower>

private struct PositivePart<V: Lanes>: SupportWeights {
  @inline(__always) func weight(_ p: V) -> V { V.select(p .<= V.zero, V.zero, V.one + p * V.zero) }
}

private struct SparsemaxSupport<V: Lanes>: RowVisitor {
  let tau: UnsafeMutablePointer<V.Element>?
  let size: UnsafeMutablePointer<Int64>?
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var (k, few) = EuclideanThreshold<V>(alpha: 2).solve(tile)
    report(few?.tile ?? tile, tile.rows, &k)
  }

  @inline(__always) private func report(_ few: RowTile<V>, _ rows: RowSlice, _ k: inout WideConstants<V>) {
    few.withSums(&k, { x, _, k in FirstPower.terms(EuclideanThreshold<V>.u(x, k), k.c) }) { half, sums, first in
      if let size {
        for row in 0..<Swift.max(0, Swift.min(DoubleLanes.count, rows.count &- first)) {
          size[rows.first &+ first &+ row] = Int64(sums.second[row])
        }
      }
      half.e = half.a - half.d
    }
    if let tau { k.narrowed { $0.e }.store(tau + rows.first, lanes: rows.count) }
  }
}
