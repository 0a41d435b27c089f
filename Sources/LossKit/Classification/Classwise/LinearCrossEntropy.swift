/// Cross-entropy of a linear layer's scores, without the array of scores.
///
///     s_v = e · c_v + b_v,   softcap: s_v ← κ tanh(s_v / κ),   L = log Σ_v e^{s_v} − s_y
///     g_v = (p_v − [v = y]) (1 − (s_v / κ)²),   ∂L/∂e = Σ_v g_v c_v,   ∂L/∂c_v = Σ_rows g_v e,   ∂L/∂b_v = Σ_rows g_v
///
/// The scores are computed tile by tile, twice if there is a gradient. Allocates some bytes for each row and, for each
/// thread, tiles of at most some megabytes, whatever the numbers of rows and of classes are.
///
/// - Parameters:
///   - e: embeddings, `[outer, length, dimension]`.
///   - c: class matrix, `[vocabulary, dimension]`.
///   - targets: `[outer, length]`, in 0 ..< vocabulary, or `ignoreIndex`.
///   - outer: ≥ 0.
///   - length: T ≥ 0.
///   - dimension: ≥ 1.
///   - vocabulary: ≥ 1.
///   - bias: optional, `[vocabulary]`: b, default 0. −inf masks a class.
///   - ignoreIndex: rows with this target have loss, lse and gradient 0 and do not count; any integer, default −100.
///   - softcap: κ > 0; +inf for none.
///   - shift: k in 0 ..< T, default 0: embedding t belongs to target t + k. The first k targets and the last k embeddings
///     of each sequence are unused.
///   - filterEps: ≥ 0. A tile of 64 classes by 32 rows is left out of ∂L/∂e and ∂L/∂c where all |p_v − [v = y]| are
///     smaller. 0, the default, leaves out nothing; what rounding loses anyway is smaller than 2⁻²⁸ (f32) or 2⁻⁵⁷ (f64).
///   - reduction: default mean, over the rows that count.
///   - lseGrad: optional, one per loss: u, default 0: u p_v is added to g_v before the softcap's factor, which is the
///     gradient of what else depends on lse.
///   - loss: optional output, one value, or one per used target without reduction.
///   - lse: optional output, one per used target: log Σ_v e^{s_v}.
///   - gradE: optional output, shaped as `e`.
///   - gradC: optional output, shaped as `c`.
///   - gradBias: optional output, shaped as `bias`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, UNSUPPORTED for gradients without reduction, NULL_POINTER, INVALID_TARGET,
///   OUT_OF_MEMORY.
/// - Reference: Wijmans et al., Cut Your Losses in Large-Vocabulary Language Models, 2025.
func linearCrossEntropy<S: Scalar>(
  _ e: UnsafePointer<S>?, _ c: UnsafePointer<S>?, _ targets: UnsafePointer<Int64>?, _ outer: Int, _ length: Int,
  _ dimension: Int, _ vocabulary: Int, _ bias: UnsafePointer<S>?, _ ignoreIndex: Int64, _ softcap: Double, _ shift: Int,
  _ filterEps: Double, _ reduction: Reduction, _ lseGrad: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ lse: UnsafeMutablePointer<S>?, _ gradE: UnsafeMutablePointer<S>?, _ gradC: UnsafeMutablePointer<S>?,
  _ gradBias: UnsafeMutablePointer<S>?
) -> Status {
  guard let elements = elementCount(outer, length, dimension), let weights = elementCount(vocabulary, dimension),
    elementCount(outer, length) != nil, dimension >= 1, vocabulary >= 1
  else { return .invalidShape }
  guard shift >= 0, shift < Swift.max(length, 1), softcap > 0, filterEps >= 0 else { return .invalidParameter }
  let hasGradient = gradE != nil || gradC != nil || gradBias != nil
  if hasGradient, reduction == .none { return .unsupported }
  let pairs = TargetPairs(outer: outer, length: length, shift: shift)
  if elements > 0 {
    guard e != nil, c != nil, targets != nil else { return .nullPointer }
  }
  guard let kept = targets.map({ pairs.count($0, ignoreIndex, vocabulary) }) ?? 0 else { return .invalidTarget }

  let call = LinearLossCall(
    bias: bias, dimension: dimension, vocabulary: vocabulary, softcap: softcap, filterEps: filterEps,
    scale: reduction == .mean && kept > 0 ? 1 / Double(kept) : 1, gradE: gradE, gradC: gradC, gradBias: gradBias)
  let plan = LinearLossPlan(S.Vector.self, rows: kept, call)
  return withWorkspace(layout: { LinearLossMemory<S.Vector>(&$0, plan, hasGradient: hasGradient) }) { memory in
    gradE?.initialize(repeating: 0, count: elements)
    gradC?.initialize(repeating: 0, count: weights)
    gradBias?.initialize(repeating: 0, count: vocabulary)
    if reduction == .none { loss?.initialize(repeating: 0, count: pairs.count) }
    lse?.initialize(repeating: 0, count: pairs.count)
    var sum = 0.0
    memory.rows.lseGrad.initialize(repeating: 0, count: plan.paddedRows)
    if kept > 0, let e, let c, let targets {
      pairs.list(targets, ignoreIndex, memory.rows)
      let tiles = LinearLossTiles(e, c, call: call, plan: plan, memory: memory)
      tiles.forward()
      for row in 0..<kept {
        let pair = pairs.pair(embedding: memory.rows.index[row])
        if reduction == .none { loss?[pair] = S(memory.rows.nu[row]) }
        lse?[pair] = S(memory.rows.lse[row])
        sum += memory.rows.nu[row]
        if let lseGrad { memory.rows.lseGrad[row] = lseGrad[pair].double }
      }
      if hasGradient { tiles.backward() }
    }
    if reduction != .none { loss?.pointee = S(sum * call.scale) }
    return .ok
  }
}

/// Which embedding belongs to which target: pair (o, t) is embedding (o, t) and target (o, t + shift).
private struct TargetPairs {
  let outer, length, shift: Int
  var used: Int { length &- shift }
  var count: Int { outer &* used }

  /// The place of an embedding's loss.
  func pair(embedding: Int) -> Int { embedding &- embedding / length &* shift }

  /// How many pairs count, or nil if a target is out of range.
  func count(_ targets: UnsafePointer<Int64>, _ ignoreIndex: Int64, _ vocabulary: Int) -> Int? {
    var ignored = 0
    for sequence in 0..<outer {
      for t in shift..<length {
        let target = targets[sequence &* length &+ t]
        if target == ignoreIndex {
          ignored &+= 1
        } else if UInt64(bitPattern: target) >= UInt64(vocabulary) {
          return nil
        }
      }
    }
    return count &- ignored
  }

  /// Lists the pairs that count.
  func list(_ targets: UnsafePointer<Int64>, _ ignoreIndex: Int64, _ rows: LinearLossRows) {
    var row = 0
    for sequence in 0..<outer {
      for t in 0..<used {
        let embedding = sequence &* length &+ t
        let target = targets[embedding &+ shift]
        if target == ignoreIndex { continue }
        rows.index[row] = embedding
        rows.target[row] = Int(target)
        row &+= 1
      }
    }
  }
}
