// What the vector-Jacobian products of sparse maps share: Jacobians diag(s) − s sᵀ / Σ s of the support.

/// Products `s ⊙ (g − ⟨s, g⟩ / Σ s)` with weights s that are a function of the map's output p, 0 outside its support.
protocol SupportWeights {
  associatedtype V: Lanes
  func weight(_ p: V) -> V
  /// What ⟨s, g⟩ is divided by, from Σ s.
  func divisor(_ sum: V) -> V
}

extension SupportWeights {
  @inline(__always) func divisor(_ sum: V) -> V { sum }
}

/// The product with the checks that every exported one makes.
@inline(__always)
func supportVjp<W: SupportWeights>(
  _ weights: W, _ p: UnsafePointer<W.V.Element>?, _ gradOutput: UnsafePointer<W.V.Element>?,
  _ shape: (outer: Int, classes: Int, inner: Int), _ gradZ: UnsafeMutablePointer<W.V.Element>?
) -> Status {
  guard let rows = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if rows.rows == 0 { return .ok }
  guard let p, let gradOutput, let gradZ else { return .nullPointer }
  forEachRowTile(
    rows, RowArrays(first: p, second: gradOutput, perClass: nil, output: gradZ), SupportVjpKernel(weights: weights))
  return .ok
}

private struct SupportVjpKernel<W: SupportWeights>: RowVisitor {
  typealias V = W.V
  let weights: W
  static var usesSecond: Bool { true }
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let few = tile.support()
    multiply(few?.tile ?? tile)
    if let few { tile.put(few, background: V.zero) }
  }

  @inline(__always) private func multiply(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    let sum = tile.sum(k, keep: false) { e, _ in weights.weight(e.x) }
    let product = tile.sum(k, keep: false) { e, _ in
      let s = weights.weight(e.x)
      return V.select(s .== V.zero, V.zero, s * e.y)
    }
    k.a = V.select(sum .== V.zero, V.zero, product / weights.divisor(sum))
    tile.map(k) { e, k in
      let s = weights.weight(e.x)
      return V.select(s .== V.zero, V.zero, s * (e.y - k.a))
    }
  }
}
