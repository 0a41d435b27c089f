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
  /// `n` lanes from `p`; the others are `fill`. With n known to be `count` this is a plain load.
  @inline(__always)
  static func load(_ p: UnsafePointer<Element>, lanes n: Int, fill: Element = 0) -> Self {
    n == count ? load(p) : load(p, first: n, fill: fill)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Element>, lanes n: Int) {
    if n == Self.count { store(p) } else { store(p, first: n) }
  }
}

/// Elements a part must have before a thread is worth waking.
let smallestElementwisePart = 32768

/// `output[i] = function(input[i])`.
@inline(__always)
func mapElements<S: Scalar>(
  _ input: UnsafePointer<S>, _ count: Int, _ output: UnsafeMutablePointer<S>, _ function: (S.Vector) -> S.Vector
) {
  let split = Split(count, smallest: smallestElementwisePart, multiple: S.Vector.count)
  parallel(split.parts) { part in
    forEachVector(S.Vector.self, split.range(part)) { offset, n in
      function(S.Vector.load(input + offset, lanes: n)).store(output + offset, lanes: n)
    }
  }
}

/// `output[i] = function(a[i], b[i])`.
@inline(__always)
func mapElements<S: Scalar>(
  _ a: UnsafePointer<S>, _ b: UnsafePointer<S>, _ count: Int, _ output: UnsafeMutablePointer<S>,
  _ function: (S.Vector, S.Vector) -> S.Vector
) {
  let split = Split(count, smallest: smallestElementwisePart, multiple: S.Vector.count)
  parallel(split.parts) { part in
    forEachVector(S.Vector.self, split.range(part)) { offset, n in
      function(S.Vector.load(a + offset, lanes: n), S.Vector.load(b + offset, lanes: n)).store(output + offset, lanes: n)
    }
  }
}
