// Reliability diagrams that are filled batch by batch, in O(bins) memory that belongs to the caller: one of the top label, one
// for each class, or one for each group of samples. The words of a state:
//
//     word 0        the ASCII letters LKRELIA1, LKCLASS1 or LKGROUP1
//     word 1        n_bins
//     word 2        the edge: 0 right, 1 left, 2 left_extra
//     word 3        LKRELIA1: 0; else the number of classes or groups, which is the number of tables
//     word 4 + 6b   table by table the bins b = 0 … n_bins (the last is in use with left_extra only):
//                   count, hits, and Σ confidence = w + h·2⁻⁴⁰ + m·2⁻⁸⁰ + l·2⁻¹²⁰ as the words w, h, m, l; h, m, l < 2⁴⁰

private let headerBytes = 32

private enum ReliabilityKind {
  case topLabel, classwise, groups

  var letters: UInt64 {
    switch self {
    case .topLabel: StateLetters.reliability
    case .classwise: StateLetters.classwise
    case .groups: StateLetters.groups
    }
  }
}

/// A state that has been looked through.
private struct ReliabilityState {
  let bytes: UnsafeRawPointer
  let kind: ReliabilityKind
  let tables: Int
  let bins: UniformBins

  /// Nil where parameters are out of range.
  static func size(_ tables: Int, _ nBins: Int) -> Int? {
    guard tables >= 1, nBins >= 1, nBins <= largestBinCount,
      let bins = elementCount(tables, nBins + 1, MemoryLayout<Bin>.stride)
    else { return nil }
    return headerBytes + bins
  }

  /// Writes an empty state.
  static func initialize(
    _ state: UnsafeMutableRawPointer?, _ size: Int, _ kind: ReliabilityKind, tables: Int, _ nBins: Int, _ edge: BinEdge
  ) -> Status {
    guard size >= 0 else { return .invalidShape }
    guard let needed = Self.size(tables, nBins) else { return .invalidParameter }
    guard let state else { return .nullPointer }
    guard size >= needed else { return .bufferTooSmall }
    state.initializeMemory(as: UInt8.self, repeating: 0, count: needed)
    state.storeBytes(of: kind.letters, as: UInt64.self)
    state.storeBytes(of: Int64(nBins), toByteOffset: 8, as: Int64.self)
    state.storeBytes(of: Int64(edge.rawValue), toByteOffset: 16, as: Int64.self)
    state.storeBytes(of: kind == .topLabel ? 0 : Int64(tables), toByteOffset: 24, as: Int64.self)
    return .ok
  }

  /// Bin b of a table.
  func bin(_ table: Int, _ b: Int) -> Bin {
    bytes.loadUnaligned(fromByteOffset: Self.offset(table, b, bins.count), as: Bin.self)
  }

  static func offset(_ table: Int, _ b: Int, _ nBins: Int) -> Int {
    headerBytes + (table * (nBins + 1) + b) * MemoryLayout<Bin>.stride
  }

  /// Opens a state; `fault` says what is wrong with it.
  init?(_ state: UnsafeRawPointer?, _ size: Int, _ fault: inout Status) {
    if let found = faultOfState(state, size) {
      fault = found
      return nil
    }
    fault = .invalidValue
    guard size >= headerBytes, let state else { return nil }
    bytes = state
    switch state.loadUnaligned(as: UInt64.self) {
    case ReliabilityKind.topLabel.letters: kind = .topLabel
    case ReliabilityKind.classwise.letters: kind = .classwise
    case ReliabilityKind.groups.letters: kind = .groups
    default: return nil
    }
    guard let nBins = Int(exactly: state.word(1)), let count = Int(exactly: state.word(3)),
      kind != .topLabel || count == 0, let needed = Self.size(kind == .topLabel ? 1 : count, nBins), needed <= size,
      let edge = Int32(exactly: state.word(2)).flatMap(BinEdge.init(rawValue:))
    else { return nil }
    tables = kind == .topLabel ? 1 : count
    bins = UniformBins(count: nBins, edge: edge)
    for table in 0..<tables {
      for b in 0...nBins {
        let bin = bin(table, b)
        guard bin.count >= 0, bin.count <= largestTally, bin.hits >= 0, bin.hits <= bin.count,
          bin.confidence.isSum(of: bin.count, largest: 1)
        else { return nil }
      }
    }
    fault = .ok
  }

  var isFull: Bool {
    for table in 0..<tables {
      for b in 0...bins.count where bin(table, b).count > largestTally / 2 { return true }
    }
    return false
  }

  func isLike(_ other: ReliabilityState) -> Bool {
    kind == other.kind && tables == other.tables && bins.count == other.bins.count && bins.edge == other.bins.edge
  }

  /// Adds bins, `[tables, total]`.
  func add(_ batch: UnsafePointer<Bin>, to state: UnsafeMutableRawPointer) {
    for table in 0..<tables {
      for b in 0..<bins.total { add(batch[table * bins.total + b], table, b, to: state) }
    }
  }

  func add(_ bin: Bin, _ table: Int, _ b: Int, to state: UnsafeMutableRawPointer) {
    var sum = self.bin(table, b)
    sum.add(bin)
    state.storeBytes(of: sum, toByteOffset: Self.offset(table, b, bins.count), as: Bin.self)
  }
}

/// The size of a reliability accumulator's state.
///
/// - Parameters:
///   - nBins: number of bins, 1 to 2²⁴.
///   - size: output, in bytes: 80 + 48 · `nBins`.
func reliabilityAccumulatorSize(_ nBins: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  groupAccumulatorSize(1, nBins, size)
}

/// The size of the state of a class-wise accumulator.
///
/// - Parameters:
///   - classes: C ≥ 1.
///   - nBins: number of bins, 1 to 2²⁴.
///   - size: output, in bytes: 32 + 48 · `classes` · (`nBins` + 1).
func classwiseAccumulatorSize(_ classes: Int, _ nBins: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  groupAccumulatorSize(classes, nBins, size)
}

/// The size of the state of an accumulator of groups.
///
/// - Parameters:
///   - groups: number of groups, ≥ 1.
///   - nBins: number of bins, 1 to 2²⁴.
///   - size: output, in bytes: 32 + 48 · `groups` · (`nBins` + 1).
func groupAccumulatorSize(_ groups: Int, _ nBins: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard let needed = ReliabilityState.size(groups, nBins) else { return .invalidParameter }
  guard let size else { return .nullPointer }
  size.pointee = needed
  return .ok
}

/// Starts a reliability accumulator: a reliability diagram and calibration errors of data that come in batches.
///
/// The state takes O(bins) memory, which the caller owns. Its bytes are its serialised form: copy them to store or send
/// a state, and pass what was read to `reliabilityAccumulatorCheck`. It consists of little-endian 64-bit words: the
/// letters LKRELIA1; `nBins`; the edge's number; 0; then for each of `nBins` + 1 bins its count, its hits, and the sum of
/// its confidences, w + h·2⁻⁴⁰ + m·2⁻⁸⁰ + l·2⁻¹²⁰, as four words w, h, m, l.
///
/// A confidence counts as the nearest multiple of 2⁻¹²⁰ (as one at least, if it is not 0): that is itself if it is a
/// float ≥ 2⁻⁹⁷ or a double ≥ 2⁻⁶⁸. These multiples are summed as integers. So batches and merged parts, in any order,
/// give the same bytes as all data at once.
///
/// - Parameters:
///   - state: output, `[size]` bytes, at any alignment.
///   - size: what `reliabilityAccumulatorSize` says, or more (the rest is not used).
///   - nBins: number of bins of equal width, 1 to 2²⁴; 15 is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
/// - Errors: BUFFER_TOO_SMALL if `size` is less than needed.
func reliabilityAccumulatorInit(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ nBins: Int, _ edge: BinEdge
) -> Status {
  ReliabilityState.initialize(state, size, .topLabel, tables: 1, nBins, edge)
}

/// Starts a class-wise accumulator: a reliability diagram for each class.
///
/// The state is as that of `reliabilityAccumulatorInit`, with the letters LKCLASS1, `classes` in the word that is 0 there,
/// and as many tables of bins. The other functions of reliability accumulators take it as well.
///
/// - Parameters:
///   - state: output, `[size]` bytes, at any alignment.
///   - size: what `classwiseAccumulatorSize` says, or more (the rest is not used).
///   - classes: C ≥ 1.
///   - nBins: number of bins of equal width, 1 to 2²⁴; 15 is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
/// - Errors: BUFFER_TOO_SMALL if `size` is less than needed.
func classwiseAccumulatorInit(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ classes: Int, _ nBins: Int, _ edge: BinEdge
) -> Status {
  ReliabilityState.initialize(state, size, .classwise, tables: classes, nBins, edge)
}

/// Starts an accumulator of groups: a reliability diagram of the top label for each group of samples.
///
/// The state is as that of `reliabilityAccumulatorInit`, with the letters LKGROUP1, `groups` in the word that is 0 there, and
/// as many tables of bins. The other functions of reliability accumulators take it as well; `groupAccumulatorUpdate` adds
/// to it.
///
/// - Parameters:
///   - state: output, `[size]` bytes, at any alignment.
///   - size: what `groupAccumulatorSize` says, or more (the rest is not used).
///   - groups: number of groups, ≥ 1.
///   - nBins: number of bins of equal width, 1 to 2²⁴; 15 is usual.
///   - edge: on which side a bin owns its edge; `right` is usual.
/// - Errors: BUFFER_TOO_SMALL if `size` is less than needed.
func groupAccumulatorInit(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ groups: Int, _ nBins: Int, _ edge: BinEdge
) -> Status {
  ReliabilityState.initialize(state, size, .groups, tables: groups, nBins, edge)
}

/// Is this the state of a reliability accumulator of any kind? For bytes that come from elsewhere.
///
/// - Parameters:
///   - state: `[size]` bytes, at any alignment.
///   - size: how many bytes there are; what goes beyond the state is not looked at.
///   - nBins: optional output, the number of bins it was started with.
///   - edge: optional output, the number of its `losskit_bin_edge`.
/// - Errors: INVALID_VALUE if it is none.
func reliabilityAccumulatorCheck(
  _ state: UnsafeRawPointer?, _ size: Int, _ nBins: UnsafeMutablePointer<Int>?, _ edge: UnsafeMutablePointer<Int32>?
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  nBins?.pointee = opened.bins.count
  edge?.pointee = opened.bins.edge.rawValue
  return .ok
}

/// How many tables a reliability accumulator has, and of what.
///
/// - Parameters:
///   - state: `[size]` bytes, at any alignment.
///   - size: how many bytes there are.
///   - tables: optional output, the number of classes or groups; 1 for the top label.
///   - ofClasses: optional output, 1 for classes, else 0.
///   - ofGroups: optional output, 1 for groups, else 0.
/// - Errors: INVALID_VALUE if it is none.
func reliabilityAccumulatorTables(
  _ state: UnsafeRawPointer?, _ size: Int, _ tables: UnsafeMutablePointer<Int>?, _ ofClasses: UnsafeMutablePointer<Int32>?,
  _ ofGroups: UnsafeMutablePointer<Int32>?
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  tables?.pointee = opened.tables
  ofClasses?.pointee = opened.kind == .classwise ? 1 : 0
  ofGroups?.pointee = opened.kind == .groups ? 1 : 0
  return .ok
}

/// Adds a batch to a reliability accumulator of the top label or of classes.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - probs: `[count, classes]`, probabilities in [0, 1]; of the top label the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns, for a class-wise accumulator that of its classes; 0 for the binary view: `probs` is
///     `[count]`, the probability of class 1, which is the confidence itself.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], or `state` is not a state;
///   INVALID_TARGET if a label is out of range. The state is then as it was. UNSUPPORTED for an accumulator of groups.
func reliabilityAccumulatorUpdate<S: Scalar>(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int,
  _ classes: Int
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard opened.kind != .groups else { return .unsupported }
  guard opened.kind == .topLabel || classes == opened.tables else { return .invalidShape }
  guard !opened.isFull else { return .invalidValue }
  guard count > 0, let state, let probs, let y else { return .ok }
  let isTopLabel = opened.kind == .topLabel
  return withWorkspace(layout: { $0.take(Bin.self, opened.tables &* opened.bins.total) }) { batch in
    batch.initialize(repeating: Bin(), count: opened.tables &* opened.bins.total)
    let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: isTopLabel)
    let status = opened.bins.add(rows, to: batch)
    if status == .ok { opened.add(batch, to: state) }
    return status
  }
}

/// Adds a batch to an accumulator of groups, in the top-label or the binary view.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - group: `[count]`, the group of each row, from 0.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `probs` is `[count]`, the probability of class 1, which is the
///     confidence itself.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], or `state` is not a state;
///   INVALID_TARGET if a label or a group is out of range. The state is then as it was. UNSUPPORTED for an accumulator of
///   another kind.
func groupAccumulatorUpdate<S: Scalar>(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?,
  _ group: UnsafePointer<Int64>?, _ count: Int, _ classes: Int
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard opened.kind == .groups else { return .unsupported }
  guard !opened.isFull else { return .invalidValue }
  guard count > 0 else { return .ok }
  guard let state, let probs, let y, let group else { return .nullPointer }
  for row in 0..<count where group[row] < 0 || group[row] >= Int64(opened.tables) { return .invalidTarget }
  let total = opened.bins.total
  return withWorkspace(layout: { $0.take(Bin.self, opened.tables &* total) }) { batch in
    batch.initialize(repeating: Bin(), count: opened.tables &* total)
    let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: true)
    let faults = rows.forEachTile(0..<count) { _, tile in
      for lane in 0..<tile.count {
        let confidence = tile.confidence[lane].double
        let bin = opened.bins.index(DoubleLanes(confidence))[0]
        batch[Int(group[tile.row &+ lane]) &* total &+ bin].add(confidence, hit: Int64(tile.hits >> UInt32(lane) & 1))
      }
    }
    if faults.status == .ok { opened.add(batch, to: state) }
    return faults.status
  }
}

/// Adds all that another reliability accumulator holds. In whatever order parts are merged, the bytes are the same.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - other: `[otherSize]` bytes, of the same kind, of as many tables and bins and the same edge.
///   - otherSize: of `other`.
/// - Errors: INVALID_VALUE if either is not a state, INVALID_SHAPE if they are not of the same form.
func reliabilityAccumulatorMerge(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ other: UnsafeRawPointer?, _ otherSize: Int
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  guard let added = ReliabilityState(other, otherSize, &fault) else { return fault }
  guard opened.isLike(added) else { return .invalidShape }
  guard !opened.isFull, !added.isFull else { return .invalidValue }
  guard let state else { return .nullPointer }
  for table in 0..<opened.tables {
    for b in 0..<opened.bins.total { opened.add(added.bin(table, b), table, b, to: state) }
  }
  return .ok
}

/// What a reliability accumulator holds: the bins, as `reliabilityBins` gives them, and the errors that follow.
///
/// There is one table for the top label, or one for each class or group (T of them).
///
/// - Parameters:
///   - state: `[size]` bytes.
///   - size: of `state`.
///   - counts: optional output, `[T, M]`; M = n_bins, or n_bins + 1 for the edge `left_extra`.
///   - confMean: optional output, `[T, M]`, mean confidences, 0 for empty bins.
///   - accMean: optional output, `[T, M]`, accuracies, 0 for empty bins.
///   - edges: optional output, `[n_bins + 1]`.
///   - ece: optional output, `[T]`, the expected calibration error (`calibrationError` with norm `l1`); NaN without data.
///   - mce: optional output, `[T]`, the maximum calibration error (norm `max`); NaN without data.
/// - Errors: INVALID_VALUE if `state` is not a state.
func reliabilityAccumulatorResult(
  _ state: UnsafeRawPointer?, _ size: Int, _ counts: UnsafeMutablePointer<Int64>?,
  _ confMean: UnsafeMutablePointer<Double>?, _ accMean: UnsafeMutablePointer<Double>?,
  _ edges: UnsafeMutablePointer<Double>?, _ ece: UnsafeMutablePointer<Double>?, _ mce: UnsafeMutablePointer<Double>?
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  let total = opened.bins.total
  for table in 0..<opened.tables {
    var samples = 0.0
    var absolute = 0.0
    var largest = 0.0
    for b in 0..<total {
      let bin = opened.bin(table, b)
      counts?[table &* total &+ b] = bin.count
      confMean?[table &* total &+ b] = bin.meanConfidence
      accMean?[table &* total &+ b] = bin.accuracy
      samples += Double(bin.count)
      absolute += bin.excess.magnitude
      largest = max(largest, bin.gap.magnitude)
    }
    ece?[table] = samples > 0 ? absolute / samples : .nan
    mce?[table] = samples > 0 ? largest : .nan
  }
  for b in 0...opened.bins.count { edges?[b] = opened.bins.border(b) }
  return .ok
}
