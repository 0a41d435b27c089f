/// What `costarr_score` scores with: the mean of each class's features and what its weights let through of them.
///
///     z = W x + b,   v(x) = [x ; x ∘ W_y],   mean_c = mean of v over the samples of class c with argmax z = c
///
/// (over all samples of the class if none is right, 0 if it has none).
///
/// - Parameters:
///   - x: features of the training, `[count, dimensions]`.
///   - y: `[count]`, labels 0 ..< classes.
///   - weight: W, of the classifier, `[classes, dimensions]`.
///   - bias: b, `[classes]`.
///   - count: ≥ 1.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - means: output, `[classes, 2 · dimensions]`.
///   - logitMin: output, the smallest of all z.
///   - logitMax: output, the largest of all z.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for NaN or ±inf, OUT_OF_MEMORY.
/// - Reference: COSTARR: Consolidated Open Set Technique with Attenuation for Robust Recognition, 2025; reconstructed
///   from its abstract.
func costarrFit<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ weight: UnsafePointer<S>?, _ bias: UnsafePointer<S>?,
  _ count: Int, _ dimensions: Int, _ classes: Int, _ means: UnsafeMutablePointer<S>?,
  _ logitMin: UnsafeMutablePointer<S>?, _ logitMax: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 1, LogitRows<S>.fit(count, dimensions, classes) else { return .invalidShape }
  guard let x, let y, let weight, let bias, let means, let logitMin, let logitMax else { return .nullPointer }
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  guard areFinite(x, count &* dimensions), areFinite(weight, classes &* dimensions), areFinite(bias, classes) else {
    return .invalidValue
  }
  return withWorkspace {
    (
      logits: LogitRows<S>(&$0, x, weight, bias, count, dimensions, classes),
      groups: ClassMeans(&$0, classes: classes, dimensions: 2 &* dimensions),
      hits: $0.take(Int.self, classes), pair: $0.take(Double.self, 2 &* dimensions)
    )
  } _: { memory in
    let (logits, groups, hits, pair) = memory
    logits.compute()
    hits.update(repeating: 0, count: classes)
    for i in 0..<count where logits.best[i] == Int(y[i]) { hits[Int(y[i])] &+= 1 }
    groups.clear()
    for i in 0..<count {
      let c = Int(y[i])
      if logits.best[i] != c && hits[c] > 0 { continue }
      attenuate(x + i &* dimensions, weight + c &* dimensions, dimensions, into: pair)
      groups.add(pair, c)
    }
    groups.divide()
    let range = logits.range
    logitMin.pointee = S(range.least)
    logitMax.pointee = S(range.largest)
    narrow(groups.means, means, step: 1, 2 &* classes &* dimensions)
    return .ok
  }
}

/// Open-set confidence: how alike are the features, and what the weights let through of them, to those of the class that
/// is predicted, times its logit, scaled to 0 … 1.
///
///     z = W x + b,   c = argmax z,   v = [x ; x ∘ W_c]
///     score = (1 + cos(v, mean_c)) / 2 · clip((z_c − lo) / (hi − lo), 0, 1)
///
/// The cosine with a vector of zeros is 0; the second factor is 1 where hi ≤ lo.
///
/// - Parameters:
///   - x: features, `[count, dimensions]`.
///   - weight: W, of the classifier, `[classes, dimensions]`.
///   - bias: b, `[classes]`.
///   - classMeans: of `costarr_fit`, `[classes, 2 · dimensions]`.
///   - count: ≥ 0.
///   - dimensions: ≥ 1.
///   - classes: ≥ 1.
///   - logitMin: lo; −inf stands for the smallest of the logits of this call.
///   - logitMax: hi; +inf stands for the largest of the logits of this call.
///   - score: output, one per row.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or ±inf in an array, OUT_OF_MEMORY.
/// - Reference: COSTARR: Consolidated Open Set Technique with Attenuation for Robust Recognition, 2025; reconstructed
///   from its abstract.
func costarrScore<S: Scalar>(
  _ x: UnsafePointer<S>?, _ weight: UnsafePointer<S>?, _ bias: UnsafePointer<S>?, _ classMeans: UnsafePointer<S>?,
  _ count: Int, _ dimensions: Int, _ classes: Int, _ logitMin: Double, _ logitMax: Double,
  _ score: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 0, LogitRows<S>.fit(count, dimensions, classes) else { return .invalidShape }
  guard logitMin < .infinity, logitMax > -.infinity else { return .invalidParameter }
  if count == 0 { return .ok }
  guard let x, let weight, let bias, let classMeans, let score else { return .nullPointer }
  guard areFinite(x, count &* dimensions), areFinite(weight, classes &* dimensions), areFinite(bias, classes),
    areFinite(classMeans, 2 &* classes &* dimensions)
  else { return .invalidValue }
  return withWorkspace {
    (
      logits: LogitRows<S>(&$0, x, weight, bias, count, dimensions, classes),
      pair: $0.take(Double.self, 2 &* dimensions), mean: $0.take(Double.self, 2 &* dimensions)
    )
  } _: { memory in
    let (logits, pair, mean) = memory
    logits.compute()
    let range = logits.range
    let low = logitMin == -.infinity ? range.least : logitMin
    let high = logitMax == .infinity ? range.largest : logitMax
    for i in 0..<count {
      let c = logits.best[i]
      attenuate(x + i &* dimensions, weight + c &* dimensions, dimensions, into: pair)
      widen(classMeans + 2 &* c &* dimensions, step: 1, mean, 2 &* dimensions)
      let similarity = cosine(pair, mean, 2 &* dimensions)
      let share = high <= low ? 1 : Swift.max(0, Swift.min(1, (logits.bestLogit[i] - low) / (high - low)))
      score[i] = S((1 + similarity) / 2 * share)
    }
    return .ok
  }
}

/// `[x ; x ∘ w]`
private func attenuate<S: Scalar>(
  _ x: UnsafePointer<S>, _ w: UnsafePointer<S>, _ dimensions: Int, into out: UnsafeMutablePointer<Double>
) {
  widen(x, step: 1, out, dimensions)
  widen(w, step: 1, out + dimensions, dimensions)
  for d in 0..<dimensions { out[dimensions &+ d] *= out[d] }
}

private func cosine(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  let product = dotProduct(x, x, count).squareRoot() * dotProduct(y, y, count).squareRoot()
  return product == 0 ? 0 : dotProduct(x, y, count) / product
}
