/// The part of a gradient that is perpendicular to the weights, at the gradient's length: a step along it does not merely
/// scale the weights.
///
///     o = g − ⟨w, g⟩ / (⟨w, w⟩ + eps) · w,   out = o · ‖g‖ / (‖o‖ + eps)
///
/// - Parameters:
///   - w: weights, `[count]`: a whole parameter.
///   - g: its gradient, `[count]`.
///   - count: ≥ 0.
///   - eps: ≥ 0, default 1e-30.
///   - out: output, `[count]`; may be `g` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Prieto et al. 2025, Grokking at the Edge of Numerical Stability.
func perpGrad<S: Scalar>(
  _ w: UnsafePointer<S>?, _ g: UnsafePointer<S>?, _ count: Int, _ eps: Double, _ out: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let w, let g, let out else { return .nullPointer }
  let split = Split(count, smallest: smallestElementwisePart, multiple: S.Vector.count)
  func sum<T: ProductTerm>(_ term: T) -> Double {
    var storage = InlineArray<64, Double>(repeating: 0)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      let sums = bytes.baseAddress!.assumingMemoryBound(to: Double.self)
      parallel(split.parts, ProductSum(term: term, w: w, g: g, sums: sums, split: split))
      var total = 0.0
      for part in 0..<split.parts { total += sums[part] }
      return total
    }
  }
  let along = Perpendicular(along: sum(WeightTimesGradient()) / (sum(WeightSquared()) + eps))
  let factor = sum(GradientSquared()).squareRoot() / (sum(along).squareRoot() + eps)
  parallel(split.parts, PerpendicularJob(perpendicular: along, factor: factor, w: w, g: g, out: out, split: split))
  return .ok
}

/// A product of what w and g have at one place, summed over all: in double, because o may be far smaller than g.
private protocol ProductTerm {
  func of(_ w: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes
}

private struct WeightTimesGradient: ProductTerm {
  @inline(__always) func of(_ w: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes { w * g }
}

private struct WeightSquared: ProductTerm {
  @inline(__always) func of(_ w: DoubleLanes, _: DoubleLanes) -> DoubleLanes { w * w }
}

private struct GradientSquared: ProductTerm {
  @inline(__always) func of(_: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes { g * g }
}

/// o², with o = g − along · w
private struct Perpendicular: ProductTerm {
  let along: Double

  @inline(__always) func part(_ w: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes {
    DoubleLanes.fma(DoubleLanes(-along), w, g)
  }
  @inline(__always) func of(_ w: DoubleLanes, _ g: DoubleLanes) -> DoubleLanes {
    let o = part(w, g)
    return o * o
  }
}

private struct ProductSum<S: Scalar, T: ProductTerm>: ParallelJob {
  let term: T
  let w, g: UnsafePointer<S>
  let sums: UnsafeMutablePointer<Double>
  let split: Split

  @inline(__always) func run(part: Int) {
    var low = DoubleLanes.zero, high = DoubleLanes.zero
    forEachVector(S.Vector.self, split.range(part)) { i, n in
      let w = S.Vector.load(w + i, lanes: n).doubles, g = S.Vector.load(g + i, lanes: n).doubles
      low = low + term.of(w.0, g.0)
      high = high + term.of(w.1, g.1)
    }
    sums[part] = (low + high).sum
  }
}

private struct PerpendicularJob<S: Scalar>: ParallelJob {
  let perpendicular: Perpendicular
  let factor: Double
  let w, g: UnsafePointer<S>
  let out: UnsafeMutablePointer<S>
  let split: Split

  @inline(__always) func run(part: Int) {
    let factor = DoubleLanes(factor)
    forEachVector(S.Vector.self, split.range(part)) { i, n in
      let w = S.Vector.load(w + i, lanes: n).doubles, g = S.Vector.load(g + i, lanes: n).doubles
      let result = S.Vector(perpendicular.part(w.0, g.0) * factor, perpendicular.part(w.1, g.1) * factor)
      result.store(out + i, lanes: n)
    }
  }
}
