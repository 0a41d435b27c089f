/// Symmetric normalisation of a square matrix by its row sums.
///
///     D_i = Σ_j s_ij,   N_ij = s_ij / √(D_i D_j)
///
/// - Parameters:
///   - s: `[batch, m, m]`, with positive row sums.
///   - batch: ≥ 0.
///   - m: ≥ 1.
///   - normalized: output N, shaped as `s`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE where a row's sum is not positive, OUT_OF_MEMORY.
/// - Reference: Lu et al. 2021, SOFT: Softmax-free Transformer with Linear Complexity.
func symmetricNormalize<S: Scalar>(
  _ s: UnsafePointer<S>?, _ batch: Int, _ m: Int, _ normalized: UnsafeMutablePointer<S>?
) -> Status {
  guard isSquareBatch(batch, m) else { return .invalidShape }
  if batch == 0 { return .ok }
  guard let s, let normalized else { return .nullPointer }
  guard rowSumsArePositive(s, batch &* m, m) else { return .invalidValue }
  return SymmetricNormalization(m: m, s: s, grad: nil, output: normalized).run(batch: batch)
}

/// Vector-Jacobian product of symmetric_normalize.
///
///     H = g ⊙ N,   h_i = Σ_j (H_ij + H_ji),   grad_ij = g_ij / √(D_i D_j) − h_i / (2 D_i)
///
/// - Parameters:
///   - s: `[batch, m, m]`, what was given to `symmetric_normalize`.
///   - gradOutput: g, shaped as `s`: the incoming gradient.
///   - batch: ≥ 0.
///   - m: ≥ 1.
///   - grad: output, shaped as `s`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE where a row's sum is not positive, OUT_OF_MEMORY.
func symmetricNormalizeVjp<S: Scalar>(
  _ s: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ batch: Int, _ m: Int, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard isSquareBatch(batch, m) else { return .invalidShape }
  if batch == 0 { return .ok }
  guard let s, let gradOutput, let grad else { return .nullPointer }
  guard rowSumsArePositive(s, batch &* m, m) else { return .invalidValue }
  return SymmetricNormalization(m: m, s: s, grad: gradOutput, output: grad).run(batch: batch)
}

func isSquareBatch(_ batch: Int, _ m: Int) -> Bool {
  m >= 1 && PackedPoints.fits(m, m) && elementCount(batch, m, m) != nil
}

/// Is no row's sum ≤ 0? A NaN is no number to refuse: it passes into the results.
private func rowSumsArePositive<S: Scalar>(_ s: UnsafePointer<S>, _ rows: Int, _ columns: Int) -> Bool {
  for row in 0..<rows where rowSum(s + row &* columns, columns) <= 0 { return false }
  return true
}

private func rowSum<S: Scalar>(_ row: UnsafePointer<S>, _ count: Int) -> Double {
  var sum = DoubleLanes.zero
  forEachVector(DoubleLanes.self, 0..<count) { j, n in sum = sum + DoubleLanes.load(row + j, n) }
  return sum.sum
}

private struct SymmetricNormalization<S: Scalar>: BatchKernel {
  typealias V = DoubleLanes
  let m: Int
  let s: UnsafePointer<S>
  /// The incoming gradient; absent for the forward map.
  let grad: UnsafePointer<S>?
  let output: UnsafeMutablePointer<S>

  /// Row sums, and h.
  struct Memory {
    let sums, shares: UnsafeMutablePointer<Double>
    /// √(D_i D_j) for some j: exactly D_i where j = i.
    @inline(__always) func root(_ i: Int, _ j: Int, _ n: Int) -> V {
      (V(sums[i]) * V.load(sums + j, lanes: n, fill: 1)).squareRoot
    }
  }

  func memory(_ arena: inout Arena) -> Memory {
    Memory(sums: arena.take(Double.self, m), shares: arena.take(Double.self, m))
  }

  func run(_ item: Int, _ memory: Memory) {
    let start = item &* m &* m
    let s = s + start, output = output + start
    for i in 0..<m { memory.sums[i] = rowSum(s + i &* m, m) }
    guard let grad = grad.map({ $0 + start }) else {
      forEachElement { i, j, at, n in (V.load(s + at, n) / memory.root(i, j, n)).store(output + at, n) }
      return
    }
    // h: rows and columns of H are summed in the same pass.
    let shares = memory.shares
    for i in 0..<m { shares[i] = 0 }
    forEachElement { i, j, at, n in
      let h = V.load(grad + at, n) * (V.load(s + at, n) / memory.root(i, j, n))
      (V.load(shares + j, lanes: n) + h).store(shares + j, lanes: n)
      shares[i] += h.sum
    }
    for i in 0..<m { shares[i] = shares[i] / (2 * memory.sums[i]) }
    forEachElement { i, j, at, n in
      (V.load(grad + at, n) / memory.root(i, j, n) - V(shares[i])).store(output + at, n)
    }
  }

  @inline(__always) private func forEachElement(_ body: (Int, Int, Int, Int) -> Void) {
    for i in 0..<m {
      forEachVector(V.self, 0..<m) { j, n in body(i, j, i &* m &+ j, n) }
    }
  }
}
