/// Numbers to be searched: inner edges, knots.
struct AscendingNumbers<S: Scalar> {
  let first: UnsafePointer<S>
  let count: Int

  /// False also where there is a NaN.
  var areAscending: Bool {
    if count > 0, first[0].isNaN { return false }
    for i in 0..<max(count &- 1, 0) where !(first[i] <= first[i &+ 1]) { return false }
    return true
  }

  /// How many are < x.
  @inline(__always) func count(below x: S) -> Int { count(below: x, in: 0..<count) }

  /// The same where it is known to lie in `range`, its upper bound included.
  @inline(__always) func count(below x: S, in range: Range<Int>) -> Int {
    var base = range.lowerBound
    var length = range.count
    // The last step's comparison is not a branch that could be foreseen: halves are chosen, not jumped to.
    while length > 0 {
      let half = (length &+ 1) / 2
      base = first[base &+ half &- 1] < x ? base &+ half : base
      length &-= half
    }
    return base
  }
}

/// Where to look for a confidence among many numbers: [0, 1] is divided into cells, and the table has the numbers below
/// each. Fewer than four numbers are then left to be searched, as a rule.
struct SearchTable<S: Scalar> {
  let numbers: AscendingNumbers<S>
  /// A power of two: multiplying with it rounds nothing.
  private let cells: Int
  /// `[cells + 1]`: how many numbers are < i / cells.
  private let below: UnsafeMutablePointer<Int>

  /// - Parameter queries: what the table is to be worth its while for.
  init(_ arena: inout Arena, _ numbers: AscendingNumbers<S>, queries: Int) {
    self.numbers = numbers
    var cells = 1
    while cells < 1 << 20, cells < Swift.min(numbers.count / 2, queries) { cells &*= 2 }
    self.cells = cells
    below = arena.take(Int.self, cells &+ 1)
  }

  func fill() {
    var next = 0
    for cell in 0...cells {
      while next < numbers.count, numbers.first[next].double * Double(cells) < Double(cell) { next &+= 1 }
      below[cell] = next
    }
  }

  /// How many are < x, of a confidence x.
  @inline(__always) func count(below x: S) -> Int {
    let cell = Int(x.double * Double(cells))
    return numbers.count(below: x, in: below[cell]..<(cell < cells ? below[cell &+ 1] : numbers.count))
  }
}
