// Gradients and diagonal Hessians of losses of rows of logits, weighted, but not reduced: what boosters ask for.

/// A loss of rows that is a function L(ν) of ν = −log p_y alone, by its derivatives ψ = dL/dν and κ = d²L/dν².
///
///     dL/dz_j = ψ d_j,   d²L/dz_j² = ψ c p_j (1 − p_j) + κ d_j²,   d_j = p_j − [j = y],   c = 1
protocol RowObjective {
  associatedtype V: Lanes
  /// The factor c, which some boosters have.
  var spread: V { get }
  func evaluate(_ row: TargetRow<V>) -> (psi: V, curvature: V)
}

extension RowObjective {
  @inline(__always) var spread: V { V.one }
}

/// The weighted gradients and Hessians of an objective with integer targets, with the arguments of a public function,
/// which are checked first.
///
/// - Parameters:
///   - classFactor: a factor of each class that is part of the loss; 1 where absent.
///   - smallestHessian: a floor under the weighted Hessians; −inf is none.
@inline(__always)
func rowObjective<O: RowObjective>(
  _ objective: O, _ z: UnsafePointer<O.V.Element>?, _ target: UnsafePointer<Int64>?,
  _ shape: (outer: Int, classes: Int, inner: Int), classFactor: UnsafePointer<O.V.Element>? = nil,
  _ sampleWeight: UnsafePointer<O.V.Element>?, smallestHessian: Double, _ grad: UnsafeMutablePointer<O.V.Element>?,
  _ hess: UnsafeMutablePointer<O.V.Element>?
) -> Status {
  checkedObjective(shape, z, target, sampleWeight, smallestHessian) { rows, z, target in
    let targets = Targets(classes: target, ignoreIndex: nil, classFactor: classFactor, factorIsWeight: false)
    guard targets.denominator(rows.rows, classCount: rows.classes, nil) != nil else { return .invalidTarget }
    runRowObjective(
      objective, SmoothedTargets(labelSmoothing: 0, classes: rows.classes), rows, z, second: z, targets, sampleWeight,
      smallestHessian, grad, hess)
    return .ok
  }
}

/// The same with dense targets, shaped as `z`, for an objective that needs no p_y: d_j = p_j − t_j.
@inline(__always)
func rowObjective<O: RowObjective>(
  _ objective: O, _ z: UnsafePointer<O.V.Element>?, dense target: UnsafePointer<O.V.Element>?,
  _ shape: (outer: Int, classes: Int, inner: Int), _ sampleWeight: UnsafePointer<O.V.Element>?,
  smallestHessian: Double, _ grad: UnsafeMutablePointer<O.V.Element>?, _ hess: UnsafeMutablePointer<O.V.Element>?
) -> Status {
  checkedObjective(shape, z, target, sampleWeight, smallestHessian) { rows, z, target in
    runRowObjective(
      objective, DenseTargets(labelSmoothing: 0, classes: rows.classes), rows, z, second: target, nil, sampleWeight,
      smallestHessian, grad, hess)
    return .ok
  }
}

@inline(__always)
private func checkedObjective<S: Scalar, Target>(
  _ shape: (outer: Int, classes: Int, inner: Int), _ z: UnsafePointer<S>?, _ target: UnsafePointer<Target>?,
  _ sampleWeight: UnsafePointer<S>?, _ smallestHessian: Double,
  _ body: (RowShape, UnsafePointer<S>, UnsafePointer<Target>) -> Status
) -> Status {
  guard let rows = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  guard smallestHessian < .infinity else { return .invalidParameter }
  if rows.rows == 0 { return .ok }
  guard let z, let target else { return .nullPointer }
  guard areWeights(sampleWeight, rows.rows) else { return .invalidValue }
  return body(rows, z, target)
}

@inline(__always)
private func runRowObjective<O: RowObjective, D: TargetDistribution>(
  _ objective: O, _ distribution: D, _ shape: RowShape, _ z: UnsafePointer<O.V.Element>,
  second: UnsafePointer<O.V.Element>, _ targets: Targets<O.V.Element>?, _ sampleWeight: UnsafePointer<O.V.Element>?,
  _ smallestHessian: Double, _ grad: UnsafeMutablePointer<O.V.Element>?, _ hess: UnsafeMutablePointer<O.V.Element>?
) where D.V == O.V {
  // The exponentials are kept in the first output, which therefore has to exist.
  guard let output = grad ?? hess else { return }
  forEachRowTile(
    shape,
    RowArrays(first: z, second: second, perClass: nil, output: output, secondOutput: grad == nil ? nil : hess),
    RowObjectiveKernel(
      objective: objective, distribution: distribution, targets: targets, sampleWeight: sampleWeight,
      floor: O.V(smallestHessian), hasGradient: grad != nil))
}

private struct RowObjectiveKernel<O: RowObjective, D: TargetDistribution>: RowVisitor where D.V == O.V {
  typealias V = O.V
  let objective: O
  let distribution: D
  let targets: Targets<V.Element>?
  let sampleWeight: UnsafePointer<V.Element>?
  let floor: V
  let hasGradient: Bool
  static var usesSecond: Bool { D.usesSecond }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>()
    let excess = tile.excess(&k, keep: true) { isMaximum, term in V.select(isMaximum, V.zero, term) }
    let sum = V.definedSum(excess + V.one)
    k.b = V.one / sum
    k.c = excess * k.b
    var weight = sampleWeight.map { tile.rows.load($0) } ?? V.one
    var row = TargetRow(probability: V.one, complement: V.zero, nu: V.zero)
    if let targets {
      let loaded = targets.load(tile.rows, nil)
      k.target = loaded.target
      weight = weight * loaded.factor
      var x = V.zero
      for r in 0..<tile.count { x[r] = tile.input(row: r, class: k.target[r]) }
      x = x - k.a
      let (probability, complement) = probabilities(x .== V.zero, V.exp(x), k)
      row = TargetRow(probability: probability, complement: complement, nu: V.log1p(excess) - x)
    }
    let derivatives = objective.evaluate(row)
    k.d = derivatives.psi * weight
    // Finite: it may become large where d is 0.
    k.e = V.min(V(V.Element.greatestFiniteMagnitude), derivatives.curvature * weight)
    tile.mapToBoth(k) { e, k in
      let (p, complement) = probabilities(e.x .== k.a, e.kept, k)
      let t = distribution.weight(e, k.target)
      // p − t, with the complements where both may be close to 1.
      let d = V.select(p .> V(0.5), (V.one - t) - complement, p - t)
      let gradient = k.d * d
      let hessian = V.max(floor, V.fma((k.d * objective.spread) * p, complement, (k.e * d) * d))
      return (hasGradient ? gradient : hessian, hessian)
    }
  }

  /// p and 1 − p of an element from its exponential; k: the shift, 1 / Σ and (Σ − 1) / Σ. Only a maximum can come close
  /// to probability 1.
  @inline(__always)
  private func probabilities(_ isMaximum: V.Integers, _ exponential: V, _ k: RowConstants<V>) -> (p: V, complement: V) {
    let p = V.select(isMaximum, k.b, exponential * k.b)
    return (p, V.select(isMaximum, k.c, V.one - p))
  }
}
