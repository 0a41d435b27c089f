/// Distances from the distributions over bins that a distribution-focal-loss head predicts: their expectations.
///
///     d = Σ_i i · softmax(logits)_i,  i = 0 … regMax, for each of the four sides
///
/// (YOLOv8 calls the number of bins reg_max = 16: here that is 15.)
///
/// - Parameters:
///   - logits: `[count, 4 (regMax + 1)]`, the bins of a side together.
///   - count: number of anchors, ≥ 0.
///   - regMax: the last bin, ≥ 0.
///   - distances: output, `[count, 4]`, in [0, regMax]. A logit of −inf is a bin that is never taken; NaN propagates to
///     its side.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
/// - Reference: Li et al. 2020, Generalized Focal Loss.
func dflDecode<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ count: Int, _ regMax: Int, _ distances: UnsafeMutablePointer<S>?
) -> Status {
  guard regMax >= 0, regMax < largestCount else { return .invalidParameter }
  guard elementCount(count, 4, regMax &+ 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let logits, let distances else { return .nullPointer }
  forEachSide(count, regMax) { side, bins in distances[side] = BinDistribution(logits + side &* bins, bins).mean }
  return .ok
}

/// Vector-Jacobian product of `dflDecode`: `p_i (i − d) g` with the softmax p of a side and its distance d.
///
/// - Parameters:
///   - logits: `[count, 4 (regMax + 1)]`.
///   - gradOutput: `[count, 4]`, the incoming gradient g of the distances.
///   - count: number of anchors, ≥ 0.
///   - regMax: the last bin, ≥ 0.
///   - gradLogits: output, `[count, 4 (regMax + 1)]`; may be `logits` itself.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER.
func dflDecodeVjp<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ count: Int, _ regMax: Int,
  _ gradLogits: UnsafeMutablePointer<S>?
) -> Status {
  guard regMax >= 0, regMax < largestCount else { return .invalidParameter }
  guard elementCount(count, 4, regMax &+ 1) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let logits, let gradOutput, let gradLogits else { return .nullPointer }
  forEachSide(count, regMax) { side, bins in
    typealias V = S.Vector
    let distribution = BinDistribution(logits + side &* bins, bins)
    let scale = V(gradOutput[side])
    let grad = gradLogits + side &* bins
    forEachVector(V.self, 0..<bins) { i, n in
      let fromMean: V = (binNumbers(i) - V(distribution.mode)) - V(distribution.meanFromMode)
      let slope: V = distribution.probabilities(i, n) * fromMean * scale
      slope.store(grad + i, lanes: n)
    }
  }
  return .ok
}

@inline(__always)
private func forEachSide(_ count: Int, _ regMax: Int, _ body: (Int, Int) -> Void) {
  let split = Split(4 &* count, smallest: smallestBoxRowsPart)
  parallel(split.parts) { part in
    for side in split.range(part) { body(side, regMax &+ 1) }
  }
}

@inline(__always)
private func binNumbers<V: Lanes>(_ first: Int) -> V { V(V.Integers.indices &+ V.Integers(first)) }

/// The softmax over the bins of one side. Its mean is told from its mode, the likeliest bin: the distance from there
/// stays accurate where nearly all probability is in one bin.
struct BinDistribution<S: Scalar> {
  typealias V = S.Vector
  private let logits: UnsafePointer<S>
  private let largest: S
  private let total: S
  let mode: S
  /// Σ (i − mode) p_i.
  let meanFromMode: S
  /// Σ i p_i.
  var mean: S { mode + meanFromMode }

  @inline(__always)
  init(_ logits: UnsafePointer<S>, _ bins: Int) {
    self.logits = logits
    var greatest = -V.infinity
    forEachVector(V.self, 0..<bins) { i, n in
      greatest = V.max(V.load(logits + i, lanes: n, fill: -S.infinity), greatest)
    }
    let largest = greatest.maximum
    var place = V(Double(bins &- 1))
    forEachVector(V.self, 0..<bins) { i, n in
      let isLargest = V.load(logits + i, lanes: n, fill: -S.infinity) .== V(largest)
      place = V.min(V.select(isLargest, binNumbers(i), place), place)
    }
    let mode = place.minimum
    var sum = V.zero
    var moment = V.zero
    forEachVector(V.self, 0..<bins) { i, n in
      let weight = V.exp(V.load(logits + i, lanes: n, fill: -S.infinity) - V(largest))
      sum = sum + weight
      moment = moment + weight * (binNumbers(i) - V(mode))
    }
    self.largest = largest
    self.mode = mode
    total = sum.sum
    meanFromMode = moment.sum / total
  }

  @inline(__always)
  func probabilities(_ i: Int, _ n: Int) -> V {
    V.exp(V.load(logits + i, lanes: n, fill: -S.infinity) - V(largest)) / V(total)
  }
}
