import VectorShims

/// 16 floats in one logical vector.
struct FloatLanes: Lanes {
  typealias Element = Float
  typealias Integers = Int32Lanes

  var raw: SIMD16<Float>
  @inline(__always) init(raw: SIMD16<Float>) { self.raw = raw }
  @inline(__always) init(_ repeated: Float) { raw = vs_splat_f32(repeated) }
  @inline(__always) init(_ repeated: Double) { raw = vs_splat_f32(Float(repeated)) }
  @inline(__always) static var count: Int { 16 }

  @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Self { Self(raw: vs_load_f32(p)) }
  @inline(__always) static func load(_ p: UnsafePointer<Float>, first n: Int, fill: Float) -> Self {
    Self(raw: vs_load_first_f32(p, n, fill))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Float>) { vs_store_f32(p, raw) }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Float>, first n: Int) { vs_store_first_f32(p, n, raw) }
  @inline(__always) static func load(_ p: UnsafePointer<Float>, lanes n: Int, fill: Float) -> Self {
    Self(raw: vs_load_lanes_f32(p, n, fill))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Float>, lanes n: Int) { vs_store_lanes_f32(p, n, raw) }
  @inline(__always) func adding(_ b: Self, first n: Int) -> Self { Self(raw: vs_add_lanes_f32(raw, b.raw, n)) }
  @inline(__always) func first(_ n: Int, else fill: Float) -> Self { Self(raw: vs_keep_lanes_f32(raw, n, fill)) }
  @inline(__always) func compress(_ mask: Integers, _ p: UnsafeMutablePointer<Float>) -> Int {
    vs_compress_f32(p, mask.raw, raw)
  }

  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(raw: vs_add_f32(a.raw, b.raw)) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(raw: vs_sub_f32(a.raw, b.raw)) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(raw: vs_mul_f32(a.raw, b.raw)) }
  @inline(__always) static func / (a: Self, b: Self) -> Self { Self(raw: vs_div_f32(a.raw, b.raw)) }
  @inline(__always) static prefix func - (a: Self) -> Self { Self(raw: vs_neg_f32(a.raw)) }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(raw: vs_fma_f32(a.raw, b.raw, c.raw))
  }
  @inline(__always) static func max(_ a: Self, _ b: Self) -> Self { Self(raw: vs_max_f32(a.raw, b.raw)) }
  @inline(__always) static func min(_ a: Self, _ b: Self) -> Self { Self(raw: vs_min_f32(a.raw, b.raw)) }
  @inline(__always) var squareRoot: Self { Self(raw: vs_sqrt_f32(raw)) }
  @inline(__always) var magnitude: Self { Self(raw: vs_abs_f32(raw)) }
  @inline(__always) func copySign(_ sign: Self) -> Self { Self(raw: vs_copysign_f32(raw, sign.raw)) }

  @inline(__always) static func .< (a: Self, b: Self) -> Integers { Integers(raw: vs_lt_f32(a.raw, b.raw)) }
  @inline(__always) static func .<= (a: Self, b: Self) -> Integers { Integers(raw: vs_le_f32(a.raw, b.raw)) }
  @inline(__always) static func .== (a: Self, b: Self) -> Integers { Integers(raw: vs_eq_f32(a.raw, b.raw)) }
  @inline(__always) static func .!= (a: Self, b: Self) -> Integers { Integers(raw: vs_ne_f32(a.raw, b.raw)) }
  @inline(__always) static func select(_ mask: Integers, _ a: Self, _ b: Self) -> Self {
    Self(raw: vs_select_f32(mask.raw, a.raw, b.raw))
  }

  @inline(__always) var bits: Integers { Integers(raw: vs_bits_f32(raw)) }
  @inline(__always) init(bits: Integers) { raw = vs_from_bits_f32(bits.raw) }
  @inline(__always) init(_ integers: Integers) { raw = vs_to_float_i32(integers.raw) }
  @inline(__always) var truncated: Integers { Integers(raw: vs_to_int_f32(raw)) }
  @inline(__always) func scaled(_ n: Self) -> Self { Self(raw: vs_scale_f32(raw, n.raw)) }

  @inline(__always) var sum: Float { vs_reduce_add_f32(raw) }
  @inline(__always) var maximum: Float { vs_reduce_max_f32(raw) }
  @inline(__always) var minimum: Float { vs_reduce_min_f32(raw) }
  @inline(__always) var doubles: (DoubleLanes, DoubleLanes) {
    (DoubleLanes(raw: vs_widen_lo_f32(raw)), DoubleLanes(raw: vs_widen_hi_f32(raw)))
  }
  @inline(__always) init(_ low: DoubleLanes, _ high: DoubleLanes) { raw = vs_narrow_f64(low.raw, high.raw) }
  @inline(__always) static func sort(_ vectors: UnsafeMutablePointer<Self>) { vs_sort_f32(vectors) }
  @inline(__always) static func merge(_ vectors: UnsafeMutablePointer<Self>, _ others: UnsafeMutablePointer<Self>) {
    vs_merge_f32(vectors, others)
  }
  @inline(__always)
  static func transpose(_ p: UnsafePointer<Float>, stride: Int, to tile: UnsafeMutablePointer<Self>) {
    vs_transpose_f32(p, stride, tile)
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self { Self(raw: vs_evens_f32(a.raw, b.raw)) }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self { Self(raw: vs_odds_f32(a.raw, b.raw)) }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self { Self(raw: vs_zip_low_f32(a.raw, b.raw)) }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self { Self(raw: vs_zip_high_f32(a.raw, b.raw)) }
  @inline(__always) static func multiplyTile(
    _ left: UnsafePointer<Float>, step: Int, _ right: UnsafePointer<Float>, depth: Int, _ out: UnsafeMutablePointer<Float>,
    stride: Int, adding: Bool
  ) {
    vs_multiply_tile_f32(left, step, right, depth, out, stride, adding)
  }
}

/// 16 integers of 32 bits: lane indices, bit patterns and masks.
struct Int32Lanes: IntegerLanes {
  var raw: SIMD16<Int32>
  @inline(__always) init(raw: SIMD16<Int32>) { self.raw = raw }
  @inline(__always) init(_ repeated: Int) { raw = vs_splat_i32(Int32(truncatingIfNeeded: repeated)) }
  @inline(__always) static var indices: Self { Self(raw: vs_iota_lanes_i32()) }
  @inline(__always) static func first(_ n: Int) -> Self { Self(raw: vs_first_i32(n)) }
  @inline(__always) static func load(_ p: UnsafePointer<Int64>) -> Self { Self(raw: vs_load_i32_from_i64(p)) }
  @inline(__always) static func load(_ p: UnsafePointer<UInt8>, lanes n: Int) -> Self {
    Self(raw: n == 16 ? vs_load_mask_i32(p) : vs_load_first_mask_i32(p, n))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Int64>) { vs_store_i64_from_i32(p, raw) }
  @inline(__always) static func &+ (a: Self, b: Self) -> Self { Self(raw: vs_add_i32(a.raw, b.raw)) }
  @inline(__always) static func &- (a: Self, b: Self) -> Self { Self(raw: vs_sub_i32(a.raw, b.raw)) }
  @inline(__always) static func & (a: Self, b: Self) -> Self { Self(raw: vs_and_i32(a.raw, b.raw)) }
  @inline(__always) static func | (a: Self, b: Self) -> Self { Self(raw: vs_or_i32(a.raw, b.raw)) }
  @inline(__always) static func ^ (a: Self, b: Self) -> Self { Self(raw: vs_xor_i32(a.raw, b.raw)) }
  @inline(__always) static prefix func ~ (a: Self) -> Self { Self(raw: vs_not_i32(a.raw)) }
  @inline(__always) static func .== (a: Self, b: Self) -> Self { Self(raw: vs_eq_i32(a.raw, b.raw)) }
  @inline(__always) static func .< (a: Self, b: Self) -> Self { Self(raw: vs_lt_i32(a.raw, b.raw)) }
  @inline(__always) static func unsignedMax(_ a: Self, _ b: Self) -> Self {
    Self(raw: vs_unsigned_max_i32(a.raw, b.raw))
  }
  @inline(__always) func shiftedLeft(_ n: Int) -> Self { Self(raw: vs_shl_i32(raw, Int32(truncatingIfNeeded: n))) }
  @inline(__always) func shiftedRightLogical(_ n: Int) -> Self {
    Self(raw: vs_shr_i32(raw, Int32(truncatingIfNeeded: n)))
  }
  @inline(__always) func shiftedRightArithmetic(_ n: Int) -> Self {
    Self(raw: vs_sar_i32(raw, Int32(truncatingIfNeeded: n)))
  }
  @inline(__always) static func select(_ mask: Self, _ a: Self, _ b: Self) -> Self {
    Self(raw: vs_select_i32(mask.raw, a.raw, b.raw))
  }
  @inline(__always) var maskBits: UInt32 { vs_mask_bits_i32(raw) }
  @inline(__always) static func lane(_ lane: Int, of vector: UnsafeRawPointer) -> Int {
    Int(vector.assumingMemoryBound(to: Int32.self)[lane])
  }
  @inline(__always) subscript(_ lane: Int) -> Int {
    get { Int(withUnsafeBytes(of: raw) { $0.baseAddress!.assumingMemoryBound(to: Int32.self)[lane] }) }
    set {
      let value = Int32(truncatingIfNeeded: newValue)
      withUnsafeMutableBytes(of: &raw) { $0.baseAddress!.assumingMemoryBound(to: Int32.self)[lane] = value }
    }
  }
  @inline(__always) var any: Bool { vs_any_i32(raw) }
  @inline(__always) var halves: (Int64Lanes, Int64Lanes) {
    (Int64Lanes(raw: vs_widen_lo_i32(raw)), Int64Lanes(raw: vs_widen_hi_i32(raw)))
  }
}
