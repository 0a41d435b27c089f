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

/// Are all numbers ≥ 0 (and none NaN)?
@inline(__always) func areNonNegative<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    bad = bad | ~(S.Vector.zero .<= S.Vector.load(p + i, lanes: n))
  }
  return !bad.any
}

/// Are all numbers in [0, 1] (and none NaN)?
@inline(__always) func areFractions<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n)
    bad = bad | ~((S.Vector.zero .<= x) & (x .<= S.Vector.one))
  }
  return !bad.any
}

/// Is some number outside [0, 1]? NaN is not.
@inline(__always) func hasOutsideFractions<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n)
    bad = bad | (x .< S.Vector.zero) | (S.Vector.one .< x)
  }
  return bad.any
}

/// Is some number < 0?
@inline(__always) func hasNegative<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in bad = bad | (S.Vector.load(p + i, lanes: n) .< S.Vector.zero) }
  return bad.any
}

/// Are all numbers > 0 (and none NaN)? An absent array is.
@inline(__always) func arePositive<S: Scalar>(_ p: UnsafePointer<S>?, _ count: Int) -> Bool {
  guard let p else { return true }
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    bad = bad | ~(S.Vector.zero .< S.Vector.load(p + i, lanes: n, fill: 1))
  }
  return !bad.any
}

/// Are all numbers ≥ 0 and finite, as weights have to be? An absent array is.
@inline(__always) func areWeights<S: Scalar>(_ p: UnsafePointer<S>?, _ count: Int) -> Bool {
  guard let p else { return true }
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    let x = S.Vector.load(p + i, lanes: n)
    bad = bad | ~((S.Vector.zero .<= x) & (x .< S.Vector.infinity))
  }
  return !bad.any
}

/// Does an array hold a NaN?
@inline(__always) func hasNaN<S: Scalar>(_ p: UnsafePointer<S>, _ count: Int) -> Bool {
  var bad = S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in bad = bad | S.Vector.load(p + i, lanes: n).isNaN }
  return bad.any
}
