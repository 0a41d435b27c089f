/// The two normalisations of a soft mixture of experts: how slots are made of tokens, and tokens of slots.
///
///     dispatch = softmax of z over the tokens,   combine = softmax of z over the slots
///
/// - Parameters:
///   - z: logits, `[groups, tokens, slots]`. −inf has weight 0; a column or row with NaN or +inf, or of −inf alone, gives NaN.
///   - groups: ≥ 0: each has tokens and slots of its own.
///   - tokens: ≥ 0.
///   - slots: ≥ 1.
///   - dispatch: optional output, shaped as `z`: columns sum to 1.
///   - combine: optional output, shaped as `z`: rows sum to 1.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Puigcerver et al. 2023, From Sparse to Soft Mixtures of Experts; the routing of MLP-KAN.
func softMoeWeights<S: Scalar>(
  _ z: UnsafePointer<S>?, _ groups: Int, _ tokens: Int, _ slots: Int, _ dispatch: UnsafeMutablePointer<S>?,
  _ combine: UnsafeMutablePointer<S>?
) -> Status {
  guard let shapes = SoftMoeShapes(groups, tokens, slots) else { return .invalidShape }
  if shapes.isEmpty { return .ok }
  guard let z else { return .nullPointer }
  let formula = SoftmaxOfRow(exponential: ScaledExponential(temperature: 1))
  return withWorkspace { arena in
    shapes.memory(&arena, inputs: 1)
  } _: { memory in
    if let dispatch { memory.columns.map(formula, z, output: dispatch) }
    if let combine { memory.rows.map(formula, z, output: combine) }
    return .ok
  }
}

/// Vector-Jacobian product of soft_moe_weights: the sum of those of the two softmaxes.
///
/// - Parameters:
///   - dispatch: `[groups, tokens, slots]`, what `softMoeWeights` returned.
///   - combine: shaped as `dispatch`, what `softMoeWeights` returned.
///   - gradDispatch: shaped as `dispatch`: the incoming gradient.
///   - gradCombine: shaped as `dispatch`: the incoming gradient.
///   - groups: ≥ 0.
///   - tokens: ≥ 0.
///   - slots: ≥ 1.
///   - gradZ: output, shaped as `dispatch`; may be `gradDispatch` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
func softMoeWeightsVjp<S: Scalar>(
  _ dispatch: UnsafePointer<S>?, _ combine: UnsafePointer<S>?, _ gradDispatch: UnsafePointer<S>?,
  _ gradCombine: UnsafePointer<S>?, _ groups: Int, _ tokens: Int, _ slots: Int, _ gradZ: UnsafeMutablePointer<S>?
) -> Status {
  guard let shapes = SoftMoeShapes(groups, tokens, slots) else { return .invalidShape }
  if shapes.isEmpty { return .ok }
  guard let dispatch, let combine, let gradDispatch, let gradCombine, let gradZ else { return .nullPointer }
  return withWorkspace { arena in
    shapes.memory(&arena, inputs: 2)
  } _: { memory in
    memory.columns.map(SoftmaxVjpOfRow<S>(added: nil), dispatch, gradDispatch, output: gradZ)
    memory.rows.map(SoftmaxVjpOfRow(added: UnsafePointer(gradZ)), combine, gradCombine, output: gradZ)
    return .ok
  }
}

/// The same array as columns of tokens and as rows of slots.
private struct SoftMoeShapes {
  let columns, rows: RowShape
  let isEmpty: Bool

  init?(_ groups: Int, _ tokens: Int, _ slots: Int) {
    guard let count = elementCount(groups, tokens, slots), let all = elementCount(groups, tokens),
      let rows = RowShape(all, slots, 1), let columns = RowShape(groups, Swift.max(1, tokens), slots)
    else { return nil }
    self.rows = rows
    self.columns = columns
    isEmpty = count == 0
  }

  func memory(_ arena: inout Arena, inputs: Int) -> (columns: RowsInDouble, rows: RowsInDouble) {
    (RowsInDouble(&arena, columns, inputs: inputs), RowsInDouble(&arena, rows, inputs: inputs))
  }
}

private struct SoftmaxOfRow: DoubleRowFormula {
  let exponential: ScaledExponential<DoubleLanes>
  static var usesSecond: Bool { false }

  @inline(__always)
  func run(_ x: UnsafeMutablePointer<Double>, _: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    softmaxInDouble(x, count, exponential)
  }
}

private struct SoftmaxVjpOfRow<S: Scalar>: DoubleRowFormula {
  /// What the result is added to, in contiguous rows.
  let added: UnsafePointer<S>?
  static var usesSecond: Bool { true }

  @inline(__always)
  func run(_ p: UnsafeMutablePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ count: Int, row: Int) {
    softmaxVjpInDouble(p, g, count, scale: 1)
    if let added {
      for i in 0..<count { p[i] += added[row &* count &+ i].double }
    }
  }
}
