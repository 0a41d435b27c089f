// The state of a COCO evaluation, which is its own serialised form: 64-bit little-endian words, without pointers, at
// any alignment.
//
//     word 0         the ASCII letters LKCOCOE1
//     words 1 … 5    the numbers of classes K, IoU thresholds T, area ranges A, limits M, and detections
//     then           T thresholds, A pairs of least and greatest area (doubles), M limits (the most detections)
//     then           K · A counts of the ground truths that are not ignored
//     then           the detections: score (a double), image, class + rank · 2³² (the rank in its image and class),
//                    and two strings of T · A bits in ⌈T A / 64⌉ words each, threshold by threshold for each range:
//                    is it a true positive? does it count at all?

private let magic = UInt64(littleEndian: 0x3145_4f43_4f43_4b4c)

/// No count of ground truths may be greater, so that counts can be added.
private let largestCocoTally: Int64 = 1 << 61

/// How many of everything there are, and so where it is.
struct CocoShape: Equatable {
  let classes, thresholds, ranges, limits: Int

  /// Nil where a number is out of range.
  init?(_ classes: Int, _ thresholds: Int, _ ranges: Int, _ limits: Int) {
    guard classes >= 0, classes <= Int(Int32.max), thresholds >= 1, ranges >= 1, limits >= 1,
      Swift.max(thresholds, ranges, limits) <= 1 << 16
    else { return nil }
    self.classes = classes
    self.thresholds = thresholds
    self.ranges = ranges
    self.limits = limits
  }

  /// Pairs of a range and a threshold: each is a criterion of its own.
  var criteria: Int { thresholds &* ranges }
  var flagWords: Int { (criteria &+ 63) / 64 }
  var detectionBytes: Int { 24 &+ 16 &* flagWords }
  var parameterWords: Int { thresholds &+ 2 &* ranges &+ limits }
  var headerBytes: Int { 8 &* (6 &+ parameterWords &+ classes &* ranges) }
  var statCount: Int { 1 &+ 2 &* ranges &+ limits }

  /// Bytes of a state that holds so many detections; nil where they are too many.
  func size(_ detections: Int) -> Int? {
    guard detections >= 0, detections <= largestSortCount else { return nil }
    return headerBytes &+ detections &* detectionBytes
  }
}

/// The number of recalls at which precision is reported.
let cocoRecallPoints = 101

/// A detection whose matches are known.
struct CocoDetection {
  let score: Double
  let image: Int64
  let label, rank: Int
}

/// A state whose header has been looked through.
struct CocoState {
  let shape: CocoShape
  private let bytes: UnsafeMutableRawPointer

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
    guard size >= 48, bytes.loadUnaligned(as: UInt64.self) == magic else { return nil }
    let word = { Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: 8 &* $0, as: Int64.self)) }
    guard let shape = CocoShape(word(1), word(2), word(3), word(4)), let used = shape.size(word(5)), used <= size else {
      return nil
    }
    self.shape = shape
    self.bytes = UnsafeMutableRawPointer(mutating: bytes)
    fault = .ok
  }

  /// Writes the state of an evaluation without images; nil where there are no parameters.
  init?(_ bytes: UnsafeMutableRawPointer, _ shape: CocoShape, _ parameters: CocoParameters) {
    guard let thresholds = parameters.thresholds, let ranges = parameters.ranges, let limits = parameters.limits else {
      return nil
    }
    self.shape = shape
    self.bytes = bytes
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: shape.headerBytes)
    bytes.storeBytes(of: magic, as: UInt64.self)
    set(1, Int64(shape.classes))
    set(2, Int64(shape.thresholds))
    set(3, Int64(shape.ranges))
    set(4, Int64(shape.limits))
    for t in 0..<shape.thresholds { set(6 &+ t, thresholds[t]) }
    for i in 0..<(2 &* shape.ranges) { set(6 &+ shape.thresholds &+ i, ranges[i]) }
    for m in 0..<shape.limits { set(6 &+ shape.thresholds &+ 2 &* shape.ranges &+ m, limits[m]) }
  }

  private func word<T: BitwiseCopyable>(_ i: Int, as type: T.Type) -> T {
    bytes.loadUnaligned(fromByteOffset: 8 &* i, as: type)
  }

  private func set<T: BitwiseCopyable>(_ i: Int, _ value: T) {
    bytes.storeBytes(of: value, toByteOffset: 8 &* i, as: T.self)
  }

  func threshold(_ t: Int) -> Double { word(6 &+ t, as: Double.self) }

  func range(_ a: Int) -> (least: Double, greatest: Double) {
    let first = 6 &+ shape.thresholds &+ 2 &* a
    return (word(first, as: Double.self), word(first &+ 1, as: Double.self))
  }

  /// The most detections of an image that count under limit m.
  func limit(_ m: Int) -> Int64 { word(6 &+ shape.thresholds &+ 2 &* shape.ranges &+ m, as: Int64.self) }

  /// The greatest limit (of equal ones the first).
  var widestLimit: Int {
    var widest = 0
    for m in 1..<Swift.max(shape.limits, 1) where limit(m) > limit(widest) { widest = m }
    return widest
  }

  private func tally(_ label: Int, _ a: Int) -> Int { 6 &+ shape.parameterWords &+ label &* shape.ranges &+ a }

  func truths(_ label: Int, _ a: Int) -> Int64 { word(tally(label, a), as: Int64.self) }

  func addTruths(_ label: Int, _ a: Int, _ count: Int64) { set(tally(label, a), truths(label, a) &+ count) }

  var detections: Int { Int(truncatingIfNeeded: word(5, as: Int64.self)) }

  var used: Int { shape.headerBytes &+ detections &* shape.detectionBytes }

  func detection(_ i: Int) -> CocoDetection {
    let place = bytes + (shape.headerBytes &+ i &* shape.detectionBytes)
    let who = place.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    return CocoDetection(
      score: place.loadUnaligned(as: Double.self), image: place.loadUnaligned(fromByteOffset: 8, as: Int64.self),
      label: Int(who & 0xffff_ffff), rank: Int(who >> 32))
  }

  /// Word w of the bits of detection i: where it is a true positive, and where it counts.
  func flags(_ i: Int, _ w: Int) -> (hits: Int64, counted: Int64) {
    let place = bytes + (shape.headerBytes &+ i &* shape.detectionBytes &+ 24 &+ 8 &* w)
    return (
      place.loadUnaligned(as: Int64.self),
      place.loadUnaligned(fromByteOffset: 8 &* shape.flagWords, as: Int64.self)
    )
  }

  /// Adds a detection; returns where its bits go, the two strings one behind the other, which are 0 now.
  func append(_ detection: CocoDetection) -> (hits: UnsafeMutableRawPointer, counted: UnsafeMutableRawPointer) {
    let place = bytes + used
    place.initializeMemory(as: UInt8.self, repeating: 0, count: shape.detectionBytes)
    place.storeBytes(of: detection.score, as: Double.self)
    place.storeBytes(of: detection.image, toByteOffset: 8, as: Int64.self)
    place.storeBytes(
      of: UInt64(truncatingIfNeeded: detection.label) | UInt64(truncatingIfNeeded: detection.rank) << 32,
      toByteOffset: 16, as: UInt64.self)
    set(5, Int64(detections &+ 1))
    return (place + 24, place + (24 &+ 8 &* shape.flagWords))
  }

  /// Adds all that another state of the same shape holds.
  func append(_ other: CocoState) {
    let (count, end) = (detections, used)
    let added = other.detections
    for label in 0..<shape.classes {
      for a in 0..<shape.ranges { addTruths(label, a, other.truths(label, a)) }
    }
    (bytes + end).copyMemory(from: other.bytes + shape.headerBytes, byteCount: added &* shape.detectionBytes)
    set(5, Int64(count &+ added))
  }

  func hasParameters(of other: CocoState) -> Bool {
    for i in 6..<(6 &+ shape.parameterWords) where word(i, as: UInt64.self) != other.word(i, as: UInt64.self) {
      return false
    }
    return true
  }

  /// Is everything behind the sizes in range?
  var isSound: Bool {
    for t in 0..<shape.thresholds where threshold(t) != threshold(t) { return false }
    for a in 0..<shape.ranges where range(a).least != range(a).least || range(a).greatest != range(a).greatest {
      return false
    }
    for m in 0..<shape.limits where limit(m) < 0 { return false }
    for label in 0..<shape.classes {
      for a in 0..<shape.ranges where truths(label, a) < 0 || truths(label, a) > largestCocoTally { return false }
    }
    for i in 0..<detections {
      let detection = detection(i)
      if detection.label >= shape.classes || detection.score != detection.score { return false }
    }
    return true
  }
}
