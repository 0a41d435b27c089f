// The state of an accumulator, as bytes that belong to the caller: little-endian 64-bit words, without pointers, at any
// alignment. The words that a state begins with say what it is, so that bytes from elsewhere can be looked through.

/// The letters that a state begins with.
struct StateLetters {
  static let reliability = UInt64(littleEndian: 0x3141_494c_4552_4b4c)  // LKRELIA1
  static let classwise = UInt64(littleEndian: 0x3153_5341_4c43_4b4c)  // LKCLASS1
  static let groups = UInt64(littleEndian: 0x3150_554f_5247_4b4c)  // LKGROUP1
  static let scores = UInt64(littleEndian: 0x3145_524f_4353_4b4c)  // LKSCORE1
}

/// No count may be higher, so that counts can be added without overflow.
let largestTally: Int64 = 1 << 61

extension UnsafeRawPointer {
  func word(_ index: Int) -> Int64 { loadUnaligned(fromByteOffset: index * 8, as: Int64.self) }
}

/// Is there a state of so many bytes at all?
func faultOfState(_ bytes: UnsafeRawPointer?, _ size: Int) -> Status? {
  size < 0 ? .invalidShape : bytes == nil ? .nullPointer : nil
}

extension ExactSum {
  /// Are the digits what sums of so many terms, of which none exceeds `largest`, leave behind?
  func isSum(of terms: Int64, largest: Int64) -> Bool {
    let digits = high | middle | low
    guard digits >= 0, digits < Self.digitLimit, whole >= 0 else { return false }
    let (limit, overflow) = terms.multipliedReportingOverflow(by: largest)
    return overflow || whole <= limit
  }
}
