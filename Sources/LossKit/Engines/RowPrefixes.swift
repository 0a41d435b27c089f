// Rows of which only a prefix takes part, as the causal maps of attention have them.

/// Applies a row map to the first i + 1 + offset keys of each query i; the other outputs are 0. `output` may be one of the
/// inputs. Checks what a public function has to.
@inline(__always)
func mapPrefixes<M: RowMap>(
  _ map: M, _ first: UnsafePointer<M.V.Element>?, _ second: UnsafePointer<M.V.Element>?,
  _ shape: (batch: Int, queries: Int, keys: Int), _ offset: Int64, output: UnsafeMutablePointer<M.V.Element>?
) -> Status {
  guard let rows = RowShape(shape.batch, shape.keys, shape.queries) else { return .invalidShape }
  if rows.rows == 0 { return .ok }
  guard let first, let second, let output else { return .nullPointer }
  // Beyond these a query sees all keys, or none, as it does at them.
  let offset = Int(Swift.max(Int64(-shape.queries), Swift.min(Int64(shape.keys), offset)))
  let split = Split(rows.rows, smallest: Swift.max(1, smallestElementwisePart / shape.keys))
  parallel(
    split.parts,
    PrefixJob(
      kernel: RowMapKernel(map: map), arrays: RowArrays(first: first, second: second, perClass: nil, output: output),
      queries: shape.queries, keys: shape.keys, offset: offset, split: split))
  return .ok
}

private struct PrefixJob<M: RowMap>: ParallelJob {
  typealias V = M.V
  let kernel: RowMapKernel<M>
  let arrays: RowArrays<V.Element>
  let queries, keys, offset: Int
  let split: Split

  @inline(__always) func run(part: Int) {
    var storage = LongRowsScratch()
    withUnsafeMutableBytes(of: &storage) { bytes in
      let scratch = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.Element.self)
      for row in split.range(part) {
        let visible = Swift.max(0, Swift.min(keys, row % queries &+ 1 &+ offset))
        let start = row &* keys
        if visible > 0 {
          kernel.visit(
            LongRows<V>(arrays: arrays.advanced(by: start), classes: visible, firstRow: 0, count: 1, scratch: scratch))
        }
        (arrays.output! + (start &+ visible)).update(repeating: 0, count: keys &- visible)
      }
    }
  }
}
