/// Random numbers, uniform in (0, 1).
///
///     U(a, b) = ((⌊a/2^5⌋·2^26 + ⌊b/2^6⌋) + ½)·2^−53
///     x_i = U(w0, w1),   w0 … w3 = Philox4x32-10(counter (i + offset, stream), key seed)
///
/// The generator counts: element i depends on i + offset, seed and stream alone, not on how many are drawn, and not on the
/// number of threads. All is computed in double and rounded last, so that both precisions see the same stream.
///
/// - Parameters:
///   - count: how many, ≥ 0.
///   - seed: any 64 bits, default 0.
///   - offset: added to the index of each element, modulo 2^64, default 0.
///   - stream: number of the stream, default 0.
///   - output: output, `[count]`. In single precision the largest are rounded to 1.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3; the generator of torch on GPUs.
func philoxUniform<S: Scalar>(
  _ count: Int, _ seed: UInt64, _ offset: UInt64, _ stream: UInt64, _ output: UnsafeMutablePointer<S>?
) -> Status {
  draw(Uniform<S.Vector>(random: Philox(seed: seed, offset: offset, stream: stream)), count, output)
}

/// Random numbers of the standard normal distribution.
///
///     x_i = √(−2 ln U(w0, w1)) · cos(2π U(w2, w3))
///
/// with the words w0 … w3 and the function U of `philoxUniform`, computed in double and rounded last.
///
/// - Parameters:
///   - count: how many, ≥ 0.
///   - seed: any 64 bits, default 0.
///   - offset: added to the index of each element, modulo 2^64, default 0.
///   - stream: number of the stream, default 0.
///   - output: output, `[count]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Box and Muller 1958, A Note on the Generation of Random Normal Deviates.
func philoxNormal<S: Scalar>(
  _ count: Int, _ seed: UInt64, _ offset: UInt64, _ stream: UInt64, _ output: UnsafeMutablePointer<S>?
) -> Status {
  draw(Normal<S.Vector>(random: Philox(seed: seed, offset: offset, stream: stream)), count, output)
}

/// Random numbers of the standard Gumbel distribution: the index of the largest of `z_c + x_c` has the distribution
/// softmax(z).
///
///     x_i = −ln(−ln U(w0, w1))
///
/// with the words w0, w1 and the function U of `philoxUniform`, computed in double and rounded last.
///
/// - Parameters:
///   - count: how many, ≥ 0.
///   - seed: any 64 bits, default 0.
///   - offset: added to the index of each element, modulo 2^64, default 0.
///   - stream: number of the stream, default 0.
///   - output: output, `[count]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Gumbel 1954, Statistical Theory of Extreme Values and Some Practical Applications.
func philoxGumbel<S: Scalar>(
  _ count: Int, _ seed: UInt64, _ offset: UInt64, _ stream: UInt64, _ output: UnsafeMutablePointer<S>?
) -> Status {
  draw(Gumbel<S.Vector>(random: Philox(seed: seed, offset: offset, stream: stream)), count, output)
}

private protocol Draw {
  associatedtype V: Lanes
  func callAsFunction(_ first: Int) -> V
}

private struct Uniform<V: Lanes>: Draw {
  let random: Philox
  @inline(__always) func callAsFunction(_ i: Int) -> V { .drawn(i) { random.uniform($0) } }
}

private struct Normal<V: Lanes>: Draw {
  let random: Philox
  @inline(__always) func callAsFunction(_ i: Int) -> V { .drawn(i) { random.normal($0) } }
}

private struct Gumbel<V: Lanes>: Draw {
  let random: Philox
  @inline(__always) func callAsFunction(_ i: Int) -> V { .drawn(i) { random.gumbel($0) } }
}

@inline(__always)
private func draw<D: Draw>(_ numbers: D, _ count: Int, _ output: UnsafeMutablePointer<D.V.Element>?) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let output else { return .nullPointer }
  let split = Split(count, smallest: 1 << 12, multiple: D.V.count)
  parallel(split.parts, DrawJob(numbers: numbers, output: output, split: split))
  return .ok
}

private struct DrawJob<D: Draw>: ParallelJob {
  let numbers: D
  let output: UnsafeMutablePointer<D.V.Element>
  let split: Split

  @inline(__always) func run(part: Int) {
    forEachVector(D.V.self, split.range(part)) { i, n in numbers(i).store(output + i, lanes: n) }
  }
}
