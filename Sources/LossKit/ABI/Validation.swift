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
