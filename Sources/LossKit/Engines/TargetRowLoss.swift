// Losses of rows of logits with one integer target each.

/// What the engine knows of a row when its formula runs; lane r for row r.
struct TargetRow<V: Lanes> {
  /// p_y, the softmax probability of the target.
  let probability: V
  /// 1 − p_y, computed without cancellation.
  let complement: V
  /// ν = −log p_y.
  let nu: V
}

/// A loss that is a function of p_y alone. Its gradient is `dL/dz_j = ψ (p_j − [j = y])` with `ψ = dL/dν`, so the formula
/// states the value and ψ and nothing else.
protocol TargetRowLoss {
  associatedtype V: Lanes
  func evaluate(_ row: TargetRow<V>) -> (value: V, psi: V)
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
    let isNothing = (factor .== V.zero) & (losses.magnitude .== V.infinity)
    return V.select(counts, V.select(isNothing, V.zero, losses) * (factor * sampleWeight), V.zero)
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
  guard let rows = RowShape(shape.outer, shape.classes, shape.inner), rows.classes >= smallestClassCount else {
    return .invalidShape
  }
  let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: loss, grad: grad)
  if rows.rows == 0 { return call.empty }
  guard let z, let target else { return .nullPointer }
  guard areWeights(sampleWeight, rows.rows) else { return .invalidValue }
  return targetRowLoss(
    formula, rows, z, Targets(classes: target, ignoreIndex: nil, classFactor: classFactor, factorIsWeight: false), call)
}

private struct TargetRowKernel<L: TargetRowLoss>: RowKernel {
  typealias V = L.V
  let loss: L
  let targets: Targets<V.Element>
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { false }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run<Tile: RowTile>(_ tile: Tile, _ partial: inout LossSink<V.Element>.Partial) where Tile.V == V {
    let row = targets.load(tile.rows, sink.call.sampleWeight)
    var k = RowConstants<V>(target: row.target)
    let softmax = tile.softmax(&k, keep: sink.call.grad != nil)
    let result = loss.evaluate(
      TargetRow(probability: softmax.probability, complement: softmax.complement, nu: softmax.nu))

    sink.deposit(row.weighted(result.value), first: tile.firstRow, count: tile.count, &partial)

    if sink.call.grad == nil { return }
    let psi = result.psi * (row.factor * row.sampleWeight) * sink.gradientScale
    k.a = psi * softmax.reciprocal
    k.b = V(row.counts)  // −1 or 0: an ignored row may hold NaN, and its gradient is 0 all the same
    tile.map(k) { e, k in V.select(k.b .< V.zero, e.kept * k.a, V.zero) }
    let atTarget = V.select(row.counts, -psi * softmax.complement, V.zero)
    tile.setOutputs(at: row.target, atTarget)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}

/// The softmax of a tile's rows, from the side of their targets.
struct TargetSoftmax<V: Lanes> {
  /// p_y, 1 − p_y without cancellation, and ν = −log p_y.
  let probability, complement, nu: V
  /// 1 / Σ e^{z − shift}; the shift is the row's maximum.
  let reciprocal: V

  /// - Parameters:
  ///   - others: the sum of e^{z − shift} over all classes but the target: the rest is 1 − p_y, without a subtraction.
  ///   - x: z_y − shift.
  @inline(__always) init(others: V, logit x: V) {
    let own = V.exp(x)
    let sum = V.definedSum(others + own)
    reciprocal = V.one / sum
    probability = own * reciprocal
    complement = others * reciprocal
    // log Σ − x, with log Σ = log1p(Σ − 1): exact to the last bits where p_y is close to 1.
    nu = V.select(sum .== sum, V.log1p(others + (own - V.one)) - x, V.nan)
  }
}

extension RowTile {
  /// The statistics of softmax at the rows' targets, `k.target`. Leaves the shift in `k.a`.
  ///
  /// - Parameter keep: keep `e^{z − shift}` in the output; 0 at the target.
  @inline(__always) func softmax(_ k: inout RowConstants<V>, keep: Bool) -> TargetSoftmax<V> {
    let exponential = ScaledExponential<V>(temperature: 1)
    // Gathered first: by the time it is wanted it is there.
    let x = inputs(at: k.target)
    k.a = V.shift(maximum { $0.x })
    let others = sum(k, keep: keep) { e, k in V.select(e.classes .== k.target, V.zero, exponential(e.x - k.a)) }
    return TargetSoftmax(others: others, logit: x - k.a)
  }
}
