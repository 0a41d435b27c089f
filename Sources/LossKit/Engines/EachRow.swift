/// Work on rows that is done one row at a time.
protocol RowWork {
  func run(row: Int)
}

/// `work.run(row: 0) … work.run(row: rows − 1)`, on several threads where that is worth their while.
///
/// - Parameter size: numbers read for a row.
@inline(__always)
func forEachRow<W: RowWork>(_ rows: Int, size: Int, _ work: W) {
  let split = Split(rows, smallest: smallestElementwisePart / Swift.max(1, size))
  parallel(split.parts, EachRowJob(work: work, split: split))
}

private struct EachRowJob<W: RowWork>: ParallelJob {
  let work: W
  let split: Split

  @inline(__always) func run(part: Int) {
    for row in split.range(part) { work.run(row: row) }
  }
}

/// `‖x − y‖²`
func squaredDistance(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  var even = DoubleLanes.zero, odd = DoubleLanes.zero
  var i = 0
  while i &+ 16 <= count {
    let d = DoubleLanes.load(x + i) - DoubleLanes.load(y + i)
    let e = DoubleLanes.load(x + (i &+ 8)) - DoubleLanes.load(y + (i &+ 8))
    even = DoubleLanes.fma(d, d, even)
    odd = DoubleLanes.fma(e, e, odd)
    i &+= 16
  }
  forEachVector(DoubleLanes.self, i..<count) { i, n in
    let d = DoubleLanes.load(x + i, lanes: n) - DoubleLanes.load(y + i, lanes: n)
    even = DoubleLanes.fma(d, d, even)
  }
  return (even + odd).sum
}

/// The nearest of some points (of equally near ones the first) and its squared distance, NaN where one is.
func nearestPoint(
  _ x: UnsafePointer<Double>, _ points: UnsafePointer<Double>, _ count: Int, _ dimensions: Int
) -> (index: Int, square: Double) {
  var best = 0
  var least = Double.infinity
  for c in 0..<count {
    let square = squaredDistance(x, points + c &* dimensions, dimensions)
    if square.isNaN { return (c, square) }
    if square < least { (best, least) = (c, square) }
  }
  return (best, least)
}

/// The first of the largest numbers.
func indexOfLargest(_ x: UnsafePointer<Double>, _ count: Int) -> Int {
  var best = 0
  for c in 0..<count where x[c] > x[best] { best = c }
  return best
}
