// The passes of linear_cross_entropy over tiles of classes by rows. In a tile lanes run across rows: what belongs to a row
// is a lane, and a class is a row of the tile.

struct LinearLossTiles<V: Lanes> {
  typealias S = V.Element
  let embeddings, classMatrix: MatrixRows<S>
  let call: LinearLossCall<S>
  let plan: LinearLossPlan
  let memory: LinearLossMemory<V>
  let softcap: Softcap<V>

  init(
    _ e: UnsafePointer<S>, _ c: UnsafePointer<S>, call: LinearLossCall<S>, plan: LinearLossPlan,
    memory: LinearLossMemory<V>
  ) {
    embeddings = MatrixRows(elements: e, stride: plan.dimension, index: UnsafePointer(memory.rows.index))
    classMatrix = MatrixRows(elements: c, stride: plan.dimension)
    self.call = call
    self.plan = plan
    self.memory = memory
    softcap = Softcap(call.softcap)
  }

  var rows: LinearLossRows { memory.rows }

  func rowsOfUnit(_ unit: Int) -> Range<Int> {
    unit &* plan.rowsInUnit..<Swift.min(plan.rows, (unit &+ 1) &* plan.rowsInUnit)
  }

  func classesOfUnit(_ unit: Int) -> Range<Int> {
    unit &* plan.classesInUnit..<Swift.min(plan.classes, (unit &+ 1) &* plan.classesInUnit)
  }

  /// Packs a stripe of rows as right factors of the scores, one for each block.
  func packRows(_ stripe: Range<Int>, _ scratch: LinearLossScratch<V>) {
    forEachPiece(of: stripe, plan.rowsInBlock) { block in
      _ = RightFactor<V>(
        packingTransposed: embeddings.from(block.lowerBound), columns: block.count, depth: plan.dimension,
        into: scratch.packedRowsTransposed + (block.lowerBound &- stripe.lowerBound) &* plan.dimension)
    }
  }

  /// Packs a block of classes as the left factor of the scores.
  func packClasses(_ classes: Range<Int>, _ scratch: LinearLossScratch<V>) -> LeftFactor<V> {
    LeftFactor(
      packing: classMatrix.from(classes.lowerBound), rows: classes.count, depth: plan.dimension,
      into: scratch.packedClasses)
  }

  /// The scores of a tile, before the softcap.
  func score(
    _ left: LeftFactor<V>, _ classes: Range<Int>, _ block: Range<Int>, of stripe: Range<Int>,
    _ scratch: LinearLossScratch<V>
  ) {
    if let bias = call.bias {
      for c in 0..<classes.count {
        let b = V(bias[classes.lowerBound &+ c])
        forEachRowVector(block) { row in b.store(scratch.scores + (c &* plan.rowsInBlock &+ row)) }
      }
    }
    let right = RightFactor<V>(
      packed: scratch.packedRowsTransposed + (block.lowerBound &- stripe.lowerBound) &* plan.dimension,
      depth: plan.dimension)
    multiply(
      left, right, rows: classes.count, columns: block.count, depth: plan.dimension, into: scratch.scores,
      stride: plan.rowsInBlock, adding: call.bias != nil)
  }

  /// Calls `body` with the row and the place in the tile of each target that the tile has.
  @inline(__always)
  func forEachTarget(_ classes: Range<Int>, _ block: Range<Int>, _ body: (Int, Int) -> Void) {
    for row in block {
      let c = rows.target[row] &- classes.lowerBound
      if c >= 0, c < classes.count { body(row, c &* plan.rowsInBlock &+ (row &- block.lowerBound)) }
    }
  }

  /// Calls `body` with the first row of each vector of a block's rows, counted from the block's first row. The last one
  /// may have lanes beyond the block.
  @inline(__always)
  func forEachRowVector(_ block: Range<Int>, _ body: (Int) -> Void) {
    var row = 0
    while row < block.count {
      body(row)
      row &+= V.count
    }
  }
}

/// Calls `body` with each piece of a range.
@inline(__always)
func forEachPiece(of range: Range<Int>, _ length: Int, _ body: (Range<Int>) -> Void) {
  var start = range.lowerBound
  while start < range.upperBound {
    body(start..<Swift.min(range.upperBound, start &+ length))
    start &+= length
  }
}

/// s ↦ κ tanh(s / κ) and its derivative; the identity where κ is infinite.
struct Softcap<V: Lanes> {
  let isPresent: Bool
  private let cap, scale: V

  @inline(__always) init(_ softcap: Double) {
    isPresent = softcap < .infinity
    cap = V(softcap)
    scale = V(1 / softcap)
  }

  @inline(__always) func callAsFunction(_ s: V) -> V { isPresent ? cap * V.tanh(s * scale) : s }

  /// 1 − tanh², as 4q / (1 + q)² with q = e^{−2|s/κ|}, which loses nothing where the cap is nearly reached.
  @inline(__always) func derivative(_ s: V) -> V {
    if !isPresent { return V.one }
    let x = (s * scale).magnitude
    let q = V.expOfNonPositive(-(x + x))
    let r = V.one + q
    return V(4 as Double) * q / (r * r)
  }
}
