// Sums of confidences that are exact, so that no order of adding (threads, instruction sets, merged halves) can change
// a bit of them.
//
// A confidence c in [0, 1] counts as the nearest integer multiple of 2⁻¹²⁰ (ties to even), but as 2⁻¹²⁰ at least if it
// is not 0, so that no gap loses its sign. That is c itself for every float32 ≥ 2⁻⁹⁷ and every float64 ≥ 2⁻⁶⁸; smaller
// ones are off by less than 2⁻¹²⁰ ≈ 8·10⁻³⁷. The integers are added as digits of 40 bits.

/// A sum of multiples of 2⁻¹²⁰: `whole + high·2⁻⁴⁰ + middle·2⁻⁸⁰ + low·2⁻¹²⁰`, the three digits in 0 ..< 2⁴⁰.
struct ExactSum {
  static let digitBits: Int64 = 40
  static let digitLimit: Int64 = 1 << digitBits
  /// What the least of the confidences above 0 count as.
  static let unit = 0x1p-120

  var whole: Int64 = 0
  var high: Int64 = 0
  var middle: Int64 = 0
  var low: Int64 = 0

  /// Adds `whole + high·2⁻⁴⁰ + …`; the digits may have any sign and 62 bits.
  mutating func add(whole: Int64 = 0, high: Int64, middle: Int64, low: Int64) {
    self.low &+= low
    self.middle &+= middle
    self.high &+= high
    self.whole &+= whole
    carry()
  }

  /// Adds one confidence, or another number below 2⁴⁰.
  mutating func add(_ confidence: Double) {
    let whole = confidence >= 1 ? Int64(confidence) : 0
    let fraction = confidence - Double(whole)
    let scaled = (fraction > 0 ? max(fraction, Self.unit) : 0) * 0x1p40
    let high = nearestInteger(scaled)
    let rest = (scaled - high) * 0x1p40
    let middle = nearestInteger(rest)
    let low = nearestInteger((rest - middle) * 0x1p40)
    add(whole: whole, high: Int64(high), middle: Int64(middle), low: Int64(low))
  }

  mutating func add(_ other: ExactSum) {
    add(whole: other.whole, high: other.high, middle: other.middle, low: other.low)
  }

  private mutating func carry() {
    middle &+= low >> Self.digitBits
    low &= Self.digitLimit &- 1
    high &+= middle >> Self.digitBits
    middle &= Self.digitLimit &- 1
    whole &+= high >> Self.digitBits
    high &= Self.digitLimit &- 1
  }

  /// `self − count`, rounded once or twice in the last place: a difference near 0 keeps its sign and its digits.
  func minus(_ count: Int64) -> Double {
    var difference = self
    difference.whole &-= count
    if difference.whole >= 0 { return difference.value }
    var opposite = ExactSum()
    opposite.add(
      whole: 0 &- difference.whole, high: 0 &- difference.high, middle: 0 &- difference.middle,
      low: 0 &- difference.low)
    return -opposite.value
  }

  /// The sum, if it is not negative, as a double.
  var value: Double {
    Double(whole) + (Double(high) * 0x1p-40 + (Double(middle) * 0x1p-80 + Double(low) * 0x1p-120))
  }
}

/// The digits of eight confidences, or of other numbers below 2¹¹.
struct ExactDigits {
  /// The last digit of doubles of this size is 2⁻⁴⁰.
  private static var offset: DoubleLanes { DoubleLanes(0x1.8p12) }
  let high: Int64Lanes
  /// What `high` leaves: within ±2⁻⁴¹.
  private let rest: DoubleLanes

  @inline(__always) init(_ confidence: DoubleLanes) {
    let shifted = confidence + Self.offset
    high = shifted.bits &- Self.offset.bits
    rest = confidence - (shifted - Self.offset)
  }

  /// Does `high` say it all?
  @inline(__always) var isShort: Bool { !(rest .!= DoubleLanes.zero).any }

  @inline(__always) var middleAndLow: (Int64Lanes, Int64Lanes) {
    let unit = DoubleLanes(ExactSum.unit)
    let isTiny = (DoubleLanes.zero .< rest) & (rest .< unit)  // then `high` is 0
    let scaled = DoubleLanes.select(isTiny, unit, rest) * DoubleLanes(0x1p80)
    let rounded = scaled.nearestInteger
    let low = ((scaled - rounded.value) * DoubleLanes(0x1p40)).nearestInteger
    return (rounded.integer, low.integer)
  }
}

/// Integers in doubles, and as integers, without the 64-bit conversions that AVX2 lacks.
struct NearestInteger {
  private static var offset: DoubleLanes { DoubleLanes(0x1.8p52) }
  private let shifted: DoubleLanes

  @inline(__always) fileprivate init(of x: DoubleLanes) { shifted = x + Self.offset }
  @inline(__always) var value: DoubleLanes { shifted - Self.offset }
  @inline(__always) var integer: Int64Lanes { shifted.bits &- Self.offset.bits }
}

extension DoubleLanes {
  /// Rounded to the nearest integer, ties to even, for `|x| < 2⁵¹`.
  @inline(__always) var nearestInteger: NearestInteger { NearestInteger(of: self) }
}

/// Ties to even, for |x| ≤ 2^51. `rounded()` is a call into libm where the instruction set lacks it.
@inline(__always) func nearestInteger(_ x: Double) -> Double { (x + 0x1.8p52) - 0x1.8p52 }

/// An integer and what it leaves of a number |x| ≤ 2^51, without the checks of a conversion.
struct NearestDigit {
  let integer: Int64
  /// Within ±½.
  let rest: Double

  @inline(__always) init(_ x: Double) {
    let offset = 0x1.8p52
    let shifted = x + offset
    integer = Int64(bitPattern: shifted.bitPattern) &- Int64(bitPattern: offset.bitPattern)
    rest = x - (shifted - offset)
  }
}
