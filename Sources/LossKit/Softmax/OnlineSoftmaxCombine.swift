/// Joins two partial results of an attention, each normalised by itself, whose scores had the given log-sum-exps.
///
///     lse = log(e^{lse_a} + e^{lse_b}),   out = w_a out_a + w_b out_b,   w_a = e^{lse_a − lse},  w_b = e^{lse_b − lse}
///
/// - Parameters:
///   - lseA: `[rows]`. −inf has the weight 0, also beside another −inf.
///   - outA: `[rows, width]`.
///   - lseB: `[rows]`.
///   - outB: `[rows, width]`.
///   - rows: ≥ 0.
///   - width: ≥ 1.
///   - lse: output, `[rows]`; may be `lseA` or `lseB` itself.
///   - out: output, `[rows, width]`; may be `outA` or `outB` itself.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
/// - Reference: Milakov & Gimelshein 2018; the merge of split keys and values in flash attention.
func onlineSoftmaxCombine<S: Scalar>(
  _ lseA: UnsafePointer<S>?, _ outA: UnsafePointer<S>?, _ lseB: UnsafePointer<S>?, _ outB: UnsafePointer<S>?,
  _ rows: Int, _ width: Int, _ lse: UnsafeMutablePointer<S>?, _ out: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(rows, width, 1) else { return .invalidShape }
  if rows == 0 { return .ok }
  guard let lseA, let outA, let lseB, let outB, let lse, let out else { return .nullPointer }
  mapRows(Combine<S.Vector>(lseA: lseA, lseB: lseB, lse: lse), shape, outA, outB, output: out)
  return .ok
}

/// Vector-Jacobian product of online_softmax_combine.
///
///     grad_out_a = w_a g_out,   grad_lse_a = w_a (g_lse + w_b ⟨g_out, out_a − out_b⟩);   b likewise
///
/// - Parameters:
///   - lseA: `[rows]`.
///   - outA: `[rows, width]`.
///   - lseB: `[rows]`.
///   - outB: `[rows, width]`.
///   - gradLse: g_lse, `[rows]`: the incoming gradient of `lse`.
///   - gradOut: g_out, `[rows, width]`: the incoming gradient of `out`.
///   - rows: ≥ 0.
///   - width: ≥ 1.
///   - gradLseA: output, `[rows]`; no output may be one of the inputs.
///   - gradOutA: output, `[rows, width]`.
///   - gradLseB: output, `[rows]`.
///   - gradOutB: output, `[rows, width]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER.
func onlineSoftmaxCombineVjp<S: Scalar>(
  _ lseA: UnsafePointer<S>?, _ outA: UnsafePointer<S>?, _ lseB: UnsafePointer<S>?, _ outB: UnsafePointer<S>?,
  _ gradLse: UnsafePointer<S>?, _ gradOut: UnsafePointer<S>?, _ rows: Int, _ width: Int,
  _ gradLseA: UnsafeMutablePointer<S>?, _ gradOutA: UnsafeMutablePointer<S>?, _ gradLseB: UnsafeMutablePointer<S>?,
  _ gradOutB: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(rows, width, 1) else { return .invalidShape }
  if rows == 0 { return .ok }
  guard let lseA, let outA, let lseB, let outB, let gradLse, let gradOut, let gradLseA, let gradOutA, let gradLseB,
    let gradOutB
  else { return .nullPointer }
  _ = mapElements(Difference<S.Vector>(), outA, outB, rows &* width, gradOutB)
  mapRows(
    CombineVjp<S.Vector>(lseA: lseA, lseB: lseB, gradLse: gradLse, gradLseA: gradLseA, gradLseB: gradLseB), shape,
    UnsafePointer(gradOutB), gradOut, output: gradOutA)
  mapRows(WeightOfSecond<S.Vector>(lseA: lseA, lseB: lseB), shape, gradOut, output: gradOutB)
  return .ok
}

/// The weights of two partial results, as logistic functions: lse_a − lse would have lost the digits that lse has not.
private struct CombineWeights<V: Lanes> {
  let a, b: V
  let lse: V

  @inline(__always) init(_ lseA: V, _ lseB: V) {
    let maximum = V.select(lseA.isNaN, lseA, V.max(lseA, lseB))
    let difference = lseA - lseB
    let nothing = maximum .== -V.infinity
    let undefined = V.select(maximum .< V.infinity, V.zero, V.nan)  // +inf or NaN
    a = V.select(nothing, V.zero, V.sigmoid(difference) + undefined)
    b = V.select(nothing, V.zero, V.sigmoid(-difference) + undefined)
    let joined = maximum + V.log1pOfFraction(V.expOfNonPositive(-difference.magnitude))
    lse = V.select(maximum.magnitude .< V.infinity, joined, maximum)
  }
}

private struct Combine<V: Lanes>: RowMap {
  let lseA, lseB: UnsafePointer<V.Element>
  let lse: UnsafeMutablePointer<V.Element>
  static var usesMaximum: Bool { false }
  static var usesSum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func constants(_: V, _: V, _ rows: RowSlice) -> (V, V) {
    let weights = CombineWeights(rows.load(lseA), rows.load(lseB))
    rows.store(weights.lse, lse)
    return (weights.a, weights.b)
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { V.fma(e.x, k.0, e.y * k.1) }
}

private struct Difference<V: Lanes>: ElementMap {
  @inline(__always) func value(_ x: V, _ y: V) -> V { x - y }
}

/// The gradients of the log-sum-exps, and of the first result; x is out_a − out_b, y the incoming gradient.
private struct CombineVjp<V: Lanes>: RowMap {
  let lseA, lseB, gradLse: UnsafePointer<V.Element>
  let gradLseA, gradLseB: UnsafeMutablePointer<V.Element>
  static var usesMaximum: Bool { false }
  static var usesSecond: Bool { true }

  @inline(__always) func term(_ e: RowElements<V>, _: V) -> V { e.x * e.y }
  @inline(__always) func constants(_: V, _ product: V, _ rows: RowSlice) -> (V, V) {
    let weights = CombineWeights(rows.load(lseA), rows.load(lseB))
    let g = rows.load(gradLse)
    rows.store(weights.a * (g + weights.b * product), gradLseA)
    rows.store(weights.b * (g - weights.a * product), gradLseB)
    return (weights.a, V.zero)
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.y * k.0 }
}

private struct WeightOfSecond<V: Lanes>: RowMap {
  let lseA, lseB: UnsafePointer<V.Element>
  static var usesMaximum: Bool { false }
  static var usesSum: Bool { false }

  @inline(__always) func constants(_: V, _: V, _ rows: RowSlice) -> (V, V) {
    (CombineWeights(rows.load(lseA), rows.load(lseB)).b, V.zero)
  }
  @inline(__always) func output(_ e: RowElements<V>, _ k: (V, V)) -> V { e.x * k.0 }
}
