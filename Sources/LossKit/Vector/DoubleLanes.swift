import VectorShims

/// 8 doubles in one logical vector.
struct DoubleLanes: Lanes {
  typealias Element = Double
  typealias Integers = Int64Lanes

  var raw: SIMD8<Double>
  @inline(__always) init(raw: SIMD8<Double>) { self.raw = raw }
  @inline(__always) init(_ repeated: Double) { raw = vs_splat_f64(repeated) }
  @inline(__always) static var count: Int { 8 }

  @inline(__always) static func load(_ p: UnsafePointer<Double>) -> Self { Self(raw: vs_load_f64(p)) }
  @inline(__always) static func load(_ p: UnsafePointer<Double>, first n: Int, fill: Double) -> Self {
    Self(raw: vs_load_first_f64(p, n, fill))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Double>) { vs_store_f64(p, raw) }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Double>, first n: Int) { vs_store_first_f64(p, n, raw) }
  @inline(__always) static func load(_ p: UnsafePointer<Double>, lanes n: Int, fill: Double) -> Self {
    Self(raw: vs_load_lanes_f64(p, n, fill))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Double>, lanes n: Int) { vs_store_lanes_f64(p, n, raw) }
  @inline(__always) func adding(_ b: Self, first n: Int) -> Self { Self(raw: vs_add_lanes_f64(raw, b.raw, n)) }
  @inline(__always) func first(_ n: Int, else fill: Double) -> Self { Self(raw: vs_keep_lanes_f64(raw, n, fill)) }
  @inline(__always) func compress(_ mask: Integers, _ p: UnsafeMutablePointer<Double>) -> Int {
    vs_compress_f64(p, mask.raw, raw)
  }

  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(raw: vs_add_f64(a.raw, b.raw)) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(raw: vs_sub_f64(a.raw, b.raw)) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(raw: vs_mul_f64(a.raw, b.raw)) }
  @inline(__always) static func / (a: Self, b: Self) -> Self { Self(raw: vs_div_f64(a.raw, b.raw)) }
  @inline(__always) static prefix func - (a: Self) -> Self { Self(raw: vs_neg_f64(a.raw)) }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(raw: vs_fma_f64(a.raw, b.raw, c.raw))
  }
  @inline(__always) static func max(_ a: Self, _ b: Self) -> Self { Self(raw: vs_max_f64(a.raw, b.raw)) }
  @inline(__always) static func min(_ a: Self, _ b: Self) -> Self { Self(raw: vs_min_f64(a.raw, b.raw)) }
  @inline(__always) var squareRoot: Self { Self(raw: vs_sqrt_f64(raw)) }
  @inline(__always) var magnitude: Self { Self(raw: vs_abs_f64(raw)) }
  @inline(__always) func copySign(_ sign: Self) -> Self { Self(raw: vs_copysign_f64(raw, sign.raw)) }

  @inline(__always) static func .< (a: Self, b: Self) -> Integers { Integers(raw: vs_lt_f64(a.raw, b.raw)) }
  @inline(__always) static func .<= (a: Self, b: Self) -> Integers { Integers(raw: vs_le_f64(a.raw, b.raw)) }
  @inline(__always) static func .== (a: Self, b: Self) -> Integers { Integers(raw: vs_eq_f64(a.raw, b.raw)) }
  @inline(__always) static func .!= (a: Self, b: Self) -> Integers { Integers(raw: vs_ne_f64(a.raw, b.raw)) }
  @inline(__always) static func select(_ mask: Integers, _ a: Self, _ b: Self) -> Self {
    Self(raw: vs_select_f64(mask.raw, a.raw, b.raw))
  }

  @inline(__always) var bits: Integers { Integers(raw: vs_bits_f64(raw)) }
  @inline(__always) init(bits: Integers) { raw = vs_from_bits_f64(bits.raw) }
  @inline(__always) init(_ integers: Integers) { raw = vs_to_float_i64(integers.raw) }
  @inline(__always) var truncated: Integers { Integers(raw: vs_to_int_f64(raw)) }
  @inline(__always) func scaled(_ n: Self) -> Self { Self(raw: vs_scale_f64(raw, n.raw)) }

  @inline(__always) var sum: Double { vs_reduce_add_f64(raw) }
  @inline(__always) var maximum: Double { vs_reduce_max_f64(raw) }
  @inline(__always) var minimum: Double { vs_reduce_min_f64(raw) }
  @inline(__always) var doubles: (DoubleLanes, DoubleLanes) { (self, DoubleLanes(0)) }
  @inline(__always) init(_ low: DoubleLanes, _ high: DoubleLanes) { self = low }
  @inline(__always) static func sort(_ vectors: UnsafeMutablePointer<Self>) { vs_sort_f64(vectors) }
  @inline(__always) static func merge(_ vectors: UnsafeMutablePointer<Self>, _ others: UnsafeMutablePointer<Self>) {
    vs_merge_f64(vectors, others)
  }
  @inline(__always)
  static func transpose(_ p: UnsafePointer<Double>, stride: Int, to tile: UnsafeMutablePointer<Self>) {
    vs_transpose_f64(p, stride, tile)
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self { Self(raw: vs_evens_f64(a.raw, b.raw)) }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self { Self(raw: vs_odds_f64(a.raw, b.raw)) }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self { Self(raw: vs_zip_low_f64(a.raw, b.raw)) }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self { Self(raw: vs_zip_high_f64(a.raw, b.raw)) }
  @inline(__always) static func multiplyTile(
    _ left: UnsafePointer<Double>, step: Int, _ right: UnsafePointer<Double>, depth: Int, _ out: UnsafeMutablePointer<Double>,
    stride: Int, adding: Bool
  ) {
    vs_multiply_tile_f64(left, step, right, depth, out, stride, adding)
  }
}

/// 8 integers of 64 bits: lane indices, bit patterns and masks.
struct Int64Lanes: IntegerLanes {
  var raw: SIMD8<Int64>
  @inline(__always) init(raw: SIMD8<Int64>) { self.raw = raw }
  @inline(__always) init(_ repeated: Int) { raw = vs_splat_i64(Int64(truncatingIfNeeded: repeated)) }
  @inline(__always) static var indices: Self { Self(raw: vs_iota_lanes_i64()) }
  @inline(__always) static func first(_ n: Int) -> Self { Self(raw: vs_first_i64(n)) }
  @inline(__always) static func load(_ p: UnsafePointer<Int64>) -> Self { Self(raw: vs_load_i64(p)) }
  @inline(__always) static func load(_ p: UnsafePointer<UInt8>, lanes n: Int) -> Self {
    Self(raw: n == 8 ? vs_load_mask_i64(p) : vs_load_first_mask_i64(p, n))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Int64>) { vs_store_i64(p, raw) }
  @inline(__always) static func &+ (a: Self, b: Self) -> Self { Self(raw: vs_add_i64(a.raw, b.raw)) }
  @inline(__always) static func &- (a: Self, b: Self) -> Self { Self(raw: vs_sub_i64(a.raw, b.raw)) }
  @inline(__always) static func & (a: Self, b: Self) -> Self { Self(raw: vs_and_i64(a.raw, b.raw)) }
  @inline(__always) static func | (a: Self, b: Self) -> Self { Self(raw: vs_or_i64(a.raw, b.raw)) }
  @inline(__always) static func ^ (a: Self, b: Self) -> Self { Self(raw: vs_xor_i64(a.raw, b.raw)) }
  @inline(__always) static prefix func ~ (a: Self) -> Self { Self(raw: vs_not_i64(a.raw)) }
  @inline(__always) static func .== (a: Self, b: Self) -> Self { Self(raw: vs_eq_i64(a.raw, b.raw)) }
  @inline(__always) static func .< (a: Self, b: Self) -> Self { Self(raw: vs_lt_i64(a.raw, b.raw)) }
  @inline(__always) static func unsignedMax(_ a: Self, _ b: Self) -> Self {
    Self(raw: vs_unsigned_max_i64(a.raw, b.raw))
  }
  /// The product of the lower 32 bits of each lane, unsigned: all 64 bits of it.
  @inline(__always) static func productOfLowHalves(_ a: Self, _ b: Self) -> Self {
    Self(raw: vs_mul_low_halves_i64(a.raw, b.raw))
  }
  @inline(__always) func shiftedLeft(_ n: Int) -> Self { Self(raw: vs_shl_i64(raw, Int32(truncatingIfNeeded: n))) }
  @inline(__always) func shiftedRightLogical(_ n: Int) -> Self {
    Self(raw: vs_shr_i64(raw, Int32(truncatingIfNeeded: n)))
  }
  @inline(__always) func shiftedRightArithmetic(_ n: Int) -> Self {
    Self(raw: vs_sar_i64(raw, Int32(truncatingIfNeeded: n)))
  }
  @inline(__always) static func select(_ mask: Self, _ a: Self, _ b: Self) -> Self {
    Self(raw: vs_select_i64(mask.raw, a.raw, b.raw))
  }
  @inline(__always) var maskBits: UInt32 { vs_mask_bits_i64(raw) }
  @inline(__always) static func lane(_ lane: Int, of vector: UnsafeRawPointer) -> Int {
    Int(vector.assumingMemoryBound(to: Int64.self)[lane])
  }
  @inline(__always) subscript(_ lane: Int) -> Int {
    get { Int(withUnsafeBytes(of: raw) { $0.baseAddress!.assumingMemoryBound(to: Int64.self)[lane] }) }
    set {
      let value = Int64(truncatingIfNeeded: newValue)
      withUnsafeMutableBytes(of: &raw) { $0.baseAddress!.assumingMemoryBound(to: Int64.self)[lane] = value }
    }
  }
  @inline(__always) var any: Bool { vs_any_i64(raw) }
  @inline(__always) var halves: (Int64Lanes, Int64Lanes) { (self, Int64Lanes(0)) }
}
