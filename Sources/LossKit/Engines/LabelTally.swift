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

/// a / b, or `none` where b is 0.
@inline(__always) func quotient(_ a: Double, _ b: Double, none: Double = 0) -> Double { b == 0 ? none : a / b }
