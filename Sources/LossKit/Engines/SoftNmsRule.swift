/// The parameters of Soft-NMS.
struct SoftNmsRule {
  let method: SoftNmsMethod
  let iouThreshold: Double
  let sigma: Double
  let scoreThreshold: Double
  let maxOutput: Int
  let offset: Double
  /// Boxes whose areas add up to this or less overlap by 1, wherever they are.
  var areaOfNone: Double?

  var isValid: Bool {
    iouThreshold == iouThreshold && sigma >= 0 && scoreThreshold == scoreThreshold && maxOutput >= 0
      && (offset == 0 || offset == 1)
  }

  /// Runs the method; returns how many boxes are selected.
  ///
  /// - Parameter areas: of the boxes; nil: the products of their sides.
  func run<S: Scalar>(
    _ suppressor: inout SoftSuppressor<S>, _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>,
    _ groups: UnsafePointer<Int64>?, _ count: Int, areas: UnsafePointer<S>? = nil
  ) -> Int {
    let limit = S.roundedDown(iouThreshold)
    switch method {
    case .linear: return run(&suppressor, boxes, scores, groups, count, areas, LinearDecay(limit: limit))
    case .gaussian: return run(&suppressor, boxes, scores, groups, count, areas, GaussianDecay(sigma: S(sigma)))
    case .hard:
      return run(
        &suppressor, boxes, scores, groups, count, areas, HardDecay(limit: limit, needsOverlap: iouThreshold >= 0))
    }
  }

  @inline(never)
  private func run<S: Scalar, Decay: ScoreDecay>(
    _ suppressor: inout SoftSuppressor<S>, _ boxes: UnsafePointer<S>, _ scores: UnsafePointer<S>,
    _ groups: UnsafePointer<Int64>?, _ count: Int, _ areas: UnsafePointer<S>?, _ decay: Decay
  ) -> Int where Decay.V == S.Vector {
    suppressor.areaOfNone = areaOfNone.map { S.roundedDown($0) }
    return suppressor.run(
      boxes, scores, groups, count, decay, scoreThreshold: scoreThreshold, limit: maxOutput, offset: S(offset),
      areas: areas)
  }
}

private struct LinearDecay<S: Scalar>: ScoreDecay {
  typealias V = S.Vector
  let limit: S
  var needsOverlap: Bool { true }
  @inline(__always)
  func decayed(_ score: V, _ overlap: V) -> V { V.select(V(limit) .< overlap, score * (V.one - overlap), score) }
}

private struct GaussianDecay<S: Scalar>: ScoreDecay {
  typealias V = S.Vector
  let sigma: S
  var needsOverlap: Bool { true }
  @inline(__always)
  func decayed(_ score: V, _ overlap: V) -> V {
    V.select(V.zero .< overlap, score * V.expOfNonPositive(-(overlap * overlap) / V(sigma)), score)
  }
}

private struct HardDecay<S: Scalar>: ScoreDecay {
  typealias V = S.Vector
  let limit: S
  let needsOverlap: Bool
  @inline(__always)
  func decayed(_ score: V, _ overlap: V) -> V { V.select(V(limit) .< overlap, V.nan, score) }
}
