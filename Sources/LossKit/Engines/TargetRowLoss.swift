// Losses of rows of logits with one integer target each.

/// What an engine knows of one class of a row, the target or any other, when a formula runs; lane r for row r.
struct ClassProbability<V: Lanes> {
  /// p, the softmax probability.
  let probability: V
  /// 1 − p, computed without cancellation.
  let complement: V
  /// ν = −log p.
  let nu: V
  /// What rounding took from ν: to be put back where e^ν is formed of a large one.
  var nuRest = V.zero
  /// The factor of the class, for formulas that apply it themselves.
  var factor = V.one
}

typealias TargetRow = ClassProbability

/// A formula of one class: a value and `ψ`, its derivative by ν.
protocol ProbabilityFormula {
  associatedtype V: Lanes
  /// Does the formula apply the factor of the class? Else the engine multiplies value and ψ with it.
  static var appliesFactor: Bool { get }
  func evaluate(_ c: ClassProbability<V>) -> (value: V, psi: V)
}

extension ProbabilityFormula {
  static var appliesFactor: Bool { false }
}

/// A loss that is a function of p_y alone. Its gradient is `dL/dz_j = ψ (p_j − [j = y])` with `ψ = dL/dν`, so the formula
/// states the value and ψ and nothing else.
protocol TargetRowLoss: ProbabilityFormula {
  /// Can ψ be infinite? Classes of probability 0 have gradient 0 all the same.
  static var isUnbounded: Bool { get }
}

extension TargetRowLoss {
  static var isUnbounded: Bool { false }
}

/// Targets and the class weights that go with them.
struct Targets<S: Scalar> {
  /// One class per row, or `ignoreIndex`.
  let classes: UnsafePointer<Int64>
  /// Rows with this target do not count; nil where the loss has no such target.
  let ignoreIndex: Int64?
  /// A factor per class, applied to the loss of the rows with that target; 1 where absent.
  let classFactor: UnsafePointer<S>?
  /// Is the factor a weight, which enters the mean's denominator, or part of the loss's formula?
  let factorIsWeight: Bool

  /// The sum of the weights that count, or nil if a target is out of range.
  @inline(never)
  func denominator(_ rows: Int, classCount: Int, _ sampleWeight: UnsafePointer<S>?) -> Double? {
    let weight = factorIsWeight ? classFactor : nil
    if weight == nil && sampleWeight == nil {
      // An ignored target may or may not lie among the classes.
      typealias Wide = DoubleLanes.Integers
      let ignored = Wide(Int(ignoreIndex ?? -1)), end = Wide(classCount)
      var ignoredCounts = Wide(0), bad = Wide(0)
      let whole = rows / DoubleLanes.count &* DoubleLanes.count
      var row = 0
      while row < whole {
        let target = Wide.load(classes + row)
        let isIgnored = ignoreIndex == nil ? Wide(0) : target .== ignored
        ignoredCounts = ignoredCounts &- isIgnored
        bad = bad | (~isIgnored & ((target .< Wide(0)) | ~(target .< end)))
        row &+= DoubleLanes.count
      }
      var counted = rows
      for lane in 0..<DoubleLanes.count { counted &-= ignoredCounts[lane] }
      var outOfRange = bad.any
      while row < rows {
        let target = classes[row]
        if let ignoreIndex, target == ignoreIndex {
          counted &-= 1
        } else if UInt64(bitPattern: target) >= UInt64(classCount) {
          outOfRange = true
        }
        row &+= 1
      }
      return outOfRange ? nil : Double(counted)
    }
    // Eight running sums: one would wait for itself.
    var sums = InlineArray<8, Double>(repeating: 0)
    for row in 0..<rows {
      let target = classes[row]
      if let ignoreIndex, target == ignoreIndex { continue }
      if UInt64(bitPattern: target) >= UInt64(classCount) { return nil }
      let w = weight.map { $0[Int(target)].double } ?? 1
      sums[row & 7] += w * (sampleWeight.map { $0[row].double } ?? 1)
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
  }

  /// The targets of a tile's rows.
  @inline(never)
  func load(_ rows: RowSlice, _ sampleWeight: UnsafePointer<S>?) -> RowTargets<S.Vector> {
    var result = RowTargets<S.Vector>()
    result.sampleWeight = sampleWeight.map { rows.load($0) } ?? S.Vector.one
    let isNarrow = ignoreIndex.map { Int64(Int32(truncatingIfNeeded: $0)) == $0 } ?? true
    if rows.count == S.Vector.count, classFactor == nil, isNarrow {
      // A whole tile without factors. Targets are in the range of 32 bits, so narrowing cannot confuse them with an
      // ignored one that is as well.
      let target = S.Vector.Integers.load(classes + rows.first)
      result.counts = ignoreIndex.map { ~(target .== S.Vector.Integers(Int($0))) } ?? ~result.counts
      result.target = target & result.counts
      result.factor = S.Vector.one
      return result
    }
    for row in 0..<rows.count {
      let target = classes[rows.first &+ row]
      if let ignoreIndex, target == ignoreIndex { continue }
      result.target[row] = Int(target)
      result.factor[row] = classFactor.map { $0[Int(target)] } ?? 1
      result.counts[row] = -1
    }
    return result
  }
}

/// The targets of a tile's rows; ignored rows have target 0 and a false `counts`.
struct RowTargets<V: Lanes> {
  var target = V.Integers(0)
  var factor = V.zero
  var sampleWeight = V.one
  var counts = V.Integers(0)

  /// The losses of the rows with their weights. A class of weight 0 does not count, also where its loss is infinite.
  @inline(__always) func weighted(_ losses: V) -> V {
    V.select(counts, losses.scaled(by: factor) * sampleWeight, V.zero)
  }
}

extension Lanes {
  /// A loss multiplied with a factor: 0 for a factor of 0, also where the loss is infinite.
  @inline(__always) func scaled(by factor: Self) -> Self {
    Self.select((factor .== Self.zero) & (magnitude .== Self.infinity), Self.zero, self) * factor
  }
}

/// Value and gradient of a loss of rows with integer targets. INVALID_TARGET if one is out of range.
@inline(__always)
func targetRowLoss<L: TargetRowLoss>(
  _ loss: L, _ shape: RowShape, _ z: UnsafePointer<L.V.Element>, _ targets: Targets<L.V.Element>,
  _ call: LossCall<L.V.Element>
) -> Status {
  guard let denominator = targets.denominator(shape.rows, classCount: shape.classes, call.sampleWeight) else {
    return .invalidTarget
  }
  LossSink.run(call, denominator: denominator) { sink in
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: nil, output: call.grad),
      TargetRowKernel(loss: loss, targets: targets, sink: sink))
  }
  return .ok
}

/// The same with the arguments of a public function, which are checked first.
///
/// - Parameter classFactor: a factor of each class that is part of the loss; 1 where absent.
@inline(__always)
func targetRowLoss<L: TargetRowLoss>(
  _ formula: L, _ z: UnsafePointer<L.V.Element>?, _ target: UnsafePointer<Int64>?,
  _ shape: (outer: Int, classes: Int, inner: Int), classFactor: UnsafePointer<L.V.Element>? = nil,
  smallestClassCount: Int = 1, _ reduction: Reduction, _ sampleWeight: UnsafePointer<L.V.Element>?,
  _ loss: UnsafeMutablePointer<L.V.Element>?, _ grad: UnsafeMutablePointer<L.V.Element>?
) -> Status {
  withCheckedRows(z, target, shape, smallestClassCount: smallestClassCount, reduction, sampleWeight, loss, grad) {
    targetRowLoss(
      formula, $0, $1, Targets(classes: $2, ignoreIndex: nil, classFactor: classFactor, factorIsWeight: false), $3)
  }
}

/// Checks what all losses of rows have for arguments, and runs `body` with what it takes to work.
@inline(__always)
func withCheckedRows<S: Scalar, Target>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Target>?, _ shape: (outer: Int, classes: Int, inner: Int),
  smallestClassCount: Int = 1, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?,
  _ body: (RowShape, UnsafePointer<S>, UnsafePointer<Target>, LossCall<S>) -> Status
) -> Status {
  guard let rows = RowShape(shape.outer, shape.classes, shape.inner), rows.classes >= smallestClassCount else {
    return .invalidShape
  }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if rows.rows == 0 { return call.empty }
  guard let z, let target else { return .nullPointer }
  guard areWeights(sampleWeight, rows.rows) else { return .invalidValue }
  return body(rows, z, target, call)
}

private struct TargetRowKernel<L: TargetRowLoss>: RowKernel {
  typealias V = L.V
  let loss: L
  let targets: Targets<V.Element>
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { false }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    var row = targets.load(tile.rows, sink.call.sampleWeight)
    var k = RowConstants<V>(target: row.target)
    let softmax = tile.softmax(&k, keep: sink.call.grad != nil)
    let result = loss.evaluate(
      TargetRow(
        probability: softmax.probability, complement: softmax.complement, nu: softmax.nu, nuRest: softmax.nuRest,
        factor: row.factor))
    if L.appliesFactor { row.factor = V.one }

    sink.deposit(row.weighted(result.value), first: tile.firstRow, count: tile.count, &partial)

    if sink.call.grad == nil { return }
    tile.writeTargetGradient(
      result.psi * (row.factor * row.sampleWeight) * sink.gradientScale, softmax, row, isUnbounded: L.isUnbounded)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}

/// The softmax of a tile's rows, from the side of their targets.
struct TargetSoftmax<V: Lanes> {
  /// p_y, 1 − p_y without cancellation, ν = −log p_y, and what rounding took from ν.
  let probability, complement, nu, nuRest: V
  /// 1 / Σ e^{z − shift}; the shift is the row's maximum.
  let reciprocal: V

  /// - Parameter others: the sum of `e^{(z − shift)/T}` over all classes but the target: the rest is 1 − p_y, without a
  ///   subtraction.
  @inline(__always) init(others: V, own: OwnLogit<V>) {
    let sum = V.definedSum(others + own.exponential)
    reciprocal = V.one / sum
    probability = own.exponential * reciprocal
    complement = others * reciprocal
    // log Σ − x, with log Σ = log1p(Σ − 1): exact to the last bits where p_y is close to 1.
    let (nu, nuRest) = own.below(V.log1p(others + (own.exponential - V.one)))
    self.nu = V.select(sum .== sum, nu, V.nan)
    self.nuRest = nuRest
  }
}

extension RowTile {
  /// The statistics of softmax(z/T) at the rows' targets, `k.target`. Leaves the shift in `k.a`.
  ///
  /// - Parameter keep: keep `e^{(z − shift)/T}` in the output; 0 at the target.
  @inline(__always)
  func softmax(_ k: inout RowConstants<V>, keep: Bool, temperature: Double = 1) -> TargetSoftmax<V> {
    let softmax: TargetSoftmax<V>
    (softmax, k.a) = targetSoftmax(k.target, keep: keep, ScaledExponential(temperature: temperature), temperature)
    return softmax
  }

  @inline(never)
  private func targetSoftmax(
    _ target: V.Integers, keep: Bool, _ exponential: ScaledExponential<V>, _ temperature: Double
  ) -> (TargetSoftmax<V>, shift: V) {
    // Gathered first: by the time it is wanted it is there.
    let own = gathered(at: target)
    let k = RowConstants<V>(a: V.shift(maximum()), target: target)
    let others = sumOfOthers(k, keep: keep, exponential)
    return (TargetSoftmax(others: others, own: OwnLogit(own, shift: k.a, temperature: temperature)), k.a)
  }

  /// Σ e^{(z − k.a)/T} over the classes but `k.target`.
  @inline(__always)
  private func sumOfOthers(_ k: RowConstants<V>, keep: Bool, _ exponential: ScaledExponential<V>) -> V {
    specialized { tile in
      tile.sum(k, keep: keep, isCommon: true) { e, k in
        V.select(e.classes .== k.target, V.zero, exponential(e.x - k.a))
      }
    }
  }

  /// Writes the gradient `ψ (p_j − [j = y])` from the exponentials that `softmax` has kept.
  @inline(never)
  fileprivate func writeTargetGradient(
    _ psi: V, _ softmax: TargetSoftmax<V>, _ row: RowTargets<V>, isUnbounded: Bool
  ) {
    // b is −1 or 0: an ignored row may hold NaN, and its gradient is 0 all the same.
    let k = RowConstants<V>(a: psi * softmax.reciprocal, b: V(row.counts), c: psi)
    if isUnbounded, (psi.magnitude .== V.infinity).any {
      map(k) { e, k in
        let vanishes = (e.kept .== V.zero) & (k.c.magnitude .== V.infinity)
        return V.select((k.b .< V.zero) & ~vanishes, e.kept * k.a, V.zero)
      }
    } else {
      specialized { $0.map(k, isCommon: true) { e, k in V.select(k.b .< V.zero, e.kept * k.a, V.zero) } }
    }
    scatter(V.select(row.counts, -psi * softmax.complement, V.zero), at: row.target)
  }

  /// The same from the sum of `e^{(z − shift)/T}` over the other classes, with the shift in `k.a`.
  @inline(__always)
  func targetSoftmax(_ k: RowConstants<V>, others: V, temperature: Double = 1) -> TargetSoftmax<V> {
    TargetSoftmax(others: others, own: OwnLogit(inputs(at: k.target), shift: k.a, temperature: temperature))
  }
}

/// The logits of the rows' targets, `(z_y − shift)/T`, with what rounding took: beside the other classes a small p_y counts
/// for nothing, but losses of large ν are made of it.
struct OwnLogit<V: Lanes> {
  private let x, rest: V
  /// `e^{(z_y − shift)/T}`
  let exponential: V

  @inline(__always) init(_ logit: V, shift: V, temperature: Double = 1) {
    var (x, rest) = V.difference(logit, shift)
    if temperature != 1 {
      let temperature = V(V.usable(temperature))
      let quotient = x / temperature
      rest = (V.fma(-quotient, temperature, x) + rest) / temperature
      x = quotient
    }
    self.x = x
    self.rest = V.finite(rest)
    let e = V.exp(x)
    exponential = V.fma(e, self.rest, e)
  }

  /// `logSum − (z_y − shift)/T`, which is ν, and what rounding took from it.
  @inline(__always) func below(_ logSum: V) -> (nu: V, rest: V) {
    let (nu, missing) = V.difference(logSum, x)
    return (nu, V.finite(missing - rest))
  }
}

extension Lanes {
  /// a − b as rounded, and what rounding took.
  @inline(__always) static func difference(_ a: Self, _ b: Self) -> (rounded: Self, rest: Self) {
    let rounded = a - b
    let b2 = a - rounded
    return (rounded, (a - (rounded + b2)) + (b2 - b))
  }

  /// A correction; 0 where what it corrects is not finite.
  @inline(__always) static func finite(_ x: Self) -> Self { select(x.magnitude .< infinity, x, zero) }
}
