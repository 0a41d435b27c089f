/// Softmax over the elements of each row that a mask lets take part; the others are 0, whatever they hold.
///
///     p_i = [mask_i] e^{(z_i − m)/T} / Σ_j [mask_j] e^{(z_j − m)/T},   m = max {z_j : mask_j}
///
/// - Parameters:
///   - z: logits, `[outer, classes, inner]`. A row in which nothing takes part, or only −inf, gives zeros; a NaN or +inf
///     that takes part makes those that take part NaN.
///   - mask: 0 where an element does not take part: one per class, or one per element if `maskPerElement`.
///   - maskPerElement: is there a mask for each element, in the order of `z`?
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, default 1.
///   - p: output, shaped as `z`; may be `z` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY (one number per class, for a mask of classes).
func maskedSoftmax<S: Scalar>(
  _ z: UnsafePointer<S>?, _ mask: UnsafePointer<UInt8>?, _ maskPerElement: Bool, _ outer: Int, _ classes: Int,
  _ inner: Int, _ temperature: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard isPositive(temperature) else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let mask, let p else { return .nullPointer }
  if maskPerElement {
    mapRows(SoftmaxMap<ElementMask<S.Vector>>(temperature: temperature), shape, z, mask: mask, output: p)
    return .ok
  }
  return withWorkspace(layout: { $0.take(S.self, classes) }) { perClass in
    for c in 0..<classes { perClass[c] = mask[c] == 0 ? 0 : 1 }
    mapRows(
      SoftmaxMap<ClassMask<S.Vector>>(temperature: temperature), shape, z, perClass: UnsafePointer(perClass), output: p)
    return .ok
  }
}

/// Vector-Jacobian product of masked_softmax.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩) / T     (0 where p = 0, whatever g holds there)
///
/// - Parameters:
///   - p: `[outer, classes, inner]`, what `maskedSoftmax` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - temperature: T > 0, as given to `maskedSoftmax`.
///   - gradZ: output, shaped as `p`; may be `gradOutput` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func maskedSoftmaxVjp<S: Scalar>(
  _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ temperature: Double, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(temperature) else { return .invalidParameter }
  return mapRows(
    MaskedSoftmaxVjp(all: SoftmaxVjpMap(scale: S.Vector.inverse(temperature))), (outer, classes, inner), p, gradOutput,
    output: gradZ)
}

private struct ElementMask<V: Lanes>: SoftmaxScore {
  static var isMasked: Bool { true }
  @inline(__always) static func takesPart(_ e: RowElements<V>) -> V.Integers { e.mask }
}

private struct ClassMask<V: Lanes>: SoftmaxScore {
  static var isMasked: Bool { true }
  @inline(__always) static func takesPart(_ e: RowElements<V>) -> V.Integers { e.perClass .!= V.zero }
}

private struct MaskedSoftmaxVjp<V: Lanes>: RowMap {
  let all: SoftmaxVjpMap<V>
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _ m: V) -> V { V.select(e.x .== V.zero, V.zero, all.term(e, m)) }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V {
    V.select(e.x .== V.zero, V.zero, all.output(e, k))
  }
}
