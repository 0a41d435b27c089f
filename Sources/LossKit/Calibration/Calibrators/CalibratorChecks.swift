// What calibrators check of their data.

/// Are these labels of two classes?
func areBinaryLabels(_ y: UnsafePointer<Int64>, _ count: Int) -> Bool {
  var bits: UInt64 = 0
  for i in 0..<count { bits |= UInt64(bitPattern: y[i]) }
  return bits <= 1
}

/// Are all numbers finite?
func allFinite<S: Scalar>(_ x: UnsafePointer<S>, _ count: Int) -> Bool {
  var good = ~S.Vector.Integers(0)
  forEachVector(S.Vector.self, 0..<count) { i, n in
    good = good & (S.Vector.load(x + i, lanes: n).magnitude .< S.Vector.infinity)
  }
  return !(~good).any
}

/// Are these labels of so many classes?
func areClassLabels(_ y: UnsafePointer<Int64>, _ count: Int, below limit: Int) -> Bool {
  var bad = false
  for row in 0..<count { bad = bad || UInt64(bitPattern: y[row]) >= UInt64(limit) }
  return !bad
}
