// Mean proper scores of data that come batch by batch. The words of a state:
//
//     words 0 … 3   the ASCII letters LKSCORE1; ε as the bits of a double; the number of rows; 0
//     words 4 … 7   Σ Brier scores = w + h·2⁻⁴⁰ + m·2⁻⁸⁰ + l·2⁻¹²⁰ as the words w, h, m, l; h, m, l < 2⁴⁰
//     words 8 … 11  Σ log losses, in the same way

/// A state that has been looked through.
private struct ScoreState {
  static let bytes = 96
  let eps: Double
  var count: Int64
  var sums: ScoreSums

  init(eps: Double) {
    self.eps = eps
    count = 0
    sums = ScoreSums()
  }

  /// Opens a state; `fault` says what is wrong with it.
  init?(_ state: UnsafeRawPointer?, _ size: Int, _ fault: inout Status) {
    if let found = faultOfState(state, size) {
      fault = found
      return nil
    }
    fault = .invalidValue
    guard size >= Self.bytes, let state, state.loadUnaligned(as: UInt64.self) == StateLetters.scores else { return nil }
    eps = Double(bitPattern: UInt64(bitPattern: state.word(1)))
    count = state.word(2)
    sums = state.loadUnaligned(fromByteOffset: 32, as: ScoreSums.self)
    // A row of the Brier score may be as large as it has classes, of the log loss −log of the least double.
    guard eps > 0, eps < 1, count >= 0, count <= largestTally, state.word(3) == 0,
      sums.brier.isSum(of: count, largest: 1 << 31), sums.logarithmic.isSum(of: count, largest: 746)
    else { return nil }
    fault = .ok
  }

  func write(_ state: UnsafeMutableRawPointer) {
    state.storeBytes(of: StateLetters.scores, as: UInt64.self)
    state.storeBytes(of: eps.bitPattern, toByteOffset: 8, as: UInt64.self)
    state.storeBytes(of: count, toByteOffset: 16, as: Int64.self)
    state.storeBytes(of: 0, toByteOffset: 24, as: Int64.self)
    state.storeBytes(of: sums, toByteOffset: 32, as: ScoreSums.self)
  }

  /// So many rows more would let sums overflow: 2⁵³ rows of 746.
  func hasRoom(for rows: Int64) -> Bool { count &+ rows <= 1 << 53 }
}

/// The size of a score accumulator's state.
///
/// - Parameters:
///   - size: output, in bytes: 96.
func scoreAccumulatorSize(_ size: UnsafeMutablePointer<Int>?) -> Status {
  guard let size else { return .nullPointer }
  size.pointee = ScoreState.bytes
  return .ok
}

/// Starts a score accumulator: the mean Brier score and log loss of data that come in batches.
///
/// The state is 96 bytes, which the caller owns and may copy, store and send: little-endian 64-bit words, the letters
/// LKSCORE1; the bits of `eps`; the number of rows; 0; then the sum of the Brier scores and that of the log losses, each as
/// w + h·2⁻⁴⁰ + m·2⁻⁸⁰ + l·2⁻¹²⁰ in four words w, h, m, l. The scores of the rows are summed as integers, so that batches and
/// merged parts, in any order, give the same bytes as all data at once.
///
/// - Parameters:
///   - state: output, `[size]` bytes, at any alignment.
///   - size: 96 or more (the rest is not used).
///   - eps: ε of `logLoss`, in (0, 1); 1e-12 is usual.
/// - Errors: BUFFER_TOO_SMALL if `size` is less than needed.
func scoreAccumulatorInit(_ state: UnsafeMutableRawPointer?, _ size: Int, _ eps: Double) -> Status {
  guard size >= 0 else { return .invalidShape }
  guard eps > 0, eps < 1 else { return .invalidParameter }
  guard let state else { return .nullPointer }
  guard size >= ScoreState.bytes else { return .bufferTooSmall }
  ScoreState(eps: eps).write(state)
  return .ok
}

/// Is this the state of a score accumulator? For bytes that come from elsewhere.
///
/// - Parameters:
///   - state: `[size]` bytes, at any alignment.
///   - size: how many bytes there are; what goes beyond the state is not looked at.
///   - eps: optional output, the ε it was started with.
/// - Errors: INVALID_VALUE if it is none.
func scoreAccumulatorCheck(
  _ state: UnsafeRawPointer?, _ size: Int, _ eps: UnsafeMutablePointer<Double>?
) -> Status {
  var fault = Status.ok
  guard let opened = ScoreState(state, size, &fault) else { return fault }
  eps?.pointee = opened.eps
  return .ok
}

/// Adds a batch to a score accumulator.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - probs: `[count, classes]`, probabilities in [0, 1].
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0.
///   - classes: number of columns; 0 for the binary view: `probs` is `[count]`, the probability of class 1.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], or `state` is not a state, or full;
///   INVALID_TARGET if a label is out of range. The state is then as it was.
func scoreAccumulatorUpdate<S: Scalar>(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int,
  _ classes: Int
) -> Status {
  var fault = Status.ok
  guard var opened = ScoreState(state, size, &fault) else { return fault }
  if let fault = faultOf(probs, y, count, classes) { return fault }
  guard opened.hasRoom(for: Int64(count)) else { return .invalidValue }
  guard count > 0, let state, let probs, let y else { return .ok }
  let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: false)
  let status = opened.sums.add(rows, eps: opened.eps)
  if status != .ok { return status }
  opened.count &+= Int64(count)
  opened.write(state)
  return .ok
}

/// Adds all that another score accumulator holds. In whatever order parts are merged, the bytes are the same.
///
/// - Parameters:
///   - state: `[size]` bytes, in and out.
///   - size: of `state`.
///   - other: `[otherSize]` bytes, with the same ε.
///   - otherSize: of `other`.
/// - Errors: INVALID_VALUE if either is not a state, or both are too full, INVALID_SHAPE if ε differs.
func scoreAccumulatorMerge(
  _ state: UnsafeMutableRawPointer?, _ size: Int, _ other: UnsafeRawPointer?, _ otherSize: Int
) -> Status {
  var fault = Status.ok
  guard var opened = ScoreState(state, size, &fault) else { return fault }
  guard let added = ScoreState(other, otherSize, &fault) else { return fault }
  guard opened.eps == added.eps else { return .invalidShape }
  guard let state else { return .nullPointer }
  guard opened.hasRoom(for: added.count) else { return .invalidValue }
  opened.count &+= added.count
  opened.sums.join(added.sums)
  opened.write(state)
  return .ok
}

/// What a score accumulator holds.
///
/// - Parameters:
///   - state: `[size]` bytes.
///   - size: of `state`.
///   - count: optional output, the number of rows.
///   - brier: optional output, the mean `brierScore`; NaN without data.
///   - nll: optional output, the mean `logLoss`; NaN without data.
/// - Errors: INVALID_VALUE if `state` is not a state.
func scoreAccumulatorResult(
  _ state: UnsafeRawPointer?, _ size: Int, _ count: UnsafeMutablePointer<Int64>?, _ brier: UnsafeMutablePointer<Double>?,
  _ nll: UnsafeMutablePointer<Double>?
) -> Status {
  var fault = Status.ok
  guard let opened = ScoreState(state, size, &fault) else { return fault }
  let n = Double(opened.count)
  count?.pointee = opened.count
  brier?.pointee = opened.sums.brier.value / n  // 0/0 is NaN
  nll?.pointee = opened.sums.logarithmic.value / n
  return .ok
}
