/// Rows of four that a part must have before a thread is worth waking.
let smallestBoxRowsPart = 8192

/// Runs `body(row, n)` over `count` rows, a vector of rows at a time, on the threads that the caller allows.
@inline(__always)
func forEachRowVector<V: Lanes>(_ type: V.Type, _ count: Int, _ body: (Int, Int) -> Void) {
  let split = Split(count, smallest: smallestBoxRowsPart, multiple: V.count)
  parallel(split.parts) { part in forEachVector(V.self, split.range(part), body) }
}

/// Two numbers a lane, from rows of two: `n` of them from `p`, the others zeros.
@inline(__always)
func loadPairs<V: Lanes>(_ p: UnsafePointer<V.Element>, rows n: Int) -> (V, V) {
  let left = 2 &* n &- V.count
  var columns: InlineArray<2, V> = [
    V.load(p, lanes: Swift.min(2 &* n, V.count)), left <= 0 ? V.zero : V.load(p + V.count, lanes: left),
  ]
  withUnsafeMutablePointer(to: &columns) {
    V.deinterleave2(UnsafeMutableRawPointer($0).assumingMemoryBound(to: V.self))
  }
  return (columns[0], columns[1])
}
