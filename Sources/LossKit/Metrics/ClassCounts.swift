/// How often a class is predicted, is the label, and both.
struct ClassCount {
  var hits = 0.0
  var predicted = 0.0
  var actual = 0.0
  /// All samples.
  var total = 0.0
}

/// The counts of every class.
struct ClassTally: LabelTally {
  let classes: Int
  var cells: Int { 3 &* classes }

  @inline(__always)
  func add(prediction: Int, label: Int, weight: Double, to table: UnsafeMutablePointer<Double>) {
    table[prediction] += weight
    table[classes &+ label] += weight
    table[2 &* classes &+ label] += prediction == label ? weight : 0
  }
}

struct ClassCounts {
  let table: UnsafeMutablePointer<Double>
  let classes: Int
  /// The weight of all samples.
  let total: Double

  init(_ table: UnsafeMutablePointer<Double>, _ classes: Int) {
    self.table = table
    self.classes = classes
    var total = 0.0
    for k in 0..<classes { total += table[classes &+ k] }
    self.total = total
  }

  @inline(__always) subscript(_ k: Int) -> ClassCount {
    ClassCount(hits: table[2 &* classes &+ k], predicted: table[k], actual: table[classes &+ k], total: total)
  }

  /// The counts of all classes added up.
  var sum: ClassCount {
    var sum = ClassCount()
    for k in 0..<classes {
      sum.hits += self[k].hits
      sum.predicted += self[k].predicted
      sum.actual += self[k].actual
      sum.total += total
    }
    return sum
  }

  /// A score of one class, averaged; what is NaN is left out. `none` where there is nothing to average.
  @inline(__always)
  func mean(_ average: ClassAverage, none: Double, _ score: (ClassCount) -> Double) -> Double {
    if average == .micro { return score(sum) }
    var sum = 0.0
    var weights = 0.0
    var isEmpty = true
    for k in 0..<classes {
      let count = self[k]
      let weight = average == .weighted ? count.actual : count.actual + count.predicted > 0 ? 1 : 0
      if weight == 0 { continue }
      isEmpty = false
      let value = score(count)
      if value != value { continue }
      sum += weight * value
      weights += weight
    }
    return isEmpty ? none : sum / weights
  }

  /// Writes the scores of all classes, or their average.
  @inline(__always)
  func write<S: Scalar>(
    _ average: ClassAverage, none: Double, to output: UnsafeMutablePointer<S>?, _ score: (ClassCount) -> Double
  ) {
    guard let output else { return }
    if average != .none {
      output[0] = S(mean(average, none: none, score))
      return
    }
    for k in 0..<classes { output[k] = S(score(self[k])) }
  }
}
