import VectorShims

/// Asks for the cache line at `p`, which need not be a valid address.
@inline(__always) func prefetch<T>(_ p: UnsafePointer<T>) { vs_prefetch(p) }

/// Runs `body(offset, n)` over `count` elements, a vector at a time: n is the number of lanes, `V.count` but at the end.
@inline(__always)
func forEachVector<V: Lanes>(_ type: V.Type, _ range: Range<Int>, _ body: (Int, Int) -> Void) {
  var offset = range.lowerBound
  while offset &+ V.count <= range.upperBound {
    body(offset, V.count)
    offset &+= V.count
  }
  if offset < range.upperBound { body(offset, range.upperBound &- offset) }
}

extension Lanes {
  @inline(__always) static func load(_ p: UnsafePointer<Element>, lanes n: Int) -> Self { load(p, lanes: n, fill: 0) }
}

/// The most terms that a lane adds in its own precision, before they are added as doubles.
let longestRun = 16

/// Elements a part must have before a thread is worth waking.
let smallestElementwisePart = 32768

/// A map of elements, `output = value(x, y)`; y is x again where the map has one input.
protocol ElementMap {
  associatedtype V: Lanes
  func value(_ x: V, _ y: V) -> V
}

/// `output[i] = map.value(x[i], y[i])` with the checks that every exported map makes; `output` may be one of the inputs.
@inline(__always)
func mapElements<M: ElementMap>(
  _ map: M, _ x: UnsafePointer<M.V.Element>?, _ y: UnsafePointer<M.V.Element>?, _ count: Int,
  _ output: UnsafeMutablePointer<M.V.Element>?
) -> Status {
  guard elementCount(count, 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let y, let output else { return .nullPointer }
  let split = Split(count, smallest: smallestElementwisePart, multiple: M.V.count)
  parallel(split.parts, ElementMapJob(map: map, x: x, y: y, output: output, split: split))
  return .ok
}

private struct ElementMapJob<M: ElementMap>: ParallelJob {
  let map: M
  let x, y: UnsafePointer<M.V.Element>
  let output: UnsafeMutablePointer<M.V.Element>
  let split: Split

  @inline(__always) func run(part: Int) {
    forEachVector(M.V.self, split.range(part)) { i, n in
      map.value(M.V.load(x + i, lanes: n), M.V.load(y + i, lanes: n)).store(output + i, lanes: n)
    }
  }
}
