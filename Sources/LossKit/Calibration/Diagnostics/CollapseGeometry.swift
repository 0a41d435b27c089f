/// NC2, how equal the norms of the class means are: the coefficient of variation of ‖μ_c − G‖, 0 for a simplex.
///
///     std(‖μ_c − G‖) / mean(‖μ_c − G‖),   G = mean of the μ_c     (population standard deviation)
///
/// - Parameters:
///   - means: μ, class means or the rows of a classifier, `[classes, dimensions]`.
///   - classes: ≥ 0.
///   - dimensions: ≥ 1.
///   - variation: output; NaN for less than two classes, or where all norms are 0.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Papyan et al. 2020, Prevalence of Neural Collapse During the Terminal Phase of Deep Learning Training.
func nc2Equinorm<S: Scalar>(
  _ means: UnsafePointer<S>?, _ classes: Int, _ dimensions: Int, _ variation: UnsafeMutablePointer<S>?
) -> Status {
  withClassRows(means, classes, dimensions, isCentered: true, variation) { rows in
    var sum = 0.0
    for c in 0..<classes { sum += rows.norms[c] }
    let mean = sum / Double(classes)
    var squares = 0.0
    for c in 0..<classes { squares += (rows.norms[c] - mean) * (rows.norms[c] - mean) }
    return mean == 0 ? .nan : (squares / Double(classes)).squareRoot() / mean
  }
}

/// NC2, how equal the angles between the class means are: 0 for a simplex.
///
///     mean over c ≠ c′ of |cos(μ_c − G, μ_c′ − G) + 1 / (C − 1)|,   G = mean of the μ_c
///
/// Norms are at least 1e-12.
///
/// - Parameters:
///   - means: μ, class means or the rows of a classifier, `[classes, dimensions]`.
///   - classes: C ≥ 0.
///   - dimensions: ≥ 1.
///   - deviation: output; NaN for less than two classes.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Papyan et al. 2020, Prevalence of Neural Collapse During the Terminal Phase of Deep Learning Training.
func nc2Equiangularity<S: Scalar>(
  _ means: UnsafePointer<S>?, _ classes: Int, _ dimensions: Int, _ deviation: UnsafeMutablePointer<S>?
) -> Status {
  withClassRows(means, classes, dimensions, isCentered: true, deviation) { rows in
    rows.meanCosineDistance(from: -1 / Double(classes &- 1))
  }
}

/// How orthogonal the class means are, which is what collapse means without biases: 0 for orthogonal ones.
///
///     mean over c ≠ c′ of |cos(μ_c, μ_c′)|
///
/// Norms are at least 1e-12.
///
/// - Parameters:
///   - means: μ, class means or the rows of a classifier, `[classes, dimensions]`.
///   - classes: ≥ 0.
///   - dimensions: ≥ 1.
///   - deviation: output; NaN for less than two classes.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Dang et al. 2023, Neural Collapse in Deep Linear Networks: From Balanced to Imbalanced Data.
func nc2Orthogonality<S: Scalar>(
  _ means: UnsafePointer<S>?, _ classes: Int, _ dimensions: Int, _ deviation: UnsafeMutablePointer<S>?
) -> Status {
  withClassRows(means, classes, dimensions, isCentered: false, deviation) { rows in
    rows.meanCosineDistance(from: 0)
  }
}

/// NC3, how alike the classifier and the class means are, both scaled: 0 where they are the same.
///
///     ‖W / ‖W‖_F − M / ‖M‖_F‖²_F,   M_c = μ_c − G,   G = mean of the μ_c
///
/// - Parameters:
///   - weight: W, rows of the classifier, `[classes, dimensions]`.
///   - means: μ, class means, `[classes, dimensions]`.
///   - classes: ≥ 0.
///   - dimensions: ≥ 1.
///   - distance: output; NaN without classes, or where a norm is 0.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Papyan et al. 2020, Prevalence of Neural Collapse During the Terminal Phase of Deep Learning Training.
func nc3SelfDuality<S: Scalar>(
  _ weight: UnsafePointer<S>?, _ means: UnsafePointer<S>?, _ classes: Int, _ dimensions: Int,
  _ distance: UnsafeMutablePointer<S>?
) -> Status {
  if classes > 0, weight == nil { return .nullPointer }
  return withClassRows(means, classes, dimensions, isCentered: true, fewest: 1, distance) { rows in
    guard let weight else { return .nan }
    let size = classes &* dimensions
    widen(weight, step: 1, rows.spare, size)
    let weightNorm = dotProduct(UnsafePointer(rows.spare), rows.spare, size).squareRoot()
    let meansNorm = dotProduct(UnsafePointer(rows.elements), rows.elements, size).squareRoot()
    for i in 0..<size {
      rows.spare[i] /= weightNorm
      rows.elements[i] /= meansNorm
    }
    return squaredDistance(rows.spare, rows.elements, size)
  }
}

/// Checks, and NaN where there are too few classes.
@inline(__always)
private func withClassRows<S: Scalar>(
  _ means: UnsafePointer<S>?, _ classes: Int, _ dimensions: Int, isCentered: Bool, fewest: Int = 2,
  _ output: UnsafeMutablePointer<S>?, _ value: (ClassRows) -> Double
) -> Status {
  guard dimensions >= 1, elementCount(classes, dimensions) != nil else { return .invalidShape }
  guard let output, classes == 0 || means != nil else { return .nullPointer }
  guard let means, classes >= fewest else {
    output.pointee = .nan
    return .ok
  }
  return withWorkspace {
    ClassRows(&$0, classes, dimensions)
  } _: { (rows: inout ClassRows) in
    rows.read(means, isCentered: isCentered)
    output.pointee = S(value(rows))
    return .ok
  }
}

/// Class means in double, less their mean where that is wanted.
private struct ClassRows {
  let classes, dimensions: Int
  let elements, spare, norms: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, _ classes: Int, _ dimensions: Int) {
    self.classes = classes
    self.dimensions = dimensions
    elements = arena.take(Double.self, classes &* dimensions)
    spare = arena.take(Double.self, classes &* dimensions)
    norms = arena.take(Double.self, classes)
  }

  func row(_ c: Int) -> UnsafeMutablePointer<Double> { elements + c &* dimensions }

  func read<S: Scalar>(_ means: UnsafePointer<S>, isCentered: Bool) {
    widen(means, step: 1, elements, classes &* dimensions)
    if isCentered {
      spare.update(repeating: 0, count: dimensions)
      for c in 0..<classes { addScaled(1, row(c), to: spare, dimensions) }
      for d in 0..<dimensions { spare[d] /= Double(classes) }
      for c in 0..<classes { addScaled(-1, spare, to: row(c), dimensions) }
    }
    for c in 0..<classes { norms[c] = dotProduct(UnsafePointer(row(c)), row(c), dimensions).squareRoot() }
  }

  /// The mean of |cos − wanted| over the pairs.
  func meanCosineDistance(from wanted: Double) -> Double {
    for c in 0..<classes {
      let norm = norms[c] < 1e-12 ? 1e-12 : norms[c]
      for d in 0..<dimensions { row(c)[d] /= norm }
    }
    forEachRow(classes, size: classes &* dimensions, CosineDistances(rows: self, wanted: wanted))
    var sum = 0.0
    for c in 0..<classes { sum += spare[c] }
    return sum / (Double(classes) * Double(classes &- 1) / 2)
  }
}

/// Of each class, the sum over the classes after it.
private struct CosineDistances: RowWork {
  let rows: ClassRows
  let wanted: Double

  func run(row c: Int) {
    var sum = 0.0
    var other = c &+ 1
    while other < rows.classes {
      sum += (dotProduct(UnsafePointer(rows.row(c)), rows.row(other), rows.dimensions) - wanted).magnitude
      other &+= 1
    }
    rows.spare[c] = sum
  }
}
