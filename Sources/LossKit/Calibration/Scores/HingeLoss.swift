/// Hinge loss: the target's score should be 1 more than that of the best other class (Crammer and Singer).
///
///     m_i = z_{i,y} − max_{c≠y} z_ic      (binary: m_i = (2 y_i − 1) z_i)
///     l_i = max(0, 1 − m_i), squared if asked for
///     where m_i < 1: ∂l_i/∂z_{i,y} = −1, and +1 at the first best other class (times 2 (1 − m_i) if squared), else 0
///
/// - Parameters:
///   - scores: `[count, classes]`; of a single class the loss is 0.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `scores` is `[count]`, labels are 0 and 1.
///   - squared: false is usual.
///   - sampleWeight: optional, `[count]`, ≥ 0.
///   - reduction: `mean` divides by the sum of the weights; a mean over nothing is 0.
///   - loss: optional output, one number, or `[count]` with reduction `none`.
///   - grad: optional output, like `scores`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE if a weight is negative. A row with NaN has loss and
///   gradient NaN.
/// - Reference: Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, 2001;
///   sklearn.metrics.hinge_loss.
func hingeLoss<S: Scalar>(
  _ scores: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ squared: Bool,
  _ sampleWeight: UnsafePointer<S>?, _ reduction: Reduction, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  return call.score(scores, y, count, classes, HingeScore<S.Vector>(squared: squared))
}

private struct HingeScore<V: Lanes>: RowScore {
  let squared: Bool
  static var takesProbabilities: Bool { false }

  @inline(__always) func losses(_ group: RowGroup<V>) -> V {
    let excess = excess(group)
    let h = (DoubleLanes.max(DoubleLanes.zero, excess.0), DoubleLanes.max(DoubleLanes.zero, excess.1))
    return squared ? V(h.0 * h.0, h.1 * h.1) : V(h.0, h.1)
  }

  @inline(__always)
  func writeGradient(_ group: RowGroup<V>, scale: V, _ grad: UnsafeMutablePointer<V.Element>) {
    let excess = excess(group)
    let slopes = V(slope(excess.0), slope(excess.1)) * scale
    let columns = group.rows.columns
    let target = grad + group.first &* columns
    if group.isColumn {
      // −1 for label 1. With a single class there is no slope.
      return V.select(group.single.isLabel, -slopes, slopes).store(target, lanes: group.count)
    }
    target.update(repeating: 0, count: group.count &* columns)
    for lane in 0..<group.count {
      let slope = slopes[lane]
      let row = target + lane &* columns
      if slope.isNaN { row.update(repeating: slope, count: columns) }
      if slope == 0 || slope.isNaN { continue }
      let label = group.column(lane)
      row[label] = -slope
      row[firstRival(group.row(lane), columns, label)] = slope
    }
  }

  /// 1 − m, in double.
  @inline(__always) private func excess(_ group: RowGroup<V>) -> (DoubleLanes, DoubleLanes) {
    if group.isColumn {
      let (z, isLabel) = group.single
      let hasClass = group.rows.firstLabel == 1  // else there is one class alone, and no other
      let x = V.select(isLabel, z, -z).doubles
      let one = DoubleLanes.one
      return hasClass ? (one - x.0, one - x.1) : (-DoubleLanes.infinity, -DoubleLanes.infinity)
    }
    var numbers = InlineArray<16, Double>(repeating: 0)
    return withUnsafeMutableBytes(of: &numbers) { bytes in
      let excess = bytes.baseAddress!.assumingMemoryBound(to: Double.self)
      for lane in 0..<group.count {
        let row = group.row(lane), label = group.column(lane)
        excess[lane] = 1 - (row[label].double - rival(row, group.rows.columns, label))
      }
      return (DoubleLanes.load(excess), DoubleLanes.load(excess + 8))
    }
  }

  @inline(__always) private func slope(_ excess: DoubleLanes) -> DoubleLanes {
    let slope = squared ? excess + excess : DoubleLanes.one
    let defined = DoubleLanes.select(DoubleLanes.zero .< excess, slope, DoubleLanes.zero)
    return DoubleLanes.select(excess.isNaN, excess, defined)
  }

  /// The best score beside the label's; NaN if there is one among them.
  @inline(__always) private func rival(_ z: UnsafePointer<V.Element>, _ columns: Int, _ label: Int) -> Double {
    var best = -V.infinity
    var undefined = V.Integers(0)
    forEachVector(V.self, 0..<columns) { c, n in
      let isLabel = (V.Integers(c) &+ V.Integers.indices) .== V.Integers(label)
      let x = V.select(isLabel, -V.infinity, V.load(z + c, lanes: n, fill: -.infinity))
      best = V.max(x, best)
      undefined = undefined | x.isNaN
    }
    return undefined.any ? .nan : best.maximum.double
  }

  @inline(__always) private func firstRival(_ z: UnsafePointer<V.Element>, _ columns: Int, _ label: Int) -> Int {
    let best = rival(z, columns, label)
    var c = 0
    while c == label || z[c].double != best { c &+= 1 }
    return c
  }
}
