// Predictions beside labels, counted: what all measures of hard decisions are made of.

/// What is counted of a prediction and a label.
protocol LabelTally {
  /// Numbers to be counted up.
  var cells: Int { get }
  func add(prediction: Int, label: Int, weight: Double, to table: UnsafeMutablePointer<Double>)
}

/// Are all labels in 0 ..< limit?
func areClasses(_ y: UnsafePointer<Int64>, _ count: Int, below limit: Int) -> Bool {
  var bad = Int64Lanes(0)
  var element = 0
  while element &+ 8 <= count {
    let label = Int64Lanes.load(y + element)
    bad = bad | (label .< Int64Lanes(0)) | (Int64Lanes(limit &- 1) .< label)
    element &+= 8
  }
  var valid = !bad.any
  while element < count {
    valid = valid && y[element] >= 0 && y[element] < Int64(limit)
    element &+= 1
  }
  return valid
}

/// Predictions and labels as a function got them.
struct LabelPairs<S: Scalar> {
  let predictions: UnsafePointer<Int64>?
  let labels: UnsafePointer<Int64>?
  let weights: UnsafePointer<S>?
  let count: Int
  let classes: Int

  /// Checks the arguments, counts, and runs `body` with the counts: weights are added in an order that the shape fixes.
  @inline(__always)
  func count<Tally: LabelTally>(_ tally: Tally, _ body: (UnsafeMutablePointer<Double>) -> Status) -> Status {
    guard count >= 0, classes >= 1, classes <= Int(Int32.max), elementCount(count, 1) != nil else {
      return .invalidShape
    }
    guard count == 0 || (predictions != nil && labels != nil) else { return .nullPointer }
    if count > 0, let predictions, let labels {
      guard areClasses(predictions, count, below: classes), areClasses(labels, count, below: classes) else {
        return .invalidTarget
      }
      guard areWeights(weights, count) else { return .invalidValue }
    }
    // Tables of their own for the parts, but no more work to clear and join than to fill.
    let split = Split(count, smallest: max((count + 7) / 8, 1 << 16, 4 &* tally.cells))
    guard let cells = elementCount(max(split.parts, 1), tally.cells) else { return .outOfMemory }
    return withWorkspace(layout: { $0.take(Double.self, cells) }) { tables in
      tables.initialize(repeating: 0, count: cells)
      parallel(split.parts, TallyJob(pairs: self, tally: tally, tables: tables, split: split))
      for cell in tally.cells..<max(cells, tally.cells) { tables[cell % tally.cells] += tables[cell] }
      return body(tables)
    }
  }
}

private struct TallyJob<S: Scalar, Tally: LabelTally>: ParallelJob {
  let pairs: LabelPairs<S>
  let tally: Tally
  let tables: UnsafeMutablePointer<Double>
  let split: Split

  func run(part: Int) {
    guard let predictions = pairs.predictions, let labels = pairs.labels else { return }
    let table = tables + part &* tally.cells
    for i in split.range(part) {
      tally.add(
        prediction: Int(predictions[i]), label: Int(labels[i]), weight: pairs.weights?[i].double ?? 1, to: table)
    }
  }
}

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

/// a / b, or `none` where b is 0.
@inline(__always) func quotient(_ a: Double, _ b: Double, none: Double = 0) -> Double { b == 0 ? none : a / b }
