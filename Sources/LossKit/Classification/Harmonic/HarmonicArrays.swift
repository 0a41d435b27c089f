/// The arrays of a harmonic kernel, and its way from rows to outputs.
struct HarmonicArrays<S: Scalar> {
  typealias V = DoubleLanes
  /// `[count, dimensions]` and `[classes, dimensions]`
  let x, w: UnsafePointer<S>?
  let count, dimensions, classes: Int
  var gradX: UnsafeMutablePointer<S>?
  var gradW: UnsafeMutablePointer<S>?
  var gradPrecision: UnsafeMutablePointer<S>?

  /// What is wrong with sizes, parameters or pointers, if anything is.
  func problem(_ model: HarmonicModel<S>) -> Status? {
    guard classes > 0, dimensions > 0, PackedPoints.fits(count, dimensions), PackedPoints.fits(classes, dimensions),
      PackedPoints.fits(count, classes), PackedPoints.fits(dimensions, dimensions)
    else { return .invalidShape }
    if model.distance == .chebyshevSoft && dimensions == 1 { return .invalidShape }
    guard model.isValid else { return .invalidParameter }
    return w == nil || (x == nil && count > 0) ? .nullPointer : nil
  }

  /// Takes the distances, hands them to what uses them, and writes gradients.
  ///
  /// - Parameter finish: gets the losses of the rows, in double.
  func run(
    _ model: HarmonicModel<S>, _ use: HarmonicRows<S>.Use, _ finish: (UnsafeMutablePointer<Double>) -> Void
  ) -> Status {
    let wantsPrecision = gradPrecision != nil && model.usesPrecision
    return withWorkspace { arena in
      (
        pairs: PointPairs(
          &arena, count, classes, dimensions, stride: model.stride(dimensions),
          firstGradient: gradX != nil || wantsPrecision, secondGradient: gradW != nil || wantsPrecision),
        matrix: arena.take(Double.self, model.usesPrecision ? dimensions &* dimensions : 0),
        losses: arena.take(Double.self, count)
      )
    } _: { scratch in
      let pairs = scratch.pairs
      let map = model.map(scratch.matrix, dimensions)
      if let x { pairs.first.read(x) }
      if let w { pairs.second.read(w) }
      map.apply(pairs.first)
      map.apply(pairs.second)
      model.run(pairs, HarmonicRows(model: model, use: use, losses: scratch.losses))
      finish(scratch.losses)
      if let gradPrecision { writePrecisionGradient(wantsPrecision ? pairs : nil, model, gradPrecision) }
      if let gradient = pairs.firstGradient, let gradX {
        map.pullBack(gradient, pairs.first)
        gradient.write(gradX)
      }
      if let gradient = pairs.secondGradient, let gradW {
        map.pullBack(gradient, pairs.second)
        gradient.write(gradW)
      }
      return .ok
    }
  }

  /// ½ Σ c d dᵀ, or its diagonal, over all pairs, with c = dL/dδ / √(q + eps): with u = Σ_v c d for each feature and
  /// t = −Σ c d for each centre it is ½ (Σ x uᵀ + Σ w tᵀ).
  private func writePrecisionGradient(
    _ pairs: PointPairs?, _ model: HarmonicModel<S>, _ grad: UnsafeMutablePointer<S>
  ) {
    let columns = model.precisionIsMatrix ? dimensions : 1
    var scratch = VectorTile<V>()
    scratch.withPointer { sums in
      for i in 0..<dimensions {
        forEachVector(V.self, 0..<columns) { j, n in
          for column in 0..<n { sums[column] = V.zero }
          if let pairs, let u = pairs.firstGradient, let t = pairs.secondGradient {
            let first = model.precisionIsMatrix ? j : i
            addProducts(pairs.first, i, u, first, n, sums)
            addProducts(pairs.second, i, t, first, n, sums)
          }
          for column in 0..<n { grad[i &* columns &+ j &+ column] = S(sums[column].sum / 2) }
        }
      }
    }
  }

  /// Adds the products of coordinate i of the points with `count` coordinates of their gradients.
  private func addProducts(
    _ points: PackedPoints, _ i: Int, _ gradients: PackedPoints, _ first: Int, _ count: Int,
    _ sums: UnsafeMutablePointer<V>
  ) {
    for block in 0..<points.blocks {
      let x = points.block(block)[i], u = gradients.block(block) + first
      for column in 0..<count { sums[column] = V.fma(x, u[column], sums[column]) }
    }
  }
}
