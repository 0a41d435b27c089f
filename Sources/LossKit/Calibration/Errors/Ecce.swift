/// Cumulative calibration error: how far, and over how wide a range, the sums of corr − conf stray from 0.
///
///     C_0 = 0,  C_k = 1/N Σ_{i ≤ k} (corr_i − conf_i),   i in ascending order of confidence (ties: in that of their rows)
///     mad = max |C_k|,  range = max C_k − min C_k,  sigma = √(Σ conf_i (1 − conf_i)) / N
///
/// What perfect calibration would give grows with sigma alone: hence the ratios. With sigma = 0 they are 0 where the
/// measure is 0, else ∞.
///
/// - Parameters:
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: N, 0 to 2³¹ − 1; with N = 0 all outputs are NaN.
///   - classes: C; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
///   - mad: optional output, the maximum absolute deviation.
///   - range: optional output.
///   - sigma: optional output.
///   - madRatio: optional output, mad / sigma.
///   - rangeRatio: optional output, range / sigma.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET,
///   OUT_OF_MEMORY.
/// - Reference: Arrieta-Ibarra et al., Metrics of Calibration for Probabilistic Predictions, 2022.
func ecce<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  _ mad: UnsafeMutablePointer<S>?, _ range: UnsafeMutablePointer<S>?, _ sigma: UnsafeMutablePointer<S>?,
  _ madRatio: UnsafeMutablePointer<S>?, _ rangeRatio: UnsafeMutablePointer<S>?
) -> Status {
  withConfidenceCells(
    probs, y, count, classes, layout: { CellGaps(&$0) },
    whenEmpty: { setUndefined(mad, range, sigma, madRatio, rangeRatio) }
  ) { cells, gaps in
    let gap = CumulativeGap(cells, count, gaps)
    var variance = 0.0
    for cell in 0..<cells.count {
      var sum = DoubleLanes.zero
      cells.forEachEight(in: cell) { confidence, _ in sum = sum + confidence * (DoubleLanes.one - confidence) }
      variance += sum.sum
    }
    let deviation = variance.squareRoot() / Double(count)
    let ratio = { (x: Double) in deviation > 0 ? x / deviation : x == 0 ? 0 : .infinity }
    mad?.pointee = S(gap.largest)
    range?.pointee = S(gap.range)
    sigma?.pointee = S(deviation)
    madRatio?.pointee = S(ratio(gap.largest))
    rangeRatio?.pointee = S(ratio(gap.range))
  }
}

/// The extremes of Σ_{i ≤ k} (conf_i − corr_i) / N over k = 0 … N.
///
/// They are looked for at the ends of cells first. A cell has to be sorted only if its terms could go beyond them.
struct CumulativeGap {
  private var most = 0.0
  private var least = 0.0
  private let count: Int

  @inline(never) init<C: Scalar>(_ cells: ConfidenceCells<C>, _ count: Int, _ gaps: CellGaps) {
    self.count = count
    var sum = CompensatedSum()
    for cell in 0..<cells.count {
      var (rise, fall) = (DoubleLanes.zero, DoubleLanes.zero)
      cells.forEachEight(in: cell) { confidence, hit in
        rise = rise + DoubleLanes.max(confidence - hit, DoubleLanes.zero)
        fall = fall + DoubleLanes.min(confidence - hit, DoubleLanes.zero)
      }
      gaps.rise[cell] = rise.sum
      gaps.fall[cell] = fall.sum
      sum.add(gaps.rise[cell] + gaps.fall[cell])
      note(sum.value)
    }
    sum = CompensatedSum()
    for cell in 0..<cells.count {
      if sum.value + gaps.rise[cell] > most || sum.value + gaps.fall[cell] < least {
        cells.sort(cell)
        var inner = sum
        for k in cells.range(cell) {
          inner.add(cells.items[k].confidence.double - cells.items[k].hit)
          note(inner.value)
        }
      }
      sum.add(gaps.rise[cell] + gaps.fall[cell])
    }
  }

  @inline(__always) private mutating func note(_ gap: Double) {
    most = max(most, gap)
    least = min(least, gap)
  }

  var largest: Double { max(most, -least) / Double(count) }
  var range: Double { (most - least) / Double(count) }
}

/// For each cell the sums of the terms above 0, and of those below.
struct CellGaps {
  let rise: UnsafeMutablePointer<Double>
  let fall: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena) {
    rise = arena.take(Double.self, ConfidenceCells<Double>.limit)
    fall = arena.take(Double.self, ConfidenceCells<Double>.limit)
  }
}

/// A sum with what its additions have rounded away.
private struct CompensatedSum {
  private var sum = 0.0
  private var lost = 0.0

  var value: Double { sum + lost }

  @inline(__always) mutating func add(_ term: Double) {
    let next = sum + term
    let added = next - sum
    lost += (sum - (next - added)) + (term - added)
    sum = next
  }
}
