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
  let rows = (V.load(p, part: 0, of: 2 &* n), V.load(p, part: 1, of: 2 &* n))
  return (V.evens(rows.0, rows.1), V.odds(rows.0, rows.1))
}
