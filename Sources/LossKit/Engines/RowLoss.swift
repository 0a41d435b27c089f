// Losses of rows that take more than p_y, or no softmax at all: they make their own passes over the rows.

/// A loss of rows with a target each. The formula makes the passes that it needs over a tile of rows; the engine has the
/// targets, the weights, the reduction and the pass that writes the gradient.
///
///     evaluate:    the rows' values; leaves in k what the gradient needs
///     derivative:  dL/dx of an element e, from k
protocol RowLoss {
  associatedtype V: Lanes
  /// Does it read the second input, such as dense targets?
  static var usesSecond: Bool { get }
  /// Is the derivative at the target a number that `evaluate` leaves in `k.atTarget`?
  static var derivesTargetApart: Bool { get }
  static var memory: KernelMemory { get }
  /// For what must be known of all rows: called once, before the first is evaluated.
  func prepare(_ shape: RowShape, _ z: UnsafePointer<V.Element>, _ targets: Targets<V.Element>?)
  /// - Parameters:
  ///   - k: has the rows' targets (0 where targets are dense).
  ///   - scale: what each row's gradient is multiplied with: leave it in k, by itself or as part of another constant.
  ///   - keep: is a gradient wanted? Only then may a pass keep its terms in the output, for `derivative` to use.
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V
  func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V
  /// Writes the gradient: the derivative of every element, unless the formula has a way of its own.
  func differentiate(_ tile: RowTile<V>, _ k: RowConstants<V>)
}

extension RowLoss {
  static var usesSecond: Bool { false }
  static var memory: KernelMemory { .none }
  static var derivesTargetApart: Bool { false }
  @inline(__always)
  func prepare(_ shape: RowShape, _ z: UnsafePointer<V.Element>, _ targets: Targets<V.Element>?) {}

  @inline(__always) func differentiate(_ tile: RowTile<V>, _ k: RowConstants<V>) {
    tile.map(k) { e, k in derivative(e, k) }
    if Self.derivesTargetApart { tile.setOutputs(at: k.target, k.atTarget) }
  }
}

/// A row loss whose `evaluate` has written the gradient when it returns.
protocol SparseRowLoss: RowLoss {}

extension SparseRowLoss {
  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { V.zero }
  @inline(__always) func differentiate(_ tile: RowTile<V>, _ k: RowConstants<V>) {}
}

/// A row loss that keeps its derivative up to a factor of each row, which it leaves in `k.a`; the derivative at the target,
/// a number apart, in `k.atTarget`.
protocol ScaledRowLoss: RowLoss {}

extension ScaledRowLoss {
  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { e.kept * k.a }
  @inline(__always) func differentiate(_ tile: RowTile<V>, _ k: RowConstants<V>) {
    tile.scaleKept(k.a, target: k.target, k.atTarget)
  }
}

extension RowTile {
  /// Multiplies what has been kept with a factor of each row, and writes one element of each.
  @inline(never) fileprivate func scaleKept(_ factor: V, target: V.Integers, _ atTarget: V) {
    specialized { $0.map(RowConstants(a: factor), isCommon: true) { e, k in e.kept * k.a } }
    scatter(atTarget, at: target)
  }
}

/// Value and gradient of a row loss with the arguments of a public function, which are checked first.
///
/// - Parameters:
///   - target: one class per row.
///   - perClass: what the formula finds in `e.perClass`, checked by the caller.
///   - classFactor: a factor of each class that is part of the loss of the rows with that target; 1 where absent.
///   - extraClasses: targets may also name so many classes that follow those of `z`.
@inline(__always)
func rowLoss<L: RowLoss>(
  _ formula: L, _ z: UnsafePointer<L.V.Element>?, _ target: UnsafePointer<Int64>?,
  _ shape: (outer: Int, classes: Int, inner: Int), second: UnsafePointer<L.V.Element>? = nil,
  perClass: UnsafePointer<L.V.Element>? = nil, classFactor: UnsafePointer<L.V.Element>? = nil, extraClasses: Int = 0,
  smallestClassCount: Int = 1, _ reduction: Reduction, _ sampleWeight: UnsafePointer<L.V.Element>?,
  _ loss: UnsafeMutablePointer<L.V.Element>?, _ grad: UnsafeMutablePointer<L.V.Element>?
) -> Status {
  withCheckedRows(z, target, shape, smallestClassCount: smallestClassCount, reduction, sampleWeight, loss, grad) {
    rows, z, target, call in
    guard areWeights(classFactor, rows.classes) else { return .invalidValue }
    let targets = Targets(classes: target, ignoreIndex: nil, classFactor: classFactor, factorIsWeight: false)
    let classCount = rows.classes &+ extraClasses
    guard let denominator = targets.denominator(rows.rows, classCount: classCount, sampleWeight) else {
      return .invalidTarget
    }
    let arrays = RowArrays(first: z, second: second ?? z, perClass: perClass, output: grad)
    runRowLoss(formula, rows, arrays, targets, denominator, call)
    return .ok
  }
}

/// The same with dense targets, shaped as `z`: the formula finds them in `e.y`.
@inline(__always)
func rowLoss<L: RowLoss>(
  _ formula: L, _ z: UnsafePointer<L.V.Element>?, dense target: UnsafePointer<L.V.Element>?,
  _ shape: (outer: Int, classes: Int, inner: Int), perClass: UnsafePointer<L.V.Element>? = nil,
  smallestClassCount: Int = 1, _ reduction: Reduction, _ sampleWeight: UnsafePointer<L.V.Element>?,
  _ loss: UnsafeMutablePointer<L.V.Element>?, _ grad: UnsafeMutablePointer<L.V.Element>?
) -> Status {
  withCheckedRows(z, target, shape, smallestClassCount: smallestClassCount, reduction, sampleWeight, loss, grad) {
    rows, z, target, call in
    let arrays = RowArrays(first: z, second: target, perClass: perClass, output: grad)
    runRowLoss(formula, rows, arrays, nil, sumOfSampleWeights(sampleWeight, rows.rows), call)
    return .ok
  }
}

@inline(__always)
private func runRowLoss<L: RowLoss>(
  _ formula: L, _ shape: RowShape, _ arrays: RowArrays<L.V.Element>, _ targets: Targets<L.V.Element>?,
  _ denominator: Double, _ call: LossCall<L.V.Element>
) {
  formula.prepare(shape, arrays.first, targets)
  LossSink.run(call, denominator: denominator) { sink in
    forEachRowTile(shape, arrays, RowLossKernel(formula: formula, targets: targets, sink: sink))
  }
}

private struct RowLossKernel<L: RowLoss>: RowKernel {
  typealias V = L.V
  let formula: L
  let targets: Targets<V.Element>?
  let sink: LossSink<V.Element>
  static var usesSecond: Bool { L.usesSecond }
  static var memory: KernelMemory { L.memory }
  var empty: LossSink<V.Element>.Partial { sink.empty }

  @inline(__always)
  func run(_ tile: RowTile<V>, _ partial: inout LossSink<V.Element>.Partial) {
    var row = RowTargets<V>()
    if let targets {
      row = targets.load(tile.rows, sink.call.sampleWeight)
    } else {
      row.factor = V.one
      row.sampleWeight = sink.weights(tile.rows)
      row.counts = ~row.counts
    }
    var k = RowConstants<V>(target: row.target)
    let scale = row.factor * row.sampleWeight * sink.gradientScale
    let value = formula.evaluate(tile, &k, scale: scale, keep: sink.call.grad != nil)
    sink.deposit(row.weighted(value), first: tile.firstRow, count: tile.count, &partial)
    if sink.call.grad == nil { return }
    formula.differentiate(tile, k)
  }

  @inline(__always) func finish(_ partial: LossSink<V.Element>.Partial, part: Int) { sink.finish(partial, part: part) }
}
