/// The vertices of a regular simplex around the origin: as many points as classes, all equally far from one another.
///
///     ‖v_c‖ = radius,   cos(v_c, v_c′) = −1 / (C − 1)
///     v_jj = radius · √(C (C − 1 − j) / ((C − 1)(C − j))),   v_ij = −v_jj / (C − 1 − j) for i > j,   0 for i < j
///
/// - Parameters:
///   - classes: C ≥ 2.
///   - dimensions: ≥ C − 1, which they need; coordinates behind these are 0.
///   - radius: > 0, finite, default 1.
///   - vertices: output, `[classes, dimensions]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Pernici et al. 2021, Regular Polytope Networks.
func simplexVertices<S: Scalar>(
  _ classes: Int, _ dimensions: Int, _ radius: Double, _ vertices: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 2, dimensions >= classes &- 1, let size = elementCount(classes, dimensions) else {
    return .invalidShape
  }
  guard isPositive(radius) else { return .invalidParameter }
  guard let vertices else { return .nullPointer }
  vertices.update(repeating: 0, count: size)
  let n = Double(classes)
  for j in 0..<classes &- 1 {
    let rest = n - 1 - Double(j)
    let height = radius * (n * rest / ((n - 1) * (rest + 1))).squareRoot()
    vertices[j &* dimensions &+ j] = S(height)
    for i in j &+ 1..<classes { vertices[i &* dimensions &+ j] = S(-height / rest) }
  }
  return .ok
}

/// Minus the distance to the nearest vertex: low where the input is like none of the classes.
///
///     score = −min_c √max(‖x − v_c‖², 1e-24),      dscore/dx = −(x − v_ĉ) / ‖x − v_ĉ‖     (0 at the vertex)
///
/// - Parameters:
///   - x: features, `[count, dimensions]`. A row with NaN gives NaN.
///   - vertices: v, one for each class, `[classes, dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - score: output, one per row.
///   - grad: optional output, shaped as `x`: of each row's score with respect to its features; the first of equally near
///     vertices gets it.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: UCDSC, open-set recognition with a deep simplex classifier; reconstructed from its abstract.
func simplexOpenSetScore<S: Scalar>(
  _ x: UnsafePointer<S>?, _ vertices: UnsafePointer<S>?, _ count: Int, _ dimensions: Int, _ classes: Int,
  _ score: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard dimensions >= 1, classes >= 1, elementCount(count, dimensions) != nil, elementCount(count, classes) != nil,
    elementCount(classes, dimensions) != nil
  else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let vertices, let score else { return .nullPointer }
  return withWorkspace {
    VertexDistances<S>(&$0, x, count, dimensions, classes, score, grad)
  } _: { (job: inout VertexDistances<S>) in
    widen(vertices, step: 1, job.vertices, classes &* dimensions)
    parallel(job.split.parts, job)
    return .ok
  }
}

private struct VertexDistances<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let dimensions, classes: Int
  let score: UnsafeMutablePointer<S>
  let grad: UnsafeMutablePointer<S>?
  let vertices: UnsafeMutablePointer<Double>
  let split: Split
  private let rows: DoubleScratch

  init(
    _ arena: inout Arena, _ x: UnsafePointer<S>, _ count: Int, _ dimensions: Int, _ classes: Int,
    _ score: UnsafeMutablePointer<S>, _ grad: UnsafeMutablePointer<S>?
  ) {
    self.x = x
    self.dimensions = dimensions
    self.classes = classes
    self.score = score
    self.grad = grad
    vertices = arena.take(Double.self, classes &* dimensions)
    split = Split(count, smallest: smallestPart(ofRows: count, bytes: 8 &* dimensions, work: classes &* dimensions))
    rows = DoubleScratch(&arena, split.parts, 1, dimensions)
  }

  @inline(__always) func run(part: Int) {
    let row = rows.array(0, part: part)
    for i in split.range(part) {
      widen(x + i &* dimensions, step: 1, row, dimensions)
      let nearest = nearestPoint(row, vertices, classes, dimensions)
      let isAtVertex = nearest.square <= 1e-24
      let distance = isAtVertex ? 1e-12 : nearest.square.squareRoot()
      score[i] = S(-distance)
      guard let grad else { continue }
      addScaled(-1, vertices + nearest.index &* dimensions, to: row, dimensions)
      for d in 0..<dimensions { row[d] = isAtVertex ? 0 : -row[d] / distance }
      narrow(row, grad + i &* dimensions, step: 1, dimensions)
    }
  }
}
