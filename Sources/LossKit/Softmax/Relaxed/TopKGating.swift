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
///   - renormalize: shall the k gates sum to 1? Default true.
///   - seed: of the noise, any 64 bits, default 0.
///   - gates: output, shaped as `z`; may be `z` itself.
///   - indices: optional output, k for each row, row after row: the chosen classes, from the largest h on.
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
  guard let z, let gates else { return .nullPointer }
  let count = shape.rows &* classes
  if hasNaN(z, count) { return .invalidValue }
  if let noiseLogits, hasNaN(noiseLogits, count) { return .invalidValue }
  guard let noiseLogits else {
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: nil, output: gates),
      TopKGating<S.Vector>(k: k, renormalize: renormalize, indices: indices))
    return .ok
  }
  return withWorkspace { arena in
    // In double: rounding would order scores that differ.
    (memory: RowsInDouble(&arena, shape, inputs: 2), scores: arena.take(Double.self, count))
  } _: { arrays in
    let scores = arrays.scores
    arrays.memory.map(NoisyScores(random: Philox(seed: seed)), z, noiseLogits, output: scores)
    forEachRowTile(
      shape, RowArrays(first: UnsafePointer(scores), second: UnsafePointer(scores), perClass: nil, output: scores),
      TopKGating<DoubleLanes>(k: k, renormalize: renormalize, indices: indices))
    narrow(scores, gates, step: 1, count)
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
///   - indices: k for each row, row after row: what `topkGating` returned.
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
  let split = Split(shape.rows, smallest: smallestPart(ofRows: shape.rows, bytes: classes &* 24, work: classes))
  return withWorkspace { arena in
    TopKGatingVjp(
      z: z, noiseLogits: noiseLogits, shape: shape, k: k, renormalize: renormalize, random: Philox(seed: seed),
      indices: indices, gates: gates, gradOutput: gradOutput, gradZ: gradZ,
      gradNoiseLogits: noiseLogits == nil ? nil : gradNoiseLogits, split: split,
      scratch: DoubleScratch(&arena, split.parts, 3, classes))
  } _: { job in
    parallel(split.parts, job)
    return .ok
  }
}

/// `h − max z`, which has the softmax of h: what is large in z would take the places of the noise.
private struct NoisyScores: DoubleRowFormula {
  let random: Philox
  static var usesSecond: Bool { true }

  @inline(__always)
  func run(_ z: UnsafeMutablePointer<Double>, _ noiseLogits: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    typealias V = DoubleLanes
    var highest = -V.infinity
    forEachVector(V.self, 0..<count) { c, n in highest = V.max(V.load(z + c, lanes: n, fill: -.infinity), highest) }
    let maximum = V.shift(V(highest.maximum))
    forEachVector(V.self, 0..<count) { c, n in
      let deviation = V.softplus(V.load(noiseLogits + c, lanes: n))
      let noise = random.normal(row &* count &+ c)
      V.fma(noise, deviation, V.load(z + c, lanes: n) - maximum).store(z + c, lanes: n)
    }
  }
}

private struct TopKGating<V: Lanes>: RowVisitor {
  let k: Int
  let renormalize: Bool
  let indices: UnsafeMutablePointer<Int64>?
  static var memory: KernelMemory { .candidates }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let top = tile.top(k)
    if let indices {
      for row in 0..<tile.count {
        let chosen = indices + (tile.firstRow &+ row) &* k
        for rank in 0..<k { chosen[rank] = Int64(rank) }  // for rows where infinite noise has made NaN
        tile.topClasses(k, row: row, top, chosen)
      }
    }
    var constants = RowConstants<V>(a: V.shift(top.maximum), b: top.threshold, target: top.lastTie)
    let sum = tile.sum(constants, keep: false) { e, k in
      renormalize ? V.select(TopSelection.contains(e, k.b, k.target), V.exp(e.x - k.a), V.zero) : V.exp(e.x - k.a)
    }
    constants.c = V.one / V.definedSum(sum)
    tile.map(constants) { e, k in
      // 0 · c is NaN where the row is not defined.
      V.select(TopSelection.contains(e, k.b, k.target), V.exp(e.x - k.a), V.zero) * k.c
    }
  }
}

private struct TopKGatingVjp<S: Scalar>: ParallelJob {
  let z: UnsafePointer<S>
  let noiseLogits: UnsafePointer<S>?
  let shape: RowShape
  let k: Int
  let renormalize: Bool
  let random: Philox
  let indices: UnsafePointer<Int64>
  let gates, gradOutput: UnsafePointer<S>
  let gradZ, gradNoiseLogits: UnsafeMutablePointer<S>?
  let split: Split
  let scratch: DoubleScratch

  @inline(__always) func run(part: Int) {
    typealias V = DoubleLanes
    let classes = shape.classes, inner = shape.inner
    let p = scratch.array(0, part: part), g = scratch.array(1, part: part), noise = scratch.array(2, part: part)
    let exponential = ScaledExponential<V>(temperature: 1)
    for row in split.range(part) {
      let start = row / inner &* classes &* inner &+ row % inner
      if let noiseLogits { widen(noiseLogits + start, step: inner, noise, classes) }
      widen((renormalize ? gates : z) + start, step: inner, p, classes)
      if !renormalize {
        if noiseLogits != nil { NoisyScores(random: random).run(p, noise, classes, row: row) }
        softmaxInDouble(p, classes, exponential)
      }
      g.update(repeating: 0, count: classes)
      for rank in 0..<k {
        let c = Int(indices[row &* k &+ rank])
        if p[c] != 0 { g[c] = gradOutput[start &+ c &* inner].double }
      }
      softmaxVjpInDouble(p, g, classes, scale: 1)
      if let gradNoiseLogits {
        forEachVector(V.self, 0..<classes) { c, n in
          let slope = random.normal(row &* classes &+ c) * V.sigmoid(V.load(noise + c, lanes: n))
          (V.load(p + c, lanes: n) * slope).store(noise + c, lanes: n)
        }
        narrow(noise, gradNoiseLogits + start, step: inner, classes)
      }
      if let gradZ { narrow(p, gradZ + start, step: inner, classes) }
    }
  }
}
