// Rows that are worked on one by one and in double precision, whatever the precision of the call: where a root is sought, or
// where numbers that are much larger than their differences are turned into exponents, a float would not do.

/// A formula that turns a row into another.
protocol DoubleRowFormula {
  /// Does it have a second input?
  static var usesSecond: Bool { get }
  /// - Parameters:
  ///   - x: the row; takes the result.
  ///   - y: the row of the second input.
  func run(_ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int, row: Int)
}

/// Applies a formula to each row; `output` may be one of the inputs. OUT_OF_MEMORY if there is none for copies of rows.
@inline(__always)
func mapRowsInDouble<S: Scalar, T: Scalar, F: DoubleRowFormula>(
  _ formula: F, _ shape: RowShape, _ first: UnsafePointer<S>, _ second: UnsafePointer<S>? = nil,
  output: UnsafeMutablePointer<T>
) -> Status {
  withWorkspace { arena in
    RowsInDouble(&arena, shape, inputs: F.usesSecond ? 2 : 1)
  } _: { rows in
    rows.map(formula, first, second, output: output)
    return .ok
  }
}

/// The memory for that, for calls that make several maps and must not fail between them.
struct RowsInDouble {
  private let shape: RowShape
  private let split: Split
  private let scratch: DoubleScratch

  init(_ arena: inout Arena, _ shape: RowShape, inputs: Int) {
    self.shape = shape
    split = Split(
      shape.rows, smallest: smallestPart(ofRows: shape.rows, bytes: shape.classes &* 8 &* inputs, work: shape.classes))
    scratch = DoubleScratch(&arena, split.parts, inputs, shape.classes)
  }

  @inline(__always)
  func map<S: Scalar, T: Scalar, F: DoubleRowFormula>(
    _ formula: F, _ first: UnsafePointer<S>, _ second: UnsafePointer<S>? = nil, output: UnsafeMutablePointer<T>
  ) {
    parallel(
      split.parts,
      RowsInDoubleJob(
        formula: formula, shape: shape, first: first, second: second, output: output, split: split, scratch: scratch))
  }
}

/// The rows of a part: enough to be worth a thread's while, and so many that all parts' scratch fits into 64 MB, if one
/// row's does.
///
/// - Parameters:
///   - bytes: scratch for a row.
///   - work: elements computed for a row.
func smallestPart(ofRows rows: Int, bytes: Int, work: Int) -> Int {
  let parts = Swift.max(1, (1 << 26) / Swift.max(1, bytes))
  return Swift.max(smallestElementwisePart / 8 / Swift.max(1, work), (rows &+ parts &- 1) / parts)
}

/// Arrays of doubles for each part.
struct DoubleScratch {
  private let memory: UnsafeMutablePointer<Double>
  private let arrays, capacity: Int

  init(_ arena: inout Arena, _ parts: Int, _ arrays: Int, _ count: Int) {
    self.arrays = arrays
    capacity = (count &+ 15) & ~15
    memory = arena.take(Double.self, parts &* arrays &* capacity)
  }

  @inline(__always) func array(_ index: Int, part: Int) -> UnsafeMutablePointer<Double> {
    memory + (part &* arrays &+ index) &* capacity
  }
}

private struct RowsInDoubleJob<S: Scalar, T: Scalar, F: DoubleRowFormula>: ParallelJob {
  let formula: F
  let shape: RowShape
  let first: UnsafePointer<S>
  let second: UnsafePointer<S>?
  let output: UnsafeMutablePointer<T>
  let split: Split
  let scratch: DoubleScratch

  @inline(__always) func run(part: Int) {
    let x = scratch.array(0, part: part)
    let y = F.usesSecond ? scratch.array(1, part: part) : x
    for row in split.range(part) {
      let start = row / shape.inner &* shape.classes &* shape.inner &+ row % shape.inner
      widen(first + start, step: shape.inner, x, shape.classes)
      if let second { widen(second + start, step: shape.inner, y, shape.classes) }
      formula.run(x, y, shape.classes, row: row)
      narrow(x, output + start, step: shape.inner, shape.classes)
    }
  }
}

/// Every `step`-th number, as doubles.
@inline(never)
func widen<S: Scalar>(_ source: UnsafePointer<S>, step: Int, _ target: UnsafeMutablePointer<Double>, _ count: Int) {
  if step != 1 {
    for i in 0..<count { target[i] = source[i &* step].double }
    return
  }
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let (low, high) = S.Vector.load(source + i, lanes: n).doubles
    low.store(target + i, lanes: Swift.min(8, n))
    if n > 8 { high.store(target + i + 8, lanes: n &- 8) }
  }
}

/// Doubles, rounded, to every `step`-th place.
@inline(never)
func narrow<S: Scalar>(_ source: UnsafePointer<Double>, _ target: UnsafeMutablePointer<S>, step: Int, _ count: Int) {
  if step != 1 {
    for i in 0..<count { target[i &* step] = S(source[i]) }
    return
  }
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let high = n > 8 ? DoubleLanes.load(source + i + 8, lanes: n &- 8) : DoubleLanes.zero
    S.Vector(DoubleLanes.load(source + i, lanes: Swift.min(8, n)), high).store(target + i, lanes: n)
  }
}
