/// How good prediction sets are: coverage, mean size, and the smallest coverage among rows whose sets have equal size.
///
/// - Parameters:
///   - mask: `[count, classes]`, not 0 for the classes of a row's set.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 0. Without rows, all is NaN.
///   - classes: number of columns, ≥ 1.
///   - coverage: optional output, the share of rows whose label is in the set.
///   - meanSize: optional output.
///   - sizeStratifiedCoverage: optional output.
/// - Errors: INVALID_TARGET if a label is out of range.
/// - Reference: Angelopoulos et al., Uncertainty Sets for Image Classifiers using Conformal Prediction, 2021.
func conformalSetMetrics<S: Scalar>(
  _ mask: UnsafePointer<UInt8>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int,
  _ coverage: UnsafeMutablePointer<S>?, _ meanSize: UnsafeMutablePointer<S>?,
  _ sizeStratifiedCoverage: UnsafeMutablePointer<S>?
) -> Status {
  guard classes >= 1, elementCount(count, classes) != nil, elementCount(classes, 64) != nil else {
    return .invalidShape
  }
  guard count == 0 || (mask != nil && y != nil) else { return .nullPointer }
  return withWorkspace(layout: { $0.take(Stratum.self, classes &+ 1) }) { strata in
    strata.initialize(repeating: Stratum(), count: classes &+ 1)
    var totalSize = 0
    for row in 0..<count {
      guard let mask, let y, y[row] >= 0, y[row] < Int64(classes) else { return .invalidTarget }
      let set = mask + row &* classes
      var size = 0
      for c in 0..<classes { size &+= set[c] == 0 ? 0 : 1 }
      totalSize &+= size
      strata[size].rows &+= 1
      strata[size].covered &+= set[Int(y[row])] == 0 ? 0 : 1
    }
    var all = Stratum()
    var smallest = Double.nan
    for size in 0...classes where strata[size].rows > 0 {
      all.rows &+= strata[size].rows
      all.covered &+= strata[size].covered
      if !(smallest <= strata[size].coverage) { smallest = strata[size].coverage }
    }
    coverage?.pointee = S(all.coverage)
    meanSize?.pointee = S(Double(totalSize) / Double(all.rows))
    sizeStratifiedCoverage?.pointee = S(smallest)
    return .ok
  }
}

/// Rows whose sets have one size.
private struct Stratum {
  var rows = 0
  var covered = 0
  var coverage: Double { Double(covered) / Double(rows) }
}
