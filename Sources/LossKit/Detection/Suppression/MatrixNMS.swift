/// How Matrix NMS turns an overlap x into a factor.
enum MatrixNmsKernel: Int32 {
  /// f(x) = e^{−sigma·x²}
  case gaussian = 0
  /// f(x) = 1 − x
  case linear = 1
}

/// Matrix NMS: scores are lowered all at once, by the overlaps with better boxes and with what overlaps those.
///
///     m_ij = IoU of box i and box j, where i comes before j in descending order of score and has its label; else 0
///     c_i = max_{k before i} m_ki,  0 for the first
///     s_j ← s_j · min(1, min_{i before j} f(m_ij)/f(c_i))
///
/// Of equal scores the lower index comes first. A quotient 0/0 counts as 1, an overlap that is NaN as 0. No box is
/// removed. The factors are computed in double precision.
///
/// - Parameters:
///   - iou: `[count, count]`, overlaps of boxes or masks; row i, column j is read for i before j.
///   - scores: `[count]`; NaN gives INVALID_VALUE.
///   - labels: optional, `[count]`: only boxes with equal labels lower each other.
///   - count: 0 … 2³¹ − 1.
///   - kernel: how overlaps become factors (gaussian).
///   - sigma: for gaussian, ≥ 0 and finite (2).
///   - newScores: output, `[count]`, in the order of `scores`.
///   - workspace: optional scratch of `workspaceSize` bytes; if it is null, one allocation is made for the call.
///   - workspaceSize: at least what `matrixNmsWorkspaceSize` says, else BUFFER_TOO_SMALL with nothing written; not
///     read where `workspace` is null.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for a NaN score, BUFFER_TOO_SMALL,
///   OUT_OF_MEMORY.
/// - Reference: Wang et al. 2020, SOLOv2: Dynamic and Fast Instance Segmentation.
func matrixNms<S: Scalar>(
  _ iou: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ labels: UnsafePointer<Int64>?, _ count: Int,
  _ kernel: MatrixNmsKernel, _ sigma: Double, _ newScores: UnsafeMutablePointer<S>?,
  _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
) -> Status {
  guard elementCount(count, count) != nil, count <= largestSortCount else { return .invalidShape }
  guard sigma >= 0, sigma < .infinity else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let iou, let scores, let newScores else { return .nullPointer }
  guard !hasNaN(scores, count) else { return .invalidValue }
  return withWorkspace(workspace, workspaceSize, layout: { MatrixDecay<S>(&$0, capacity: count) }) { decay in
    switch kernel {
    case .gaussian: decay.run(iou, scores, labels, count, GaussianFactor(sigma: sigma))
    case .linear: decay.run(iou, scores, labels, count, LinearFactor())
    }
    for box in 0..<count { newScores[box] = S(scores[box].double * decay.factors[box]) }
    return .ok
  }
}

/// The workspace that `matrixNms` wants, in either precision.
///
/// - Parameters:
///   - count: 0 … 2³¹ − 1.
///   - size: output, bytes.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func matrixNmsWorkspaceSize(_ count: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard elementCount(count, count) != nil, count <= largestSortCount else { return .invalidShape }
  guard let size else { return .nullPointer }
  size.pointee = bytesTaken { MatrixDecay<Double>(&$0, capacity: count) }
  return .ok
}

/// f of Matrix NMS, in a form in which quotients f(m)/f(c) are compared without being computed.
private protocol OverlapFactor {
  /// What is the greater, the smaller f(m)/f(c) is; −inf where the quotient is 1 by definition or infinite.
  func excess(_ m: DoubleLanes, _ c: DoubleLanes) -> DoubleLanes
  /// min(1, f(m)/f(c)) of the greatest excess.
  func factor(_ excess: DoubleLanes) -> DoubleLanes
}

private struct GaussianFactor: OverlapFactor {
  let sigma: Double

  /// m² − c². Where e^{−sigma·c²} is 0 in double precision, the quotient is 0/0 or infinite.
  @inline(__always)
  func excess(_ m: DoubleLanes, _ c: DoubleLanes) -> DoubleLanes {
    let isZero = DoubleLanes(745.1332191019412) .< DoubleLanes(sigma) * (c * c)
    return DoubleLanes.select(isZero, -DoubleLanes.infinity, (m - c) * (m + c))
  }
  @inline(__always)
  func factor(_ excess: DoubleLanes) -> DoubleLanes {
    DoubleLanes.expOfNonPositive(-DoubleLanes(sigma) * DoubleLanes.max(excess, DoubleLanes.zero))
  }
}

private struct LinearFactor: OverlapFactor {
  /// −(1 − m)/(1 − c)
  @inline(__always)
  func excess(_ m: DoubleLanes, _ c: DoubleLanes) -> DoubleLanes {
    let quotient = (DoubleLanes.one - m) / (DoubleLanes.one - c)
    return DoubleLanes.select(quotient.isNaN, -DoubleLanes.infinity, -quotient)
  }
  @inline(__always)
  func factor(_ excess: DoubleLanes) -> DoubleLanes { DoubleLanes.min(-excess, DoubleLanes.one) }
}

private struct MatrixDecay<S: Scalar> {
  typealias V = S.Vector
  /// By box: what its score is multiplied by.
  let factors: UnsafeMutablePointer<Double>

  private let byScore: Sorter<S.Bits>
  /// By box: its place in the order of scores, its greatest overlap with a better one, the greatest excess, its label.
  private let place, compensation, excess: UnsafeMutablePointer<Double>
  private let label: UnsafeMutablePointer<Int64>

  init(_ arena: inout Arena, capacity: Int) {
    let padded = capacity &+ FloatLanes.count
    factors = arena.take(Double.self, padded)
    byScore = Sorter(&arena, capacity: capacity)
    place = arena.take(Double.self, padded)
    compensation = arena.take(Double.self, padded)
    excess = arena.take(Double.self, padded)
    label = arena.take(Int64.self, padded)
  }

  @inline(__always)
  func run<Factor: OverlapFactor>(
    _ iou: UnsafePointer<S>, _ scores: UnsafePointer<S>, _ labels: UnsafePointer<Int64>?, _ count: Int,
    _ factor: Factor
  ) {
    let best = byScore.sorted(count) { scores[$0].descendingKey }
    for i in 0..<(count &+ FloatLanes.count) {
      place[i] = -1
      compensation[i] = -.infinity
      excess[i] = -.infinity
      label[i] = i < count ? labels?[i] ?? 0 : 0
    }
    for i in 0..<count { place[Int(best[i].index)] = Double(i) }
    // Rows in the order of scores: what a row compensates is complete when its turn comes.
    for i in 0..<count {
      let box = Int(best[i].index)
      let own = (
        place: DoubleLanes(Double(i)), compensation: DoubleLanes(i == 0 ? 0 : compensation[box]),
        label: DoubleLanes.Integers(Int(label[box]))
      )
      forEachVector(V.self, 0..<count) { column, n in
        let row = V.load(iou + (box &* count &+ column), lanes: n)
        let (low, high) = V.select(row.isNaN, V.zero, row).doubles
        note(column, low, own.place, own.compensation, own.label, factor)
        if V.count > DoubleLanes.count {
          note(column &+ DoubleLanes.count, high, own.place, own.compensation, own.label, factor)
        }
      }
    }
    forEachVector(DoubleLanes.self, 0..<count) { i, _ in
      factor.factor(DoubleLanes.load(excess + i)).store(factors + i)
    }
  }

  @inline(__always)
  private func note<Factor: OverlapFactor>(
    _ column: Int, _ overlaps: DoubleLanes, _ place: DoubleLanes, _ compensation: DoubleLanes,
    _ label: DoubleLanes.Integers, _ factor: Factor
  ) {
    let isBehind = place .< DoubleLanes.load(self.place + column)
    let isAlike = DoubleLanes.Integers.load(self.label + column) .== label
    let m = DoubleLanes.select(isAlike, overlaps, DoubleLanes.zero)
    let known = DoubleLanes.load(self.compensation + column)
    DoubleLanes.select(isBehind, DoubleLanes.max(m, known), known).store(self.compensation + column)
    let worst = DoubleLanes.load(excess + column)
    DoubleLanes.select(isBehind, DoubleLanes.max(factor.excess(m, compensation), worst), worst).store(excess + column)
  }
}
