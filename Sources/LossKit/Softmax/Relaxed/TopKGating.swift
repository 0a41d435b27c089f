/// Noisy top-k gating of a mixture of experts.
///
///     h = z + ε ⊙ softplus(noise_logits),   ε_{n,c} = element n·classes + c of philox_normal     (h = z without noise)
///     gates: softmax of h over the k largest (of equal ones the lower class first), 0 elsewhere
///
/// Without `renormalize` the softmax is over all classes: its k largest are kept as they are.
///
/// - Parameters:
///   - z: router logits, `[outer, classes, inner]`. −inf is a masked expert; a row with +inf, or of −inf alone, gives NaN.
///   - noiseLogits: optional, shaped as `z`.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS. Row n is (o, i) with n = o · inner + i.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: in 1 … classes, default 2.
///   - renormalize: default true.
///   - seed: of the noise, any 64 bits, default 0.
///   - gates: optional output, shaped as `z`; may be `z` itself.
///   - indices: optional output, k for each row, (outer, k, inner): the chosen classes, from the largest h on.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Shazeer et al. 2017, Outrageously Large Neural Networks; Nguyen et al. 2024, Statistical Perspective of
///   Top-K Sparse Softmax Gating Mixture of Experts.
func topkGating<S: Scalar>(
  _ z: UnsafePointer<S>?, _ noiseLogits: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Int,
  _ renormalize: Bool, _ seed: UInt64, _ gates: UnsafeMutablePointer<S>?, _ indices: UnsafeMutablePointer<Int64>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner), elementCount(shape.rows, k) != nil else { return .invalidShape }
  guard k >= 1, k <= classes else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z else { return .nullPointer }
  let count = shape.rows &* classes
  if hasNaN(z, count) { return .invalidValue }
  if let noiseLogits, hasNaN(noiseLogits, count) { return .invalidValue }
  let router = Router(z: z, noiseLogits: noiseLogits, shape: shape, random: Philox(seed: seed))
  return withWorkspace { arena in
    GatingJob(
      router: router, k: k, renormalize: renormalize, gates: gates, indices: indices,
      scratch: DoubleScratch(&arena, router.split.parts, 2, classes),
      chosen: arena.take(Int64.self, router.split.parts &* k))
  } _: { job in
    parallel(router.split.parts, job)
    return .ok
  }
}

/// Vector-Jacobian product of topk_gating: the selection is constant.
///
///     grad_z = p ⊙ (g − ⟨p, g⟩)                         p the gates
///     grad_z = P ⊙ (M ⊙ g − ⟨P, M ⊙ g⟩)               without `renormalize`: P = softmax(h), M = 1 at the indices
///     grad_noise_logits = grad_z ⊙ ε ⊙ σ(noise_logits)
///
/// - Parameters:
///   - z: `[outer, classes, inner]`, as given to `topkGating`.
///   - noiseLogits: optional, shaped as `z`, as given to `topkGating`.
///   - indices: k for each row, (outer, k, inner): what `topkGating` returned.
///   - gates: shaped as `z`, what `topkGating` returned.
///   - gradOutput: g, shaped as `z`: the incoming gradient. Not read where the gate is 0.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - k: as given to `topkGating`.
///   - renormalize: as given to `topkGating`.
///   - seed: as given to `topkGating`.
///   - gradZ: optional output, shaped as `z`; may be `gradOutput` itself.
///   - gradNoiseLogits: optional output, shaped as `z`: not written without noise.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET for an index out of range, OUT_OF_MEMORY.
func topkGatingVjp<S: Scalar>(
  _ z: UnsafePointer<S>?, _ noiseLogits: UnsafePointer<S>?, _ indices: UnsafePointer<Int64>?, _ gates: UnsafePointer<S>?,
  _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ k: Int, _ renormalize: Bool,
  _ seed: UInt64, _ gradZ: UnsafeMutablePointer<S>?, _ gradNoiseLogits: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner), let choices = elementCount(shape.rows, k) else {
    return .invalidShape
  }
  guard k >= 1, k <= classes else { return .invalidParameter }
  if shape.rows == 0 { return .ok }
  guard let z, let indices, let gates, let gradOutput else { return .nullPointer }
  for i in 0..<choices where indices[i] < 0 || indices[i] >= classes { return .invalidTarget }
  let router = Router(z: z, noiseLogits: noiseLogits, shape: shape, random: Philox(seed: seed))
  return withWorkspace { arena in
    GatingVjpJob(
      router: router, k: k, renormalize: renormalize, indices: indices, gates: gates, gradOutput: gradOutput,
      gradZ: gradZ, gradNoiseLogits: noiseLogits == nil ? nil : gradNoiseLogits,
      scratch: DoubleScratch(&arena, router.split.parts, 3, classes))
  } _: { job in
    parallel(router.split.parts, job)
    return .ok
  }
}

/// Where h comes from.
private struct Router<S: Scalar> {
  let z: UnsafePointer<S>
  let noiseLogits: UnsafePointer<S>?
  let shape: RowShape
  let random: Philox

  var split: Split {
    Split(shape.rows, smallest: smallestPart(ofRows: shape.rows, bytes: shape.classes &* 32, work: shape.classes))
  }

  /// Where a row begins, in an array with so many classes.
  @inline(__always) func start(_ row: Int, classes: Int) -> Int {
    row / shape.inner &* classes &* shape.inner &+ row % shape.inner
  }

  /// h, or, with noise, `h − max z`, which has the same softmax.
  @inline(__always)
  func scores(_ row: Int, _ h: UnsafeMutablePointer<Double>, _ noise: UnsafeMutablePointer<Double>) {
    typealias V = DoubleLanes
    let start = start(row, classes: shape.classes)
    widen(z + start, step: shape.inner, h, shape.classes)
    guard let noiseLogits else { return }
    widen(noiseLogits + start, step: shape.inner, noise, shape.classes)
    var highest = -V.infinity
    forEachVector(V.self, 0..<shape.classes) { c, n in
      highest = V.max(V.load(h + c, lanes: n, fill: -.infinity), highest)
    }
    let maximum = V.shift(V(highest.maximum))
    forEachVector(V.self, 0..<shape.classes) { c, n in
      let deviation = V.softplus(V.load(noise + c, lanes: n))
      let epsilon = random.normal(row &* shape.classes &+ c)
      V.fma(epsilon, deviation, V.load(h + c, lanes: n) - maximum).store(h + c, lanes: n)
    }
  }
}

private struct GatingJob<S: Scalar>: ParallelJob {
  let router: Router<S>
  let k: Int
  let renormalize: Bool
  let gates: UnsafeMutablePointer<S>?
  let indices: UnsafeMutablePointer<Int64>?
  let scratch: DoubleScratch
  let chosen: UnsafeMutablePointer<Int64>

  @inline(__always) func run(part: Int) {
    let classes = router.shape.classes, inner = router.shape.inner
    let h = scratch.array(0, part: part), p = scratch.array(1, part: part)
    let chosen = self.chosen + part &* k
    let exponential = ScaledExponential<DoubleLanes>(temperature: 1)
    var candidates = CandidateScratch()
    for row in router.split.range(part) {
      router.scores(row, h, p)
      choose(h, chosen, &candidates)
      if let indices {
        let start = router.start(row, classes: k)
        for rank in 0..<k { indices[start &+ rank &* inner] = chosen[rank] }
      }
      guard let gates else { continue }
      // The others have no weight, in the softmax or after it.
      p.update(repeating: renormalize ? -.infinity : 0, count: classes)
      if !renormalize {
        softmaxInDouble(h, classes, exponential)
        if h[0].isNaN { p.update(repeating: .nan, count: classes) }
      }
      for rank in 0..<k { p[Int(chosen[rank])] = h[Int(chosen[rank])] }
      if renormalize { softmaxInDouble(p, classes, exponential) }
      narrow(p, gates + router.start(row, classes: classes), step: inner, classes)
    }
  }

  /// The classes of the k largest; the first ones where NaN has come of infinite noise.
  @inline(never)
  private func choose(
    _ h: UnsafeMutablePointer<Double>, _ chosen: UnsafeMutablePointer<Int64>, _ candidates: inout CandidateScratch
  ) {
    for rank in 0..<k { chosen[rank] = Int64(rank) }
    if hasNaN(UnsafePointer(h), router.shape.classes) { return }
    let row = LongRows<DoubleLanes>(
      arrays: RowArrays(first: UnsafePointer(h), second: UnsafePointer(h), perClass: nil, output: nil),
      classes: router.shape.classes, firstRow: 0, count: 1)
    let maximum = row.maximum { $0.x }
    let top = candidates.withMemory(DoubleLanes.self) { row.top(k, maximum: maximum, $0) }
    row.topClasses(k, row: 0, top, chosen)
  }
}

private struct GatingVjpJob<S: Scalar>: ParallelJob {
  let router: Router<S>
  let k: Int
  let renormalize: Bool
  let indices: UnsafePointer<Int64>
  let gates, gradOutput: UnsafePointer<S>
  let gradZ, gradNoiseLogits: UnsafeMutablePointer<S>?
  let scratch: DoubleScratch

  @inline(__always) func run(part: Int) {
    typealias V = DoubleLanes
    let classes = router.shape.classes, inner = router.shape.inner
    let p = scratch.array(0, part: part), g = scratch.array(1, part: part), noise = scratch.array(2, part: part)
    let exponential = ScaledExponential<V>(temperature: 1)
    for row in router.split.range(part) {
      let start = router.start(row, classes: classes), first = router.start(row, classes: k)
      if renormalize {
        widen(gates + start, step: inner, p, classes)
      } else {
        router.scores(row, p, noise)
        softmaxInDouble(p, classes, exponential)
      }
      g.update(repeating: 0, count: classes)
      for rank in 0..<k {
        let c = Int(indices[first &+ rank &* inner])
        if p[c] != 0 { g[c] = gradOutput[start &+ c &* inner].double }
      }
      softmaxVjpInDouble(p, g, classes, scale: 1)
      if let gradNoiseLogits, let noiseLogits = router.noiseLogits {
        widen(noiseLogits + start, step: inner, noise, classes)
        forEachVector(V.self, 0..<classes) { c, n in
          let slope = router.random.normal(row &* classes &+ c) * V.sigmoid(V.load(noise + c, lanes: n))
          (V.load(p + c, lanes: n) * slope).store(noise + c, lanes: n)
        }
        narrow(noise, gradNoiseLogits + start, step: inner, classes)
      }
      if let gradZ { narrow(p, gradZ + start, step: inner, classes) }
    }
  }
}
