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
  let prefixes = Prefixes(
    queries: shape.queries, keys: shape.keys,
    offset: Int(Swift.max(Int64(-shape.queries), Swift.min(Int64(shape.keys), offset))))
  let arrays = RowArrays(first: first, second: second, perClass: nil, output: output)
  if shape.keys <= 16 &* M.V.count, let rows = RowShape(rows.rows, shape.keys, 1) {
    // What a row costs besides its keys is more than the keys that it does not see: many rows at once.
    forEachRowTile(rows, arrays, PrefixKernel(map: map, prefixes: prefixes))
    return .ok
  }
  let split = Split(rows.rows, smallest: Swift.max(1, smallestElementwisePart / shape.keys))
  parallel(split.parts, PrefixJob(kernel: RowMapKernel(map: map), arrays: arrays, prefixes: prefixes, split: split))
  return .ok
}

/// How many keys each row sees.
private struct Prefixes {
  let queries, keys, offset: Int

  @inline(__always) func length(query: Int) -> Int { Swift.max(0, Swift.min(keys, query &+ 1 &+ offset)) }

  @inline(__always) func lengths<V: Lanes>(_ rows: RowSlice, _ type: V.Type) -> V.Integers {
    var result = V.Integers(0)
    var query = rows.first % queries
    for row in 0..<rows.count {
      result[row] = length(query: query)
      query = query &+ 1 == queries ? 0 : query &+ 1
    }
    return result
  }
}

/// Short rows: the keys that a row does not see are passed over in the lanes.
private struct PrefixKernel<M: RowMap>: RowVisitor {
  typealias V = M.V
  let map: M
  let prefixes: Prefixes
  static var usesSecond: Bool { M.usesSecond }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = RowConstants<V>(target: prefixes.lengths(tile.rows, V.self))
    if M.usesMaximum {
      k.a = map.shift(
        tile.maximum(k) { e, k in V.select(e.classes .< k.target, map.score(e), -V.infinity) }, tile.rows)
    }
    let sum = tile.sum(k, keep: M.keepsTerms) { e, k in V.select(e.classes .< k.target, map.term(e, k.a), V.zero) }
    (k.a, k.b) = map.constants(k.a, sum, tile.rows)
    tile.map(k) { e, k in V.select(e.classes .< k.target, map.output(e, (k.a, k.b)), V.zero) }
  }
}

/// Long rows, one by one: no time goes into keys that a row does not see.
private struct PrefixJob<M: RowMap>: ParallelJob {
  typealias V = M.V
  let kernel: RowMapKernel<M>
  let arrays: RowArrays<V.Element>
  let prefixes: Prefixes
  let split: Split

  @inline(__always) func run(part: Int) {
    var memory = RowScratch()
    memory.withMemory(V.self) { scratch in
      for row in split.range(part) {
        let visible = prefixes.length(query: row % prefixes.queries)
        let start = row &* prefixes.keys
        if visible > 0 {
          kernel.visit(
            RowTile<V>(along: arrays.advanced(by: start), classes: visible, firstRow: 0, count: 1, scratch: scratch))
        }
        (arrays.output! + (start &+ visible)).update(repeating: 0, count: prefixes.keys &- visible)
      }
    }
  }
}
