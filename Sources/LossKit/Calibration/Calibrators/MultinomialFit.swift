/// The mean negative log-likelihood of labels, and a penalty ½ Σ_k π_k θ_k².
struct MultinomialObjective<Design: MultinomialDesign>: NewtonObjective, SmoothObjective {
  typealias S = Design.S
  let design: Design
  let logits: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let count: Int
  /// π; none where absent.
  let penalty: UnsafePointer<Double>?
  let memory: MultinomialMemory

  var variables: Int { design.variables }

  func value(_ x: UnsafePointer<Double>) -> Double { evaluate(x, wantsGradient: false, wantsHessian: false) }

  func value(_ x: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>) -> Double {
    let value = evaluate(x, wantsGradient: true, wantsHessian: false)
    getGradient(x, gradient)
    return value
  }

  func derivatives(
    _ x: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>, hessian: UnsafeMutablePointer<Double>
  ) {
    _ = evaluate(x, wantsGradient: true, wantsHessian: true)
    getGradient(x, gradient)
    let (n, products, scale) = (variables, memory.products, 1 / Double(count))
    for i in 0..<n {
      for j in i..<n { hessian[i &* n &+ j] = -scale * products.elements[i &* products.stride &+ j] }
      hessian[i &* n &+ i] += penalty?[i] ?? 0
    }
    design.addMoments(to: hessian, scale: scale)
  }

  private func getGradient(_ x: UnsafePointer<Double>, _ gradient: UnsafeMutablePointer<Double>) {
    design.getGradient(gradient)
    for k in 0..<variables { gradient[k] = gradient[k] / Double(count) + (penalty?[k] ?? 0) * x[k] }
  }

  private func evaluate(_ x: UnsafePointer<Double>, wantsGradient: Bool, wantsHessian: Bool) -> Double {
    design.begin(x)
    if wantsHessian { memory.products.clear() }
    var sum = 0.0
    var first = 0
    while first < count {
      let n = Swift.min(BlockMatrix.capacity, count &- first)
      design.score(logits + first &* design.classes, n, x, into: memory.probs)
      for i in 0..<n { sum += softmax(memory.probs.row(i), Int(y[first &+ i])) }
      if wantsHessian {
        design.expand(n, memory.probs, into: memory.expanded)
        memory.products.addSquare(memory.expanded, depth: n, packing: memory.packed)
      }
      if wantsGradient {
        for i in 0..<n { subtractOneHot(memory.probs.row(i), Int(y[first &+ i])) }
        design.addGradient(n, memory.probs)
      }
      first &+= n
    }
    var penalties = 0.0
    if let penalty {
      for k in 0..<variables { penalties += penalty[k] * x[k] * x[k] }
    }
    return sum / Double(count) + penalties / 2
  }

  /// Turns a row of scores into probabilities, and gives the label's −log p.
  private func softmax(_ row: UnsafeMutablePointer<Double>, _ label: Int) -> Double {
    var largest = -DoubleLanes.infinity
    forEachVector(DoubleLanes.self, 0..<design.classes) { c, n in
      largest = DoubleLanes.max(DoubleLanes.load(row + c, lanes: n, fill: -.infinity), largest)
    }
    let shift = largest.maximum
    let gap = row[label] - shift
    row[label] = -.infinity
    var sum = DoubleLanes.zero
    forEachVector(DoubleLanes.self, 0..<design.classes) { c, n in
      let e = DoubleLanes.exp(DoubleLanes.load(row + c, lanes: n, fill: -.infinity) - DoubleLanes(shift))
      e.store(row + c, lanes: n)
      sum = sum + e
    }
    let others = sum.sum
    row[label] = DoubleLanes.exp(DoubleLanes(gap))[0]
    let reciprocal = DoubleLanes(1 / (others + row[label]))
    let loss = gap == 0 ? DoubleLanes.log1p(DoubleLanes(others)) : DoubleLanes.log(DoubleLanes(others + row[label]))
    forEachVector(DoubleLanes.self, 0..<design.classes) { c, n in
      (DoubleLanes.load(row + c, lanes: n) * reciprocal).store(row + c, lanes: n)
    }
    return loss[0] - gap
  }

  /// p − onehot y, where 1 − p_y is the sum of the others.
  private func subtractOneHot(_ row: UnsafeMutablePointer<Double>, _ label: Int) {
    row[label] = 0
    var others = DoubleLanes.zero
    forEachVector(DoubleLanes.self, 0..<design.classes) { c, n in others = others + DoubleLanes.load(row + c, lanes: n) }
    row[label] = -others.sum
  }
}

/// What the blocks of an evaluation need, and a Hessian if one is wanted.
struct MultinomialMemory {
  let probs, expanded: BlockMatrix
  let products: BlockProduct
  let packed: UnsafeMutablePointer<Double>

  /// - Parameter hessian: its number of variables; 0 if there is none.
  init(_ arena: inout Arena, classes: Int, hessian: Int) {
    probs = BlockMatrix(&arena, columns: classes)
    expanded = BlockMatrix(&arena, columns: hessian)
    products = BlockProduct(&arena, rows: hessian, columns: hessian)
    packed = arena.take(
      Double.self, RightFactor<DoubleLanes>.packedCount(columns: hessian, depth: BlockMatrix.capacity))
  }
}

/// The fit of a design, by Newton's method or, without a Hessian, by L-BFGS.
struct MultinomialFit {
  static let tolerance = 1e-9

  /// Minimises from `x` on and leaves the minimum there; `found` gets the value and whether it is a minimum.
  @inline(__always)
  static func run<Design: MultinomialDesign>(
    _ logits: UnsafePointer<Design.S>, _ y: UnsafePointer<Int64>, _ count: Int, penalty: UnsafePointer<Double>?,
    from x: UnsafeMutablePointer<Double>, variables n: Int, classes: Int, usesHessian: Bool,
    design: (inout Arena) -> Design, found: (Double, Bool) -> Void
  ) -> Status {
    withWorkspace(layout: {
      (
        design: design(&$0), memory: MultinomialMemory(&$0, classes: classes, hessian: usesHessian ? n : 0),
        newton: NewtonMinimization(&$0, variables: usesHessian ? n : 0),
        quasi: QuasiNewtonMinimization(&$0, variables: usesHessian ? 0 : n)
      )
    }) { memory in
      memory.memory.probs.clear()
      memory.memory.expanded.clear()
      let objective = MultinomialObjective(
        design: memory.design, logits: logits, y: y, count: count, penalty: penalty, memory: memory.memory)
      if usesHessian {
        let result = memory.newton.minimise(objective, x, tolerance: tolerance)
        found(result.value, result.isConverged())
      } else {
        let result = memory.quasi.minimise(objective, x, tolerance: tolerance)
        found(result.value, result.isConverged())
      }
      return .ok
    }
  }
}
