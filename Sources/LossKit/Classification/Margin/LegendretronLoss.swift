/// Log-probabilities of C classes from C − 1 scores: the last class is the reference, with score 0.
///
///     b = [u, 0],   log p = b − log Σ_k e^{b_k}
///
/// - Parameters:
///   - u: scores, `[outer, classes, inner]`. −inf gives −inf; a row with NaN or +inf gives NaN.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: C − 1, ≥ 0.
///   - inner: ≥ 0.
///   - logP: output, with C classes along the middle axis.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Lam et al. 2023, LegendreTron: Uprising Proper Multiclass Loss Learning.
func logSoftmaxPlus<S: Scalar>(
  _ u: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int, _ logP: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = shapeWithReference(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let logP, u != nil || classes == 0 else { return .nullPointer }
  for o in 0..<outer {
    let row = logP + o &* shape.classes &* inner
    if let u { row.update(from: u + o &* classes &* inner, count: classes &* inner) }
    (row + classes &* inner).update(repeating: 0, count: inner)
  }
  mapRows(LogProbabilities<S.Vector>(), shape, UnsafePointer(logP), output: logP)
  return .ok
}

/// Vector-Jacobian product of log_softmax_plus.
///
///     grad_u_j = g_j − e^{log p_j} Σ_k g_k,   j < C − 1
///
/// - Parameters:
///   - logP: what `logSoftmaxPlus` returned, with C classes along the middle axis.
///   - gradOutput: g, shaped as `logP`: the incoming gradient.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: C − 1, ≥ 0.
///   - inner: ≥ 0.
///   - gradU: output, `[outer, classes, inner]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
func logSoftmaxPlusVjp<S: Scalar>(
  _ logP: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ gradU: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = shapeWithReference(outer, classes, inner) else { return .invalidShape }
  if shape.rows == 0 || classes == 0 { return .ok }
  guard let logP, let gradOutput, let gradU else { return .nullPointer }
  return withWorkspace(layout: { arena in arena.take(S.self, outer &* shape.classes &* inner) }) { whole in
    mapRows(LogProbabilitiesVjp<S.Vector>(), shape, logP, gradOutput, output: whole)
    for o in 0..<outer {
      (gradU + o &* classes &* inner).update(from: whole + o &* shape.classes &* inner, count: classes &* inner)
    }
    return .ok
  }
}

/// Proper canonical loss of LegendreTron, given the scores that its learned link makes: the negative log-likelihood of C
/// classes from C − 1 scores. The last class is the reference, with score 0.
///
///     b = [u, 0],   L = log Σ_k e^{b_k} − b_y
///
/// - Parameters:
///   - u: scores, `[outer, classes, inner]`. −inf is a masked class.
///   - target: one class per row, in 0 ... classes, of which the last is the reference.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: C − 1, ≥ 1.
///   - inner: ≥ 0.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `u`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Lam et al. 2023, LegendreTron: Uprising Proper Multiclass Loss Learning.
func legendretronLoss<S: Scalar>(
  _ u: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  rowLoss(
    Legendretron<S.Vector>(reference: classes), u, target, (outer, classes, inner), extraClasses: 1, reduction,
    sampleWeight, loss, grad)
}

/// The shape of the rows with the reference class, or nil where a size is out of range.
private func shapeWithReference(_ outer: Int, _ classes: Int, _ inner: Int) -> RowShape? {
  classes >= 0 && classes < largestCount ? RowShape(outer, classes + 1, inner) : nil
}

private struct LogProbabilities<V: Lanes>: RowMap {
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always) func term(_ e: RowElements<V>, _ shift: V) -> V { exponential(e.x - shift) }
  @inline(__always) func constants(_ shift: V, _ sum: V, _: RowSlice) -> (V, V) {
    (shift, V.log(V.definedSum(sum)))
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { (e.x - k.0) - k.1 }
}

private struct LogProbabilitiesVjp<V: Lanes>: RowMap {
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.y }
  @inline(__always) func constants(_: V, _ sum: V, _: RowSlice) -> (V, V) { (sum, V.zero) }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { V.fma(-V.exp(e.x), k.0, e.y) }
}

/// dL/du_j = p_j − [j = y]
private struct Legendretron<V: Lanes>: RowLoss {
  let reference: Int
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    k.a = V.shift(V.max(tile.maximum(), V.zero))
    let withScores = tile.sum(k, keep: keep) { e, k in
      V.select(e.classes .== k.target, V.zero, exponential(e.x - k.a))
    }
    var own = V.zero
    for r in 0..<tile.count where k.target[r] != reference { own[r] = tile.input(row: r, class: k.target[r]) }
    let isReference = k.target .== V.Integers(reference)
    let others = withScores + V.select(isReference, V.zero, V.exp(-k.a))
    let softmax = TargetSoftmax(others: others, own: OwnLogit(own, shift: k.a))
    k.a = scale * softmax.reciprocal
    k.b = -(scale * softmax.complement)
    return softmax.nu
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    V.select(e.classes .== k.target, k.b, e.kept * k.a)
  }
}
