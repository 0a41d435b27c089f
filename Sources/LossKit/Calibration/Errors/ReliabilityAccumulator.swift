// A reliability diagram that is filled batch by batch, in O(bins) memory that belongs to the caller.
//
// The state is its own serialised form: 64-bit little-endian words, without pointers, at any alignment. Copy the bytes
// to a file or another machine and go on there.
//
//     word 0        the ASCII letters LKRELIA1
//     word 1        n_bins
//     word 2        the edge: 0 right, 1 left, 2 left_extra
//     word 3        0
//     word 4 + 6b   bin b, for b = 0 … n_bins (the last is in use with left_extra only):
//                   count, hits, and Σ confidence = w + h·2⁻⁴⁰ + m·2⁻⁸⁰ + l·2⁻¹²⁰ as the words w, h, m, l; h, m, l < 2⁴⁰

private let magic = UInt64(littleEndian: 0x3141_494c_4552_4b4c)
private let headerBytes = 32

/// No bin may hold more, so that counts of bins can be added without overflow.
private let largestTally: Int64 = 1 << 61

/// A state that has been looked through.
private struct ReliabilityState {
  let bytes: UnsafeRawPointer
  let bins: UniformBins

  static func size(_ nBins: Int) -> Int { headerBytes + (nBins + 1) * MemoryLayout<Bin>.stride }

  subscript(b: Int) -> Bin {
    bytes.loadUnaligned(fromByteOffset: headerBytes + b * MemoryLayout<Bin>.stride, as: Bin.self)
  }

  /// Opens a state; `fault` says what is wrong with it.
  init?(_ bytes: UnsafeRawPointer?, _ size: Int, _ fault: inout Status) {
    guard size >= 0 else {
      fault = .invalidShape
      return nil
    }
    guard let bytes else {
      fault = .nullPointer
      return nil
    }
    fault = .invalidValue
    guard size >= headerBytes, bytes.loadUnaligned(as: UInt64.self) == magic else { return nil }
    self.bytes = bytes
    let word = { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
    guard let nBins = Int(exactly: word(1)), nBins >= 1, nBins <= largestBinCount, Self.size(nBins) <= size,
      let edge = Int32(exactly: word(2)).flatMap(BinEdge.init(rawValue:)), word(3) == 0
    else { return nil }
    bins = UniformBins(count: nBins, edge: edge)
    for b in 0...bins.count {
      let bin = self[b]
      let digits = bin.confidence.high | bin.confidence.middle | bin.confidence.low
      guard bin.count >= 0, bin.count <= largestTally, bin.hits >= 0, bin.hits <= bin.count, digits >= 0,
        digits < ExactSum.digitLimit, bin.confidence.whole >= 0, bin.confidence.whole <= bin.count
      else { return nil }
    }
    fault = .ok
  }

  var isFull: Bool {
    for b in 0...bins.count where self[b].count > largestTally / 2 { return true }
    return false
  }
}

extension UnsafeMutableRawPointer {
  /// Adds to bin `b` of a state.
  fileprivate func add(_ bin: Bin, to b: Int) {
    let offset = headerBytes + b * MemoryLayout<Bin>.stride
    var sum = loadUnaligned(fromByteOffset: offset, as: Bin.self)
    sum.add(bin)
    storeBytes(of: sum, toByteOffset: offset, as: Bin.self)
  }
}

/// The size of a reliability accumulator's state.
///
/// - Parameters:
///   - nBins: number of bins, 1 to 2²⁴.
///   - size: output, in bytes: 80 + 48 · `nBins`.
func reliabilityAccumulatorSize(_ nBins: Int, _ size: UnsafeMutablePointer<Int>?) -> Status {
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  guard let size else { return .nullPointer }
  size.pointee = ReliabilityState.size(nBins)
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
  guard size >= 0 else { return .invalidShape }
  guard nBins >= 1, nBins <= largestBinCount else { return .invalidParameter }
  guard let state else { return .nullPointer }
  guard size >= ReliabilityState.size(nBins) else { return .bufferTooSmall }
  state.initializeMemory(as: UInt8.self, repeating: 0, count: ReliabilityState.size(nBins))
  state.storeBytes(of: magic, as: UInt64.self)
  state.storeBytes(of: Int64(nBins), toByteOffset: 8, as: Int64.self)
  state.storeBytes(of: Int64(edge.rawValue), toByteOffset: 16, as: Int64.self)
  return .ok
}

/// Is this the state of a reliability accumulator? For bytes that come from elsewhere.
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

/// Adds a batch to a reliability accumulator, in the top-label or the binary view.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - probs: `[count, classes]`, probabilities in [0, 1]; the largest of a row is its confidence.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `probs` is `[count]`, the probability of class 1, which is the
///     confidence itself.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], or `state` is not a state;
///   INVALID_TARGET if a label is out of range. The state is then as it was.
func reliabilityAccumulatorUpdate<S: Scalar>(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int,
  _ classes: Int
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard !opened.isFull else { return .invalidValue }
  guard count > 0, let state, let probs, let y else { return .ok }
  let total = opened.bins.total
  return withWorkspace(layout: { $0.take(Bin.self, total) }) { batch in
    batch.initialize(repeating: Bin(), count: total)
    let status = opened.bins.add(ConfidenceRows(probs, y, count, classes: classes, isTopLabel: true), to: batch)
    guard status == .ok else { return status }
    for b in 0..<total { state.add(batch[b], to: b) }
    return .ok
  }
}

/// Adds all that another reliability accumulator holds. In whatever order parts are merged, the bytes are the same.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - other: `[otherSize]` bytes, of as many bins and the same edge.
///   - otherSize: of `other`.
/// - Errors: INVALID_VALUE if either is not a state, INVALID_SHAPE if bins or edges differ.
func reliabilityAccumulatorMerge(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ other: UnsafeRawPointer?, _ otherSize: Int
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  guard let added = ReliabilityState(other, otherSize, &fault) else { return fault }
  guard opened.bins.count == added.bins.count, opened.bins.edge == added.bins.edge else { return .invalidShape }
  guard !opened.isFull, !added.isFull else { return .invalidValue }
  guard let state else { return .nullPointer }
  for b in 0..<opened.bins.total { state.add(added[b], to: b) }
  return .ok
}

/// What a reliability accumulator holds: the bins, as `reliabilityBins` gives them, and the errors that follow.
///
/// - Parameters:
///   - state: `[size]` bytes.
///   - size: of `state`.
///   - counts: optional output, `[M]`; M = n_bins, or n_bins + 1 for the edge `left_extra`.
///   - confMean: optional output, `[M]`, mean confidences, 0 for empty bins.
///   - accMean: optional output, `[M]`, accuracies, 0 for empty bins.
///   - edges: optional output, `[n_bins + 1]`.
///   - ece: optional output, the expected calibration error (`calibrationError` with norm `l1`); NaN without data.
///   - mce: optional output, the maximum calibration error (norm `max`); NaN without data.
/// - Errors: INVALID_VALUE if `state` is not a state.
func reliabilityAccumulatorResult(
  _ state: UnsafeRawPointer?, _ size: Int, _ counts: UnsafeMutablePointer<Int64>?,
  _ confMean: UnsafeMutablePointer<Double>?, _ accMean: UnsafeMutablePointer<Double>?,
  _ edges: UnsafeMutablePointer<Double>?, _ ece: UnsafeMutablePointer<Double>?, _ mce: UnsafeMutablePointer<Double>?
) -> Status {
  var fault = Status.ok
  guard let opened = ReliabilityState(state, size, &fault) else { return fault }
  var samples = 0.0
  var absolute = 0.0
  var largest = 0.0
  for b in 0..<opened.bins.total {
    let bin = opened[b]
    counts?[b] = bin.count
    confMean?[b] = bin.meanConfidence
    accMean?[b] = bin.accuracy
    samples += Double(bin.count)
    absolute += bin.excess.magnitude
    largest = max(largest, bin.gap.magnitude)
  }
  for b in 0...opened.bins.count { edges?[b] = opened.bins.border(b) }
  ece?.pointee = samples > 0 ? absolute / samples : .nan
  mce?.pointee = samples > 0 ? largest : .nan
  return .ok
}
