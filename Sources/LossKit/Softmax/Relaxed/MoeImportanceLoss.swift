/// Importance loss of a mixture of experts: the squared coefficient of variation of the experts' total gates.
///
///     I_c = Σ_n gates_nc,   μ = mean of I,   V = Σ_c (I_c − μ)²/(C − 1),   L = V/(μ² + eps)     (0 where C = 1)
///     dL/dgates_nc = 2 (I_c − μ)/((C − 1) D) − 2 V μ/(C D²),   D = μ² + eps
///
/// - Parameters:
///   - gates: `[rows, columns]`: tokens are rows, experts are columns.
///   - rows: ≥ 0.
///   - columns: C ≥ 1.
///   - eps: ≥ 0, default 1e-10.
///   - loss: optional output, one value.
///   - grad: optional output, shaped as `gates`: the same for all rows.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Shazeer et al. 2017, Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer.
func moeImportanceLoss<S: Scalar>(
  _ gates: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ eps: Double, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard elementCount(rows, columns) != nil, columns >= 1 else { return .invalidShape }
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  if rows == 0 {
    loss?.pointee = 0
    return .ok
  }
  guard let gates else { return .nullPointer }
  return withWorkspace { arena in
    (sums: arena.take(Double.self, columns), row: arena.take(S.self, columns))
  } _: { arrays in
    let sums = arrays.sums
    sumColumns(gates, rows, columns, sums)
    var mean = 0.0
    for c in 0..<columns { mean += sums[c] / Double(columns) }
    var variance = 0.0
    if columns > 1 {
      for c in 0..<columns { variance += (sums[c] - mean) * (sums[c] - mean) / Double(columns - 1) }
    }
    let scale = mean * mean + eps
    loss?.pointee = S(columns > 1 ? variance / scale : 0)
    guard let grad else { return .ok }
    for c in 0..<columns {
      arrays.row[c] = S(
        columns > 1
          ? 2 * (sums[c] - mean) / (Double(columns - 1) * scale) - 2 * variance * mean / (Double(columns) * scale * scale)
          : 0)
    }
    for row in 0..<rows {
      forEachVector(S.Vector.self, 0..<columns) { c, n in
        S.Vector.load(UnsafePointer(arrays.row) + c, lanes: n).store(grad + (row &* columns &+ c), lanes: n)
      }
    }
    return .ok
  }
}

/// The sums of columns. A part has some columns of all rows, so that their order is the same however many parts there are.
func sumColumns<S: Scalar>(_ x: UnsafePointer<S>, _ rows: Int, _ columns: Int, _ sums: UnsafeMutablePointer<Double>) {
  let split = Split(columns, smallest: 1024, multiple: S.Vector.count)
  parallel(split.parts, ColumnSumsJob(x: x, rows: rows, columns: columns, sums: sums, split: split))
}

private struct ColumnSumsJob<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let rows, columns: Int
  let sums: UnsafeMutablePointer<Double>
  let split: Split

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    for c in range { sums[c] = 0 }
    for row in 0..<rows {
      forEachVector(S.Vector.self, range) { c, n in
        let (low, high) = S.Vector.load(x + (row &* columns &+ c), lanes: n).doubles
        let few = Swift.min(8, n)
        (DoubleLanes.load(sums + c, lanes: few) + low).store(sums + c, lanes: few)
        if n > 8 { (DoubleLanes.load(sums + c + 8, lanes: n &- 8) + high).store(sums + c + 8, lanes: n &- 8) }
      }
    }
  }
}
