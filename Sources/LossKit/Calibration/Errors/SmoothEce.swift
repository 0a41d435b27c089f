/// Smooth calibration error: the residuals corr − conf, smoothed by a reflected Gaussian of a width that suits them.
///
/// For a width σ, all on a grid of G = ⌊max(2000, round(20/σ))/2⌋ + 1 points of [0, 1] (round: half to even):
///
///     V      the residuals (or ones), each shared between the two points beside its confidence
///     ext    V, reflected at both ends: V[G−1 … 1], V[0 … G−1], V[G−2 … 0]
///     K[m]   exp(−(m/(G−1) − ½)² / 2σ²) / (√(2π) σ)
///     sm[n]  Σ_m K[m] · ext[⌊G/2⌋ + n + G − 1 − m]
///     dens = sm of ones + 10⁻⁴,  ρ = (sm of residuals) / dens,  at T = max(round(10/σ), 200) points by interpolation
///     E(σ) = Σ |ρ| dens / Σ dens
///
/// The width is the least σ ≥ E(σ) that `refine` bisections of [0, 1] find; 1, if there E(1) ≥ 1.
///
/// - Parameters:
///   - conf: `[count]`, the confidence of each prediction, in [0, 1].
///   - correct: `[count]`, 1 where the prediction was right, else 0.
///   - count: N ≥ 0; with N = 0 both outputs are NaN.
///   - sigma: σ > 0 if it is fixed; NaN for the one that suits the data, which is usual.
///   - eps: widths below are taken as too small; 0.001 is usual.
///   - refine: number of bisections, 0 to 1000; 10 is usual.
///   - value: optional output, E(σ).
///   - sigmaUsed: optional output, σ.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE if a confidence is NaN or outside [0, 1],
///   INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Błasiok and Nakkiran, Smooth ECE: Principled Reliability Diagrams via Kernel Smoothing, 2023.
func smoothEce<S: Scalar>(
  _ conf: UnsafePointer<S>?, _ correct: UnsafePointer<Int64>?, _ count: Int, _ sigma: Double, _ eps: Double,
  _ refine: Int, _ value: UnsafeMutablePointer<S>?, _ sigmaUsed: UnsafeMutablePointer<S>?
) -> Status {
  if let fault = faultOf(conf, correct, count, 0) { return fault }
  guard sigma.isNaN || isPositive(sigma), !eps.isNaN, refine >= 0, refine <= 1000 else { return .invalidParameter }
  guard count > 0, let conf, let correct else {
    setUndefined(value, sigmaUsed)
    return .ok
  }
  let faults = ConfidenceRows(conf, correct, count, classes: 0, isTopLabel: false).forEachTile(0..<count) { _, _ in }
  guard faults.status == .ok else { return faults.status }
  var error = 0.0
  var width = sigma
  var status = Status.ok
  /// E(σ); the status says whether there was the memory for it.
  func evaluate(_ sigma: Double) -> Double {
    guard let smoothing = Smoothing(sigma) else {
      status = .outOfMemory
      return 0
    }
    var result = 0.0
    let found = smoothing.error(conf, correct, count, &result)
    if found != .ok { status = found }
    return result
  }
  if sigma.isNaN {
    width = 1
    error = evaluate(1)
    if !(1 < eps || 1 < error) {
      var low = 0.0
      for _ in 0..<refine {
        let middle = (width + low) / 2
        let there = middle < eps ? 0 : evaluate(middle)
        if middle < eps || middle < there {
          low = middle
        } else {
          width = middle
          error = there
        }
      }
    }
  } else {
    error = evaluate(sigma)
  }
  guard status == .ok else { return status }
  value?.pointee = S(error)
  sigmaUsed?.pointee = S(width)
  return .ok
}

/// The sizes that go with a width.
private struct Smoothing {
  let sigma: Double
  /// G and T.
  let gridCount, readCount: Int
  /// The part of the kernel that is not beyond 12 σ.
  let kernel: Range<Int>

  init?(_ sigma: Double) {
    guard 20 / sigma < Double(1 << 40) else { return nil }
    self.sigma = sigma
    gridCount = Int(max(2000, nearestInteger(20 / sigma))) / 2 + 1
    readCount = Int(max(nearestInteger(10 / sigma), 200))
    let reach = min(12 * sigma, 1) * Double(gridCount - 1)
    let middle = Double(gridCount - 1) / 2
    kernel = Int(max(0, middle - reach))..<Int(min(Double(gridCount), middle + reach + 2))
  }

  /// Sets `result` to E(σ).
  func error<S: Scalar>(
    _ conf: UnsafePointer<S>, _ correct: UnsafePointer<Int64>, _ count: Int, _ result: inout Double
  ) -> Status {
    withWorkspace(layout: {
      (
        kernel: $0.take(Double.self, kernel.count), ones: ReflectedGrid(&$0, gridCount),
        residuals: ReflectedGrid(&$0, gridCount)
      )
    }) { memory in
      setKernel(memory.kernel)
      memory.ones.clear()
      memory.residuals.clear()
      for i in 0..<count {
        let position = conf[i].double * Double(gridCount - 1)
        let below = min(Int(position), gridCount - 2)
        memory.ones.add(1, below, position - Double(below))
        memory.residuals.add(Double(correct[i]) - conf[i].double, below, position - Double(below))
      }
      memory.ones.smooth(memory.kernel, kernel)
      memory.residuals.smooth(memory.kernel, kernel)
      var above = 0.0
      var below = 0.0
      for j in 0..<readCount {
        let t = Double(j) / Double(readCount - 1)
        let density = memory.ones.read(t) + 1e-4
        above += memory.residuals.read(t).magnitude
        below += density
      }
      result = above / below
      return .ok
    }
  }

  private func setKernel(_ k: UnsafeMutablePointer<Double>) {
    let factor = 1 / ((2 * Double.pi).squareRoot() * sigma)
    for m in kernel {
      let x = (Double(m) / Double(gridCount - 1) - 0.5) / sigma
      k[m - kernel.lowerBound] = exponential(-0.5 * x * x) * factor
    }
  }
}

/// Values on a grid of [0, 1] that are smoothed as if reflected at its ends.
private struct ReflectedGrid {
  let count: Int
  private let values, smoothed: UnsafeMutablePointer<Double>
  /// The reflected values from the last to the first: the order in which a convolution takes them.
  private let reversed: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ count: Int) {
    self.count = count
    values = arena.take(Double.self, count)
    smoothed = arena.take(Double.self, count)
    reversed = arena.take(Double.self, 3 * count - 2)
  }

  func clear() { values.update(repeating: 0, count: count) }

  /// Shares a value between a point and the next one.
  @inline(__always) func add(_ value: Double, _ below: Int, _ fraction: Double) {
    values[below] += (1 - fraction) * value
    values[below + 1] += fraction * value
  }

  /// - Parameter kernel: the part `range` of it.
  func smooth(_ kernel: UnsafePointer<Double>, _ range: Range<Int>) {
    for i in 0..<count {
      reversed[2 * count - 2 - i] = values[i]
      if i > 0 { reversed[2 * count - 2 + i] = values[i] }
      if i < count - 1 { reversed[i] = values[i] }
    }
    for n in 0..<count {
      smoothed[n] = dotProduct(
        kernel, reversed + (2 * count - 2 - count / 2 - n + range.lowerBound), range.count)
    }
  }

  /// The smoothed values at t, interpolated.
  func read(_ t: Double) -> Double {
    let position = t * Double(count - 1)
    let below = min(Int(position), count - 2)
    return smoothed[below] + (smoothed[below + 1] - smoothed[below]) * (position - Double(below))
  }
}
