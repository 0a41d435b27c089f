/// Gaussian naive Bayes: the means, variances and class frequencies of labelled points.
///
///     μ_c = mean of class c,   v_c = mean of (x − μ_c)² over class c, + eps,   prior_c = log(N_c / N)
///     shared variance:   v = Σ_c (N_c / N) v_c
///
/// A class without points has mean 0, variance 0 and prior −inf. Evaluated in double. Allocates 16 bytes for each class and
/// dimension.
///
/// - Parameters:
///   - x: points, `[count, dimension]`.
///   - y: `[count]`, in 0 ..< numClasses.
///   - count: N ≥ 1.
///   - dimension: ≥ 1.
///   - numClasses: ≥ 1.
///   - eps: ≥ 0, default 1e-9.
///   - sharedVariance: one variance for all classes? Default true.
///   - mean: optional output, `[numClasses, dimension]`.
///   - variance: optional output, one row of `dimension` numbers if shared, else one for each class.
///   - logPrior: optional output, `[numClasses]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, OUT_OF_MEMORY.
/// - Reference: Zheng et al. 2023, Revisiting Discriminative vs. Generative Classifiers: Theory and Implications.
func gaussianNaiveBayesFit<S: Scalar>(
  _ x: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ dimension: Int, _ numClasses: Int, _ eps: Double,
  _ sharedVariance: Bool, _ mean: UnsafeMutablePointer<S>?, _ variance: UnsafeMutablePointer<S>?,
  _ logPrior: UnsafeMutablePointer<S>?
) -> Status {
  guard count >= 1, let stride = naiveBayesStride(count, dimension, numClasses) else { return .invalidShape }
  guard eps >= 0, eps < .infinity else { return .invalidParameter }
  guard let x, let y else { return .nullPointer }
  for i in 0..<count where UInt64(bitPattern: y[i]) >= UInt64(numClasses) { return .invalidTarget }
  return withWorkspace(layout: { NaiveBayesSums(&$0, numClasses, stride) }) { sums in
    sums.counts.initialize(repeating: 0, count: numClasses)
    for i in 0..<count { sums.counts[Int(y[i])] &+= 1 }
    let fit = NaiveBayesFit(
      x: x, y: y, count: count, dimension: dimension, numClasses: numClasses, eps: eps, isShared: sharedVariance,
      sums: sums, mean: mean, variance: variance)
    parallel(fit.split.parts, fit)
    if let logPrior {
      for c in 0..<numClasses {
        logPrior[c] = S(DoubleLanes.log(DoubleLanes(Double(sums.counts[c]) / Double(count)))[0])
      }
    }
    return .ok
  }
}

/// Logits of Gaussian naive Bayes: their softmax is the posterior.
///
///     z_c = prior_c − ½ Σ_d (x_d − μ_cd)² / v_cd,   with a variance for each class also − ½ Σ_d log(2π v_cd)
///
/// Where the prior is −inf, a variance of 0 is left out, so that a class without points has logit −inf. Evaluated in double.
/// Allocates 16 bytes for each class and dimension.
///
/// - Parameters:
///   - x: points, `[count, dimension]`.
///   - mean: μ, `[numClasses, dimension]`.
///   - variance: v, one row of `dimension` numbers if shared, else one for each class.
///   - logPrior: `[numClasses]`.
///   - count: ≥ 0.
///   - dimension: ≥ 1.
///   - numClasses: ≥ 1.
///   - sharedVariance: is there one variance for all classes?
///   - out: output, `[count, numClasses]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
/// - Reference: Zheng et al. 2023, Revisiting Discriminative vs. Generative Classifiers: Theory and Implications.
func gaussianNaiveBayesLogits<S: Scalar>(
  _ x: UnsafePointer<S>?, _ mean: UnsafePointer<S>?, _ variance: UnsafePointer<S>?, _ logPrior: UnsafePointer<S>?,
  _ count: Int, _ dimension: Int, _ numClasses: Int, _ sharedVariance: Bool, _ out: UnsafeMutablePointer<S>?
) -> Status {
  withNaiveBayesModel(x, mean, variance, logPrior, count, dimension, numClasses, sharedVariance, out) { model in
    parallel(model.split.parts, NaiveBayesLogits(model: model))
  }
}

/// Vector-Jacobian product of the logits with respect to x.
///
///     ∂L/∂x_d = −Σ_c g_c (x_d − μ_cd) / v_cd
///
/// - Parameters:
///   - x: points, `[count, dimension]`.
///   - mean: μ, `[numClasses, dimension]`.
///   - variance: v, one row of `dimension` numbers if shared, else one for each class.
///   - logPrior: `[numClasses]`; where it is −inf, a variance of 0 is left out.
///   - gradOutput: g, `[count, numClasses]`.
///   - count: ≥ 0.
///   - dimension: ≥ 1.
///   - numClasses: ≥ 1.
///   - sharedVariance: is there one variance for all classes?
///   - gradX: output, `[count, dimension]`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, OUT_OF_MEMORY.
func gaussianNaiveBayesLogitsVjp<S: Scalar>(
  _ x: UnsafePointer<S>?, _ mean: UnsafePointer<S>?, _ variance: UnsafePointer<S>?, _ logPrior: UnsafePointer<S>?,
  _ gradOutput: UnsafePointer<S>?, _ count: Int, _ dimension: Int, _ numClasses: Int, _ sharedVariance: Bool,
  _ gradX: UnsafeMutablePointer<S>?
) -> Status {
  if count > 0, gradOutput == nil { return .nullPointer }
  return withNaiveBayesModel(x, mean, variance, logPrior, count, dimension, numClasses, sharedVariance, gradX) { model in
    parallel(model.split.parts, NaiveBayesVjp(model: model, gradOutput: gradOutput.unsafelyUnwrapped))
  }
}

/// Doubles from a class to the next, whole vectors; nil where a size is negative or 0, or an array is too large.
private func naiveBayesStride(_ count: Int, _ dimension: Int, _ numClasses: Int) -> Int? {
  guard dimension >= 1, numClasses >= 1, elementCount(count, dimension) != nil, elementCount(count, numClasses) != nil,
    elementCount(dimension, 1) != nil
  else { return nil }
  let stride = (dimension &+ 7) & ~7
  return elementCount(numClasses, stride, 4) == nil ? nil : stride
}

// MARK: The fit

private struct NaiveBayesSums {
  let counts: UnsafeMutablePointer<Int>
  /// Sums, then means, by class.
  let means: UnsafeMutablePointer<Double>
  /// Sums of squared deviations, by class or of all.
  let squares: UnsafeMutablePointer<Double>
  /// Elements from a class to the next: whole vectors.
  let stride: Int

  init(_ arena: inout Arena, _ numClasses: Int, _ stride: Int) {
    self.stride = stride
    counts = arena.take(Int.self, numClasses)
    means = arena.take(Double.self, numClasses &* stride)
    squares = arena.take(Double.self, numClasses &* stride)
  }
}

/// A part is some columns, so that points are added in their order.
private struct NaiveBayesFit<S: Scalar>: ParallelJob {
  let x: UnsafePointer<S>
  let y: UnsafePointer<Int64>
  let count, dimension, numClasses: Int
  let eps: Double
  let isShared: Bool
  let sums: NaiveBayesSums
  let mean, variance: UnsafeMutablePointer<S>?

  var split: Split { Split(dimension, smallest: 256, multiple: DoubleLanes.count) }

  @inline(never)
  func run(part: Int) {
    typealias D = DoubleLanes
    let columns = split.range(part)
    for c in 0..<numClasses {
      forEachVector(D.self, columns) { d, _ in
        D.zero.store(sums.means + (c &* sums.stride &+ d))
        D.zero.store(sums.squares + (c &* sums.stride &+ d))
      }
    }
    forEachPoint(columns) { x, c, d in
      let sum = sums.means + (c &* sums.stride &+ d)
      (D.load(sum) + x).store(sum)
    }
    for c in 0..<numClasses where sums.counts[c] > 0 {
      let count = D(Double(sums.counts[c]))
      forEachVector(D.self, columns) { d, _ in
        let sum = sums.means + (c &* sums.stride &+ d)
        (D.load(sum) / count).store(sum)
      }
    }
    forEachPoint(columns) { x, c, d in
      let deviation = x - D.load(sums.means + (c &* sums.stride &+ d))
      let sum = sums.squares + ((isShared ? 0 : c) &* sums.stride &+ d)
      D.fma(deviation, deviation, D.load(sum)).store(sum)
    }
    for c in 0..<numClasses {
      let ofClass = isShared ? count : sums.counts[c]
      forEachVector(D.self, columns) { d, n in
        if let mean { D.load(sums.means + (c &* sums.stride &+ d)).store(narrowing: mean + (c &* dimension &+ d), first: n) }
        if let variance, c == 0 || !isShared {
          let v = D.load(sums.squares + (c &* sums.stride &+ d)) / D(Double(ofClass)) + D(eps)
          (ofClass > 0 ? v : D.zero).store(narrowing: variance + (c &* dimension &+ d), first: n)
        }
      }
    }
  }

  /// Calls `body` with pieces of points, their classes and first columns.
  @inline(__always) private func forEachPoint(_ columns: Range<Int>, _ body: (DoubleLanes, Int, Int) -> Void) {
    for i in 0..<count {
      let c = Int(y[i])
      forEachVector(DoubleLanes.self, columns) { d, n in
        body(DoubleLanes.load(widening: x + (i &* dimension &+ d), first: n), c, d)
      }
    }
  }
}

// MARK: The logits

/// A fitted model and the points it is asked about.
private struct NaiveBayesModel<S: Scalar> {
  let x, mean: UnsafePointer<S>
  let count, dimension, numClasses: Int
  let isShared: Bool
  let out: UnsafeMutablePointer<S>
  /// 1/v by rows of `stride`, and what a logit is where x = μ.
  let precision, constant: UnsafeMutablePointer<Double>
  let stride: Int

  /// A part is some points.
  var split: Split { Split(count, smallest: Swift.max(1, 65536 / (numClasses &* dimension))) }

  /// x − μ_c and 1/v_c of a point, from column `d` on.
  @inline(__always)
  func deviation(_ point: Int, _ c: Int, _ d: Int, _ n: Int) -> (value: DoubleLanes, precision: DoubleLanes) {
    (
      DoubleLanes.load(widening: x + (point &* dimension &+ d), first: n)
        - DoubleLanes.load(widening: mean + (c &* dimension &+ d), first: n),
      DoubleLanes.load(precision + ((isShared ? 0 : c) &* stride &+ d))
    )
  }
}

@inline(__always)
private func withNaiveBayesModel<S: Scalar>(
  _ x: UnsafePointer<S>?, _ mean: UnsafePointer<S>?, _ variance: UnsafePointer<S>?, _ logPrior: UnsafePointer<S>?,
  _ count: Int, _ dimension: Int, _ numClasses: Int, _ sharedVariance: Bool, _ out: UnsafeMutablePointer<S>?,
  _ body: (NaiveBayesModel<S>) -> Void
) -> Status {
  typealias D = DoubleLanes
  guard let stride = naiveBayesStride(count, dimension, numClasses) else { return .invalidShape }
  if count == 0 { return .ok }
  guard let x, let mean, let variance, let logPrior, let out else { return .nullPointer }
  return withWorkspace(layout: { NaiveBayesSums(&$0, numClasses, stride) }) { arrays in
    let model = NaiveBayesModel(
      x: x, mean: mean, count: count, dimension: dimension, numClasses: numClasses, isShared: sharedVariance,
      out: out, precision: arrays.squares, constant: arrays.means, stride: stride)
    for c in 0..<numClasses {
      model.constant[c] = logPrior[c].double
      if sharedVariance, c > 0 { continue }
      // What no point belongs to has no variance either: its prior decides.
      let isEmpty = !sharedVariance && logPrior[c] == -.infinity
      var logs = D.zero
      forEachVector(D.self, 0..<dimension) { d, n in
        let v = D.load(widening: variance + (c &* dimension &+ d), first: n)
        var counts = D.Integers.first(n)
        if isEmpty { counts = counts & (v .!= D.zero) }
        D.select(counts, D.one / v, D.zero).store(model.precision + (c &* model.stride &+ d))
        logs = logs + D.select(counts, D.log(D(2 * Double.pi) * v), D.zero)
      }
      if !sharedVariance { model.constant[c] -= 0.5 * logs.sum }
    }
    body(model)
    return .ok
  }
}

private struct NaiveBayesLogits<S: Scalar>: ParallelJob {
  let model: NaiveBayesModel<S>

  @inline(never)
  func run(part: Int) {
    for point in model.split.range(part) {
      for c in 0..<model.numClasses {
        var sum = DoubleLanes.zero
        forEachVector(DoubleLanes.self, 0..<model.dimension) { d, n in
          let deviation = model.deviation(point, c, d, n)
          sum = DoubleLanes.fma(deviation.value * deviation.precision, deviation.value, sum)
        }
        model.out[point &* model.numClasses &+ c] = S(model.constant[c] - 0.5 * sum.sum)
      }
    }
  }
}

private struct NaiveBayesVjp<S: Scalar>: ParallelJob {
  let model: NaiveBayesModel<S>
  let gradOutput: UnsafePointer<S>

  @inline(never)
  func run(part: Int) {
    for point in model.split.range(part) {
      forEachVector(DoubleLanes.self, 0..<model.dimension) { d, n in
        var sum = DoubleLanes.zero
        for c in 0..<model.numClasses {
          let deviation = model.deviation(point, c, d, n)
          let g = DoubleLanes(gradOutput[point &* model.numClasses &+ c].double)
          sum = DoubleLanes.fma(-(g * deviation.value), deviation.precision, sum)
        }
        sum.store(narrowing: model.out + (point &* model.dimension &+ d), first: n)
      }
    }
  }
}
