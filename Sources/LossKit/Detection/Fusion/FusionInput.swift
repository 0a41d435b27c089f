/// The models whose boxes are fused, and what each counts.
struct FusionModels {
  let weights: UnsafePointer<Double>?
  let count: Int
  private(set) var total = 0.0
  private(set) var largest = 0.0

  init(_ weights: UnsafePointer<Double>?, _ count: Int) {
    self.weights = weights
    self.count = count
    guard let weights else {
      total = Double(count)
      largest = 1
      return
    }
    for i in 0..<count {
      total += weights[i]
      largest = Swift.max(largest, weights[i])
    }
  }

  @inline(__always) func weight(_ model: Int) -> Double { weights?[model] ?? 1 }
}

/// The boxes of all models, as the caller gives them.
struct FusionInput<S: Scalar> {
  let boxes, scores: UnsafePointer<S>?
  let labels, models: UnsafePointer<Int64>?
  let count: Int
  let iouThreshold, skipBoxThreshold: Double
  let normalized: Bool

  /// Everything that can be wrong with it; nil if nothing is.
  func fault(_ weights: UnsafePointer<Double>?, _ modelCount: Int) -> Status? {
    guard count >= 0, count <= largestSortCount, modelCount >= 0, elementCount(modelCount, 1) != nil else {
      return .invalidShape
    }
    guard iouThreshold == iouThreshold, skipBoxThreshold == skipBoxThreshold else { return .invalidParameter }
    if count == 0 { return nil }
    guard boxes != nil, let scores, labels != nil, let models else { return .nullPointer }
    for i in 0..<count where models[i] < 0 || models[i] >= Int64(modelCount) { return .invalidTarget }
    guard areWeights(weights, modelCount), weights == nil || FusionModels(weights, modelCount).total > 0 else {
      return .invalidValue
    }
    return hasNaN(scores, count) ? .invalidValue : nil
  }

  /// Box i with its sides in order, clipped if boxes are normalized; nil if its area is 0.
  @inline(__always)
  func box(_ i: Int) -> SIMD4<Double>? {
    guard let boxes else { return nil }
    let (x1, x2) = side(boxes[4 &* i].double, boxes[4 &* i &+ 2].double)
    let (y1, y2) = side(boxes[4 &* i &+ 1].double, boxes[4 &* i &+ 3].double)
    return (x2 - x1) * (y2 - y1) == 0 ? nil : SIMD4(x1, y1, x2, y2)
  }

  @inline(__always)
  private func side(_ a: Double, _ b: Double) -> (Double, Double) {
    let (low, high) = b < a ? (b, a) : (a, b)
    return normalized ? (clipped(low), clipped(high)) : (low, high)
  }

  /// NaN stays.
  @inline(__always) private func clipped(_ x: Double) -> Double { x < 0 ? 0 : x > 1 ? 1 : x }
}
