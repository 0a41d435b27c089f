/// Matthews correlation coefficient, for any number of classes.
///
///     (c s − Σ_k sp_k pp_k) / √((s² − Σ_k pp_k²) (s² − Σ_k sp_k²)),   0 if the root is 0
///
/// with s the weight of all samples, c of those predicted rightly, sp and pp as in `precisionRecallFbeta`.
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - sampleWeight: optional, `[count]`, ≥ 0 and finite.
///   - count: number of samples, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - value: optional output, −1 … 1; NaN without samples.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, INVALID_VALUE if a weight is negative or not
///   finite, OUT_OF_MEMORY.
/// - Reference: Gorodkin, Comparing Two K-category Assignments by a K-category Correlation Coefficient, 2004.
func matthewsCorrcoef<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ sampleWeight: UnsafePointer<S>?, _ count: Int,
  _ numClasses: Int, _ value: UnsafeMutablePointer<S>?
) -> Status {
  let pairs = LabelPairs(predictions: pred, labels: y, weights: sampleWeight, count: count, classes: numClasses)
  return pairs.count(ClassTally(classes: numClasses)) { table in
    let counts = ClassCounts(table, numClasses)
    let sum = counts.sum
    var covariance = 0.0
    var ofPredictions = 0.0
    var ofLabels = 0.0
    for k in 0..<numClasses {
      let one = counts[k]
      // tp s − sp pp and the like: small where one class is all there is, so exactly 0 there.
      covariance += one.hits * sum.actual - one.actual * one.predicted
      ofPredictions += one.predicted * (sum.predicted - one.predicted)
      ofLabels += one.actual * (sum.actual - one.actual)
    }
    let root = ofPredictions.squareRoot() * ofLabels.squareRoot()
    value?.pointee = S(count == 0 ? .nan : quotient(covariance, root))
    return .ok
  }
}

/// Cohen's kappa: agreement beyond what chance gives.
///
///     1 − Σ_ij w_ij m_ij / Σ_ij w_ij e_ij,  e_ij = sp_i pp_j / N,   0 if the denominator is 0
///
/// with m the confusion matrix, sp its row sums, pp its column sums.
///
/// - Parameters:
///   - pred: `[count]`, predicted classes 0 ..< numClasses.
///   - y: `[count]`, labels 0 ..< numClasses.
///   - count: N, ≥ 0.
///   - numClasses: number of classes, ≥ 1.
///   - weights: w; `none` is usual.
///   - value: optional output; NaN without samples.
/// - Errors: INVALID_TARGET if a prediction or a label is out of range, OUT_OF_MEMORY.
/// - Reference: Cohen, A Coefficient of Agreement for Nominal Scales, 1960; Weighted Kappa, 1968.
func cohenKappaScore<S: Scalar>(
  _ pred: UnsafePointer<Int64>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ numClasses: Int,
  _ weights: KappaWeights, _ value: UnsafeMutablePointer<S>?
) -> Status {
  let pairs = LabelPairs<S>(predictions: pred, labels: y, weights: nil, count: count, classes: numClasses)
  let tally = DisagreementTally(classes: numClasses, weights: weights)
  return pairs.count(tally) { table in
    let expected = expectedDisagreement(table, table + numClasses, numClasses, weights) / Double(count)
    let found = table[2 &* numClasses]
    value?.pointee = S(count == 0 ? .nan : expected == 0 ? 0 : 1 - found / expected)
    return .ok
  }
}

/// How often each class is predicted, and is the label; at the end, what the disagreements cost.
private struct DisagreementTally: LabelTally {
  let classes: Int
  let weights: KappaWeights
  var cells: Int { 2 &* classes &+ 1 }

  @inline(__always)
  func add(prediction: Int, label: Int, weight: Double, to table: UnsafeMutablePointer<Double>) {
    table[prediction] += weight
    table[classes &+ label] += weight
    let distance = Double((prediction &- label).magnitude)
    let cost =
      switch weights {
      case .none: prediction == label ? 0.0 : 1.0
      case .linear: distance
      case .quadratic: distance * distance
      }
    table[2 &* classes] += weight * cost
  }
}

/// Σ_ij w_ij a_i b_j, in one pass over the classes and as a sum of terms ≥ 0.
private func expectedDisagreement(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ classes: Int, _ weights: KappaWeights
) -> Double {
  var sumA = 0.0
  var sumB = 0.0
  var firstA = 0.0
  var firstB = 0.0
  for k in 0..<classes {
    sumA += a[k]
    sumB += b[k]
    firstA += a[k] * Double(k)
    firstB += b[k] * Double(k)
  }
  var cost = 0.0
  switch weights {
  case .none:
    for k in 0..<classes { cost += a[k] * (sumB - b[k]) }
  case .linear:
    // |i − j| is the number of gaps between neighbours that lie between i and j.
    var belowA = 0.0
    var belowB = 0.0
    for k in 0..<classes {
      belowA += a[k]
      belowB += b[k]
      cost += belowA * (sumB - belowB) + (sumA - belowA) * belowB
    }
  case .quadratic:
    // The variances and the squared distance of the means.
    let meanA = quotient(firstA, sumA)
    let meanB = quotient(firstB, sumB)
    for k in 0..<classes {
      let (da, db) = (Double(k) - meanA, Double(k) - meanB)
      cost += sumB * a[k] * da * da + sumA * b[k] * db * db
    }
    cost += sumA * sumB * (meanA - meanB) * (meanA - meanB)
  }
  return cost
}
