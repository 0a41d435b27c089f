// Checks that exported functions make before they touch data.

/// The largest number of elements an array may have: its size in bytes stays within `Int`.
let largestCount = Int.max / 16

/// `a · b`, or nil where a size is negative or the product is too large.
func elementCount(_ a: Int, _ b: Int) -> Int? {
  guard a >= 0, b >= 0 else { return nil }
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow || product > largestCount ? nil : product
}

/// `a · b · c`, or nil where a size is negative or the product is too large.
func elementCount(_ a: Int, _ b: Int, _ c: Int) -> Int? {
  guard let ab = elementCount(a, b) else { return nil }
  return elementCount(ab, c)
}

/// Is `x` a finite number greater than 0?
func isPositive(_ x: Double) -> Bool { x > 0 && x < .infinity }

/// Is some number as `isSought` says?
@inline(__always)
private func hasAny<S: Scalar>(
  _ p: UnsafePointer<S>, _ count: Int, _ isSought: (S.Vector) -> S.Vector.Integers
) -> Bool {
  var found = S.Vector.Integers(0)
  // Where there are no numbers, 1: no check seeks it.
  forEachVector(S.Vector.self, 0..<count) { i, n in found = found | isSought(S.Vector.load(p + i, lanes: n, fill: 1)) }
  return found.any
}

/// Are all numbers ≥ 0 (and none NaN)?
@inline(__always) func areNonNegative<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  !hasAny(p, count) { ~(S.Vector.zero .<= $0) }
}

/// Are all numbers in [0, 1] (and none NaN)?
@inline(__always) func areFractions<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  !hasAny(p, count) { ~((S.Vector.zero .<= $0) & ($0 .<= S.Vector.one)) }
}

/// Is some number outside [0, 1]? NaN is not.
@inline(__always) func hasOutsideFractions<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  hasAny(p, count) { ($0 .< S.Vector.zero) | (S.Vector.one .< $0) }
}

/// Is some number < 0?
@inline(__always) func hasNegative<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  hasAny(p, count) { $0 .< S.Vector.zero }
}

/// Are all numbers > 0 (and none NaN)? An absent array is.
@inline(__always) func arePositive<S: Scalar>(_ p: UnsafePointer<S>?, _ count: Int) -> Bool {
  guard let p else { return true }
  return !hasAny(p, count) { ~(S.Vector.zero .< $0) }
}

/// Are all numbers ≥ 0 and finite, as weights have to be? An absent array is.
@inline(__always) func areWeights<S: Scalar>(_ p: UnsafePointer<S>?, _ count: Int) -> Bool {
  guard let p else { return true }
  return !hasAny(p, count) { ~((S.Vector.zero .<= $0) & ($0 .< S.Vector.infinity)) }
}

/// Are all numbers finite?
@inline(__always) func areFinite<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  !hasAny(p, count) { ~($0.magnitude .< S.Vector.infinity) }
}

/// Does an array hold a NaN?
@inline(__always) func hasNaN<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool { hasAny(p, count) { $0.isNaN } }

/// Are all indices in 0 ..< limit?
func areIndices(_ indices: UnsafePointer<Int64>, _ count: Int, below limit: Int) -> Bool {
  var bad = Int64(0)
  let last = Int64(limit) &- 1
  for i in 0..<count { bad |= indices[i] | (last &- indices[i]) }
  return bad >= 0
}
