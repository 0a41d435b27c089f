/// The rectangle of an image that boxes are clipped to; without a size, the plane.
struct ImageLimits<S: Scalar> {
  typealias V = S.Vector
  private let lowest, right, bottom: S

  /// - Parameter hasSize: if false, the sizes are not read.
  init(_ hasSize: Bool = true, height: Double, width: Double) {
    lowest = hasSize ? 0 : -S.infinity
    right = hasSize ? S(width) : S.infinity
    bottom = hasSize ? S(height) : S.infinity
  }

  @inline(__always)
  func clip(_ box: Quads<V>) -> Quads<V> { Quads(clipX(box.a), clipY(box.b), clipX(box.c), clipY(box.d)) }

  // The bound stands first: where x is NaN, max and min give x.
  @inline(__always) private func clipX(_ x: V) -> V { V.min(V(right), V.max(V(lowest), x)) }
  @inline(__always) private func clipY(_ y: V) -> V { V.min(V(bottom), V.max(V(lowest), y)) }
  @inline(__always) func isOutsideX(_ x: V) -> V.Integers { (x .< V(lowest)) | (V(right) .< x) }
  @inline(__always) func isOutsideY(_ y: V) -> V.Integers { (y .< V(lowest)) | (V(bottom) .< y) }
}
