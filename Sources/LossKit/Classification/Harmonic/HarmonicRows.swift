/// What harmonic kernels make of the distances of a row of features to all centres.
struct HarmonicRows<S: Scalar>: DistanceConsumer {
  typealias V = DoubleLanes

  enum Use {
    case logits(UnsafeMutablePointer<S>)
    /// The incoming gradient of the logits; like targets absent where there are no rows.
    case logitsVjp(UnsafePointer<S>?)
    /// What a row's gradient is multiplied with, besides its weight.
    case loss(target: UnsafePointer<Int64>?, sampleWeight: UnsafePointer<S>?, scale: Double, wantsGradient: Bool)
  }

  let model: HarmonicModel<S>
  let use: Use
  /// One weighted loss for each row.
  let losses: UnsafeMutablePointer<Double>

  func consume(_ block: DistanceBlock) {
    switch use {
    case .logits(let logits): write(block, logits)
    case .logitsVjp(let grad):
      if let grad { read(block, grad) }
    case .loss(let target, let sampleWeight, let scale, let wantsGradient):
      let factor = sampleWeight.map { V.load($0 + block.first, block.count) } ?? V.one
      if let target { crossEntropy(block, target + block.first, factor, wantsGradient ? V(scale) : nil) }
    }
  }

  private func write(_ block: DistanceBlock, _ logits: UnsafeMutablePointer<S>) {
    for v in 0..<block.others { block.coefficients[v] = model.logit(block.distances[v]) }
    forEachVector(V.self, 0..<block.others) { v, n in
      writeTile(
        block.coefficients + v, logits + (block.first &* block.others &+ v), block.others, block.count, n)
    }
  }

  private func read(_ block: DistanceBlock, _ grad: UnsafePointer<S>) {
    forEachVector(V.self, 0..<block.others) { v, n in
      readTile(grad + (block.first &* block.others &+ v), block.others, block.count, n, block.coefficients + v)
    }
    for v in 0..<block.others {
      block.coefficients[v] = model.coefficient(block.coefficients[v], block.distances[v])
    }
  }

  /// −log p_y with p_v ∝ δ_v^−n, from ratios of distances: a logit of its own would lose what n multiplies.
  private func crossEntropy(_ block: DistanceBlock, _ target: UnsafePointer<Int64>, _ weight: V, _ scale: V?) {
    let distances = block.distances, powers = block.coefficients
    let target = lanes(target, block.count)
    var nearest = V.infinity
    for v in 0..<block.others {
      distances[v] = model.clamped(distances[v])
      nearest = V.min(nearest, distances[v])
    }
    var own = V.zero, others = V.zero, logit = V.zero
    for v in 0..<block.others {
      let isTarget = target .== V.Integers(v)
      let x = model.logit(distances[v], nearest: nearest)
      powers[v] = V.exp(x)
      logit = V.select(isTarget, x, logit)
      own = V.select(isTarget, powers[v], own)
      others = others + V.select(isTarget, V.zero, powers[v])
    }
    let loss = V.log1p(others + (own - V.one)) - logit
    (loss * weight).store(losses + block.first, first: block.count)
    guard let scale else { return }
    let reciprocal = V.one / (own + others)
    let factor = weight * scale
    for v in 0..<block.others {
      let g = V.select(target .== V.Integers(v), -others, powers[v]) * reciprocal
      powers[v] = model.coefficient(g * factor, distances[v])
    }
  }

  /// Targets; lanes behind them are 0.
  private func lanes(_ target: UnsafePointer<Int64>, _ count: Int) -> V.Integers {
    var result = V.Integers(0)
    for lane in 0..<count { result[lane] = Int(target[lane]) }
    return result
  }
}
