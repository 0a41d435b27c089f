// What relaxed sorting operators share: lists of items, and for each the matrix whose row i is a softmax over the items, close
// to the one-hot row of the item that comes i-th. The matrix has n² elements, so that sums over all pairs of items cost
// nothing that matters, and no sort is needed to rank them.

/// A list of scores as a formula works on it: arrays of `count` doubles.
struct RelaxedList {
  let count: Int
  /// The scores.
  let s: UnsafeMutablePointer<Double>
  /// Two arrays for what the formula knows of the items.
  let a, b: UnsafeMutablePointer<Double>
  /// The gradient with respect to the scores: 0 at first.
  let grad: UnsafeMutablePointer<Double>

  /// `Σ_k f(s_j, k)` over the items k, in eight partial sums.
  @inline(__always)
  func sum(_ f: (_ s: DoubleLanes, _ k: Int, _ lanes: Int) -> DoubleLanes) -> Double {
    var sums = DoubleLanes.zero
    forEachVector(DoubleLanes.self, 0..<count) { k, n in
      let term = f(DoubleLanes.load(s + k, lanes: n), k, n)
      sums = sums + (n == 8 ? term : DoubleLanes.select(DoubleLanes.Integers.first(n), term, DoubleLanes.zero))
    }
    return sums.sum
  }
}

/// A relaxed sorting operator.
protocol RelaxedSort {
  /// Fills the list's own arrays.
  func prepare(_ list: RelaxedList)
  /// τ times the exponents of row i (from 0) for the items from j on.
  func exponents(_ list: RelaxedList, _ i: Int, _ j: Int, _ lanes: Int) -> DoubleLanes
  /// Adds to `grad` what comes from row i: `gradient` is the one of its exponents.
  func pull(_ list: RelaxedList, _ i: Int, _ gradient: UnsafeMutablePointer<Double>)
  /// Completes `grad` when all rows have been pulled.
  func finish(_ list: RelaxedList)
}

/// The arrays of a call.
struct RelaxedSortArrays<S: Scalar> {
  let s: UnsafePointer<S>
  let lists, items: Int
  /// How many items of each list take part; all where absent.
  let lengths: UnsafePointer<Int64>?

  @inline(__always) func length(_ list: Int) -> Int { lengths.map { Int($0[list]) } ?? items }

  /// The arguments of a public function, or what is wrong with them; nil pointers where there is nothing to do.
  static func checked(
    _ s: UnsafePointer<S>?, _ lists: Int, _ items: Int, _ lengths: UnsafePointer<Int64>?
  ) -> (RelaxedSortArrays?, Status) {
    guard elementCount(lists, items) != nil, let row = elementCount(items, items), row > 0,
      elementCount(lists, row) != nil
    else { return (nil, .invalidShape) }
    if lists == 0 { return (nil, .ok) }
    guard let s else { return (nil, .nullPointer) }
    let arrays = RelaxedSortArrays(s: s, lists: lists, items: items, lengths: lengths)
    for list in 0..<lists {
      if let lengths, lengths[list] < 0 || lengths[list] > items { return (nil, .invalidValue) }
      if hasNaN(s + list &* items, arrays.length(list)) { return (nil, .invalidValue) }
    }
    return (arrays, .ok)
  }
}

extension RelaxedSortArrays {
  /// Writes the matrices.
  @inline(__always)
  func sort<F: RelaxedSort>(_ formula: F, tau: Double, hard: Bool, _ output: UnsafeMutablePointer<S>) -> Status {
    let split = self.split
    return withWorkspace { arena in
      RelaxedSortJob(
        formula: formula, arrays: self, split: split, exponential: ScaledExponential(temperature: tau), hard: hard,
        output: output, scratch: DoubleScratch(&arena, split.parts, 5, items))
    } _: { job in
      parallel(split.parts, job)
      return .ok
    }
  }

  /// Writes the gradients with respect to the scores, from the matrices and the gradients with respect to them.
  @inline(__always)
  func pullBack<F: RelaxedSort>(
    _ formula: F, tau: Double, _ matrix: UnsafePointer<S>, _ gradOutput: UnsafePointer<S>,
    _ gradS: UnsafeMutablePointer<S>
  ) -> Status {
    let split = self.split
    return withWorkspace { arena in
      RelaxedSortVjpJob(
        formula: formula, arrays: self, split: split, scale: 1 / DoubleLanes.usable(tau), matrix: matrix,
        gradOutput: gradOutput, gradS: gradS, scratch: DoubleScratch(&arena, split.parts, 6, items))
    } _: { job in
      parallel(split.parts, job)
      return .ok
    }
  }

  private var split: Split {
    Split(lists, smallest: smallestPart(ofRows: lists, bytes: items &* 48, work: items &* items))
  }

  /// A list in the scratch of a part, of which its first four arrays are taken.
  @inline(__always) fileprivate func list(_ index: Int, _ scratch: DoubleScratch, part: Int) -> RelaxedList {
    let list = RelaxedList(
      count: length(index), s: scratch.array(0, part: part), a: scratch.array(1, part: part),
      b: scratch.array(2, part: part), grad: scratch.array(3, part: part))
    widen(s + index &* items, step: 1, list.s, list.count)
    list.grad.update(repeating: 0, count: items)
    return list
  }
}

private struct RelaxedSortJob<S: Scalar, F: RelaxedSort>: ParallelJob {
  let formula: F
  let arrays: RelaxedSortArrays<S>
  let split: Split
  let exponential: ScaledExponential<DoubleLanes>
  let hard: Bool
  let output: UnsafeMutablePointer<S>
  let scratch: DoubleScratch

  @inline(__always) func run(part: Int) {
    let x = scratch.array(4, part: part)
    for index in split.range(part) {
      let list = arrays.list(index, scratch, part: part)
      formula.prepare(list)
      for i in 0..<arrays.items {
        let row = output + (index &* arrays.items &+ i) &* arrays.items
        let width = i < list.count ? list.count : 0
        if width > 0 {
          forEachVector(DoubleLanes.self, 0..<width) { j, n in formula.exponents(list, i, j, n).store(x + j, lanes: n) }
          softmaxInDouble(x, width, exponential, isHard: hard)
          narrow(x, row, step: 1, width)
        }
        (row + width).update(repeating: 0, count: arrays.items &- width)
      }
    }
  }
}

private struct RelaxedSortVjpJob<S: Scalar, F: RelaxedSort>: ParallelJob {
  let formula: F
  let arrays: RelaxedSortArrays<S>
  let split: Split
  let scale: Double
  let matrix, gradOutput: UnsafePointer<S>
  let gradS: UnsafeMutablePointer<S>
  let scratch: DoubleScratch

  @inline(__always) func run(part: Int) {
    let p = scratch.array(4, part: part)
    let g = scratch.array(5, part: part)
    for index in split.range(part) {
      let list = arrays.list(index, scratch, part: part)
      formula.prepare(list)
      for i in 0..<list.count {
        let row = (index &* arrays.items &+ i) &* arrays.items
        widen(matrix + row, step: 1, p, list.count)
        widen(gradOutput + row, step: 1, g, list.count)
        softmaxVjpInDouble(p, g, list.count, scale: scale)
        formula.pull(list, i, p)
      }
      formula.finish(list)
      narrow(list.grad, gradS + index &* arrays.items, step: 1, arrays.items)
    }
  }
}

extension DoubleLanes {
  /// −1, 0 or 1; 0 for NaN.
  @inline(__always) var direction: Self {
    Self.select(Self.zero .< self, .one, Self.select(self .< Self.zero, -Self.one, Self.zero))
  }
}
