/// One logical vector: 16 floats or 8 doubles, 64 bytes, on every machine.
///
/// Kernels and engines are generic over `Lanes`; the two conformances below forward to the C primitives of
/// VectorShims. They are wrapper structs, not extensions of `SIMD16<Float>`, because operators that the standard
/// library also declares would resolve to its slower generic versions.
protocol Lanes: ElementaryFunctions {
  associatedtype Element: Scalar where Element.Vector == Self
  /// Integers of the same shape; comparisons give them as masks (-1 true, 0 false in each lane).
  associatedtype Integers: IntegerLanes

  static var count: Int { get }
  init(_ repeated: Element)
  /// The same number in all lanes, from a parameter given as a double.
  init(_ repeated: Double)

  static func load(_ p: UnsafePointer<Element>) -> Self
  /// The first `n` lanes (0 ≤ n ≤ count); the others are `fill`, and memory behind them is not touched.
  static func load(_ p: UnsafePointer<Element>, first n: Int, fill: Element) -> Self
  func store(_ p: UnsafeMutablePointer<Element>)
  func store(_ p: UnsafeMutablePointer<Element>, first n: Int)
  /// The same for loops in which n is `count` but at an end.
  static func load(_ p: UnsafePointer<Element>, lanes n: Int, fill: Element) -> Self
  func store(_ p: UnsafeMutablePointer<Element>, lanes n: Int)
  /// The sum in the first `n` lanes.
  func adding(_ b: Self, first n: Int) -> Self
  /// The first `n` lanes; the others are `fill`.
  func first(_ n: Int, else fill: Element) -> Self
  /// Stores the lanes where the mask is true one behind the other, and returns how many they are. A whole vector is
  /// written: what stands behind them has no meaning.
  func compress(_ mask: Integers, _ p: UnsafeMutablePointer<Element>) -> Int

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  /// `a·b + c`, rounded once (twice on the x86-64 baseline tier, which has no FMA).
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
  /// `a > b ? a : b`: `b` where either is NaN.
  static func max(_ a: Self, _ b: Self) -> Self
  /// `a < b ? a : b`: `b` where either is NaN.
  static func min(_ a: Self, _ b: Self) -> Self
  var squareRoot: Self { get }
  var magnitude: Self { get }
  func copySign(_ sign: Self) -> Self

  static func .< (a: Self, b: Self) -> Integers
  static func .<= (a: Self, b: Self) -> Integers
  static func .== (a: Self, b: Self) -> Integers
  static func .!= (a: Self, b: Self) -> Integers
  /// `mask ? a : b`, lane by lane.
  static func select(_ mask: Integers, _ a: Self, _ b: Self) -> Self

  var bits: Integers { get }
  init(bits: Integers)
  /// Exactly rounded.
  init(_ integers: Integers)
  /// Toward zero; lanes must be in the range of the integer type.
  var truncated: Integers { get }
  /// `self · 2^n` for integral `n`, rounded once, subnormals included.
  func scaled(_ n: Self) -> Self

  /// Sum, maximum and minimum of the lanes, by one fixed tree.
  var sum: Element { get }
  var maximum: Element { get }
  var minimum: Element { get }
  /// The lanes as doubles, lower half then upper half (a double vector has no upper half: zeros).
  var doubles: (DoubleLanes, DoubleLanes) { get }
  /// The inverse: sixteen doubles rounded to floats, or the lower eight doubles.
  init(_ low: DoubleLanes, _ high: DoubleLanes)
  /// Writes the columns of `count` rows of `count` numbers, which stand `stride` numbers apart.
  static func transpose(_ p: UnsafePointer<Element>, stride: Int, to tile: UnsafeMutablePointer<Self>)
  /// Sorts 16 vectors lane by lane, the largest first.
  static func sort(_ vectors: UnsafeMutablePointer<Self>)
  /// Leaves, of twice 16 sorted vectors, the 16 largest in the first place, sorted.
  static func merge(_ vectors: UnsafeMutablePointer<Self>, _ others: UnsafeMutablePointer<Self>)
  /// The lanes of `a` and `b`, seen as one row, that are at even places; and those at odd places.
  static func evens(_ a: Self, _ b: Self) -> Self
  static func odds(_ a: Self, _ b: Self) -> Self
  /// The lower half of the row a0 b0 a1 b1 …; and the upper half.
  static func zipLow(_ a: Self, _ b: Self) -> Self
  static func zipHigh(_ a: Self, _ b: Self) -> Self
  /// A tile of a matrix product, 8 rows by two vectors: see Engines/MatrixProduct.swift.
  static func multiplyTile(
    _ left: UnsafePointer<Element>, step: Int, _ right: UnsafePointer<Element>, depth: Int,
    _ out: UnsafeMutablePointer<Element>, stride: Int, adding: Bool)
}

/// Integers of the width of a lane: 16 × Int32 or 8 × Int64. Also the masks that comparisons give.
protocol IntegerLanes {
  init(_ repeated: Int)
  /// 0, 1, 2, … count − 1.
  static var indices: Self { get }
  /// A mask that is true in the first `n` lanes.
  static func first(_ n: Int) -> Self
  /// `count` class indices, narrowed where lanes are 32 bits wide (values must fit).
  static func load(_ p: UnsafePointer<Int64>) -> Self
  /// A mask from the first `n` of `count` bytes: true where a byte is not 0. Memory behind them is not touched.
  static func load(_ p: UnsafePointer<UInt8>, lanes n: Int) -> Self
  /// `count` integers, widened where lanes are 32 bits wide.
  func store(_ p: UnsafeMutablePointer<Int64>)
  static func &+ (a: Self, b: Self) -> Self
  static func &- (a: Self, b: Self) -> Self
  static func & (a: Self, b: Self) -> Self
  static func | (a: Self, b: Self) -> Self
  static func ^ (a: Self, b: Self) -> Self
  static prefix func ~ (a: Self) -> Self
  static func .== (a: Self, b: Self) -> Self
  static func .< (a: Self, b: Self) -> Self
  /// The larger of each two, as unsigned integers.
  static func unsignedMax(_ a: Self, _ b: Self) -> Self
  func shiftedLeft(_ n: Int) -> Self
  func shiftedRightLogical(_ n: Int) -> Self
  func shiftedRightArithmetic(_ n: Int) -> Self
  static func select(_ mask: Self, _ a: Self, _ b: Self) -> Self
  subscript(_ lane: Int) -> Int { get set }
  /// One lane of a vector in memory.
  static func lane(_ lane: Int, of vector: UnsafeRawPointer) -> Int
  /// A mask as bits: lane i is bit i.
  var maskBits: UInt32 { get }
  /// Is any lane of a mask true?
  var any: Bool { get }
  /// Widened to 64 bits: the lower half, then the upper half (zeros, where lanes are as wide).
  var halves: (Int64Lanes, Int64Lanes) { get }
}

/// `Float` and `Double`: the two precisions that every kernel has.
protocol Scalar: BinaryFloatingPoint {
  associatedtype Vector: Lanes where Vector.Element == Self
  /// The unsigned integer of the same width.
  associatedtype Bits: FixedWidthInteger & UnsignedInteger
  init(_ value: Double)
  var double: Double { get }
  var bitPattern: Bits { get }
  init(bitPattern: Bits)
}

extension Float: Scalar {
  typealias Vector = FloatLanes
  @inline(__always) var double: Double { Double(self) }
}

extension Double: Scalar {
  typealias Vector = DoubleLanes
  @inline(__always) var double: Double { self }
}

extension Lanes {
  @inline(__always) static var zero: Self { Self(Element(0)) }
  @inline(__always) static var one: Self { Self(Element(1)) }
  @inline(__always) static var infinity: Self { Self(Element.infinity) }
  @inline(__always) static var nan: Self { Self(Element.nan) }
  @inline(__always) var isNaN: Integers { self .!= self }
  @inline(__always) static func .> (a: Self, b: Self) -> Integers { b .< a }
  @inline(__always) static func .>= (a: Self, b: Self) -> Integers { b .<= a }

  /// Transposes `count` rows in place.
  @inline(__always) static func transpose(_ rows: UnsafeMutablePointer<Self>) {
    transpose(UnsafeRawPointer(rows).assumingMemoryBound(to: Element.self), stride: count, to: rows)
  }

  /// One lane, by way of memory: for per-row work, not for inner loops.
  @inline(__always) subscript(_ lane: Int) -> Element {
    get { withUnsafeBytes(of: self) { $0.baseAddress!.assumingMemoryBound(to: Element.self)[lane] } }
    set { withUnsafeMutableBytes(of: &self) { $0.baseAddress!.assumingMemoryBound(to: Element.self)[lane] = newValue } }
  }

  @inline(__always) static func load(_ p: UnsafeMutablePointer<Element>) -> Self { load(UnsafePointer(p)) }
  @inline(__always) static func load(_ p: UnsafeMutablePointer<Element>, first n: Int, fill: Element) -> Self {
    load(UnsafePointer(p), first: n, fill: fill)
  }
}
