import RuntimeShims

// How linear_cross_entropy cuts its work, and the memory it needs for that.

/// What is asked for.
struct LinearLossCall<S: Scalar> {
  let bias: UnsafePointer<S>?
  let dimension: Int
  let vocabulary: Int
  /// Infinite where there is none.
  let softcap: Double
  let filterEps: Double
  /// What turns a row's gradient into that of the reduced loss.
  let scale: Double
  let gradE: UnsafeMutablePointer<S>?
  let gradC: UnsafeMutablePointer<S>?
  let gradBias: UnsafeMutablePointer<S>?
}

/// The sizes of the pieces, which follow from the shape alone.
///
/// Rows and classes are cut into units, which threads take. A unit of rows is worked on in stripes, whose packed rows stay
/// while the classes go by; a stripe by a block of classes is worked on in tiles of a block of rows by a block of classes.
struct LinearLossPlan {
  let rows, classes, dimension: Int
  let rowsInUnit, rowUnits, rowsInStripe, rowsInBlock: Int
  let classesInUnit, classUnits, classesInBlock: Int
  /// How many threads can be busy with units.
  let forwardWorkers, backwardWorkers: Int

  /// The part of a tile that gradient filtering leaves out or not.
  static let filteredRows = 32
  static let filteredClasses = 64

  init<V: Lanes>(_: V.Type, rows: Int, _ call: LinearLossCall<V.Element>) {
    func ceiling(_ a: Int, _ b: Int) -> Int { (a &+ (b &- 1)) / b }
    func rounded(_ a: Int, to multiple: Int) -> Int { ceiling(a, multiple) &* multiple }
    self.rows = rows
    classes = call.vocabulary
    dimension = call.dimension
    // Long embeddings make shorter stripes and blocks: it is the packed rows that fill the caches.
    let isLong = dimension > 1024
    // At most 16 units of a kind; fewer where they would be so small that packing their factors takes long.
    let longestStripe = isLong ? 256 : 512
    let unit = Swift.max(ceiling(rows, 16), Swift.min(longestStripe, Swift.max(128, ceiling(rows, 4))))
    rowsInUnit = rounded(Swift.max(1, Swift.min(unit, rows)), to: LinearLossPlan.filteredRows)
    rowUnits = ceiling(rows, rowsInUnit)
    rowsInStripe = rounded(ceiling(rowsInUnit, ceiling(rowsInUnit, longestStripe)), to: LinearLossPlan.filteredRows)
    let blocks = ceiling(rowsInStripe, 16 &* V.count)
    rowsInBlock = rounded(ceiling(rowsInStripe, blocks), to: LinearLossPlan.filteredRows)
    let longestBlock = isLong ? 128 : 256
    classesInUnit = rounded(Swift.max(ceiling(classes, 16), 512), to: longestBlock)
    classUnits = ceiling(classes, classesInUnit)
    classesInBlock = rounded(Swift.min(classes, longestBlock), to: Panels.rows)
    let threads = Int(losskit_runtime_threads())
    forwardWorkers = Swift.min(threads, rowUnits &* classUnits)
    backwardWorkers = Swift.min(threads, rowUnits, classUnits)
  }

  /// Rows with those that fill the last part of a tile.
  var paddedRows: Int { rowUnits &* rowsInUnit }
  var blocksInStripe: Int { (rowsInStripe &+ (rowsInBlock &- 1)) / rowsInBlock }
  var paddedDimension: Int { (dimension &+ 31) & ~31 }
  /// Filtered parts of a tile.
  var partsOfRows: Int { rowsInBlock / LinearLossPlan.filteredRows }
  var partsOfClasses: Int {
    (classesInBlock &+ (LinearLossPlan.filteredClasses &- 1)) / LinearLossPlan.filteredClasses
  }
}

/// The rows that count, and what is known of each.
struct LinearLossRows {
  /// Which embedding it is.
  let index: UnsafeMutablePointer<Int>
  let target: UnsafeMutablePointer<Int>
  /// Of each unit of classes and row, over the classes but the target: the greatest score and Σ e^{s − greatest}.
  let greatest: UnsafeMutablePointer<Double>
  let total: UnsafeMutablePointer<Double>
  /// The target's score, before the softcap.
  let targetScore: UnsafeMutablePointer<Double>
  let nu: UnsafeMutablePointer<Double>
  let lse: UnsafeMutablePointer<Double>
  let lseGrad: UnsafeMutablePointer<Double>
  /// p_v = e^{s_v − shift} / sum.
  let shift: UnsafeMutablePointer<Double>
  let sum: UnsafeMutablePointer<Double>
  /// 1 − p_y, without cancellation.
  let complement: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ plan: LinearLossPlan) {
    let count = plan.paddedRows
    index = arena.take(Int.self, count)
    target = arena.take(Int.self, count)
    greatest = arena.take(Double.self, count &* plan.classUnits)
    total = arena.take(Double.self, count &* plan.classUnits)
    targetScore = arena.take(Double.self, count)
    nu = arena.take(Double.self, count)
    lse = arena.take(Double.self, count)
    lseGrad = arena.take(Double.self, count)
    shift = arena.take(Double.self, count)
    sum = arena.take(Double.self, count)
    complement = arena.take(Double.self, count)
  }
}

/// What the backward pass needs of each row: dL/ds_v = e^{s_v − shift} · weight, and at the target its own number.
struct LinearLossRowFactors<S: Scalar> {
  let shift: UnsafeMutablePointer<S>
  let weight: UnsafeMutablePointer<S>
  /// The e^{s − shift} from which on a class is not filtered.
  let threshold: UnsafeMutablePointer<S>
  let targetGradient: UnsafeMutablePointer<S>

  init(_ arena: inout Arena, _ plan: LinearLossPlan) {
    shift = arena.take(S.self, plan.paddedRows)
    weight = arena.take(S.self, plan.paddedRows)
    threshold = arena.take(S.self, plan.paddedRows)
    targetGradient = arena.take(S.self, plan.paddedRows)
  }
}

/// A worker's tiles. The names with `packed` are factors of products; see Engines/MatrixProduct.swift.
struct LinearLossScratch<V: Lanes> {
  typealias S = V.Element
  /// Scores of a block of classes (rows of the array) and a block of rows; then their gradients.
  let scores: UnsafeMutablePointer<S>
  let packedClasses: UnsafeMutablePointer<S>
  let packedRowsTransposed: UnsafeMutablePointer<S>
  // For the gradient.
  let packedScores: UnsafeMutablePointer<S>
  let packedClassRows: UnsafeMutablePointer<S>
  let packedRows: UnsafeMutablePointer<S>
  let gradRows: UnsafeMutablePointer<S>
  let gradClasses: UnsafeMutablePointer<S>
  let gradBias: UnsafeMutablePointer<Double>
  /// Which filtered parts of a tile are kept, by part of classes and part of rows.
  let kept: UnsafeMutablePointer<Bool>

  init(_ arena: inout Arena, _ plan: LinearLossPlan, hasGradient: Bool) {
    let rows = plan.blocksInStripe &* plan.rowsInBlock
    scores = arena.take(S.self, plan.classesInBlock &* plan.rowsInBlock)
    packedClasses = arena.take(S.self, plan.classesInBlock &* plan.dimension)
    packedRowsTransposed = arena.take(S.self, rows &* plan.dimension)
    let g = hasGradient ? 1 : 0
    packedScores = arena.take(S.self, g &* plan.classesInBlock &* plan.rowsInBlock)
    packedClassRows = arena.take(S.self, g &* plan.classesInBlock &* plan.paddedDimension)
    packedRows = arena.take(S.self, g &* rows &* plan.paddedDimension)
    gradRows = arena.take(S.self, g &* rows &* plan.paddedDimension)
    gradClasses = arena.take(S.self, g &* plan.classesInBlock &* plan.paddedDimension)
    gradBias = arena.take(Double.self, g &* plan.classesInBlock)
    kept = arena.take(Bool.self, g &* plan.partsOfClasses &* plan.partsOfRows)
  }
}

struct LinearLossMemory<V: Lanes> {
  let rows: LinearLossRows
  let factors: LinearLossRowFactors<V.Element>
  private let scratches: UnsafeMutablePointer<UInt8>
  private let bytesInScratch: Int
  private let plan: LinearLossPlan
  private let hasGradient: Bool

  init(_ arena: inout Arena, _ plan: LinearLossPlan, hasGradient: Bool) {
    self.plan = plan
    self.hasGradient = hasGradient
    rows = LinearLossRows(&arena, plan)
    factors = LinearLossRowFactors(&arena, plan)
    // The forward pass may keep more workers busy, and each needs less.
    let forward = bytesTaken { LinearLossScratch<V>(&$0, plan, hasGradient: false) }
    let backward = hasGradient ? bytesTaken { LinearLossScratch<V>(&$0, plan, hasGradient: true) } : 0
    bytesInScratch = Swift.max(forward, backward)
    scratches = arena.take(
      UInt8.self, Swift.max(forward &* plan.forwardWorkers, backward &* plan.backwardWorkers))
  }

  @inline(__always) func scratch(worker: Int, hasGradient: Bool) -> LinearLossScratch<V> {
    let bytes = bytesTaken { LinearLossScratch<V>(&$0, plan, hasGradient: hasGradient) }
    var arena = Arena(UnsafeMutableRawPointer(scratches + worker &* bytes))
    return LinearLossScratch(&arena, plan, hasGradient: hasGradient)
  }
}
