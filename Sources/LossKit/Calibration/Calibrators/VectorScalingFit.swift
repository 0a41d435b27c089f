/// Vector scaling: the w and b for which softmax(w∘z + b) has the least mean negative log-likelihood.
///
/// By Newton's method from w = 1, b = 0, until max |∂f| ≤ 1e-9, 100 iterations at most; for more than 2048 classes by
/// L-BFGS. As softmax does not see a common shift, b is given with mean 0.
///
/// - Parameters:
///   - logits: `[count, classes]`, finite.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 1.
///   - classes: number of columns, ≥ 1.
///   - w: optional output, `[classes]`.
///   - b: optional output, `[classes]`.
///   - nll: optional output, the mean negative log-likelihood.
///   - converged: optional output, 1 if (w, b) is the minimum, 0 if there is none, as on separable data, or it was not
///     reached.
/// - Errors: INVALID_VALUE if a logit is NaN or infinite, INVALID_TARGET if a label is out of range.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017.
func vectorScalingFit<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ w: UnsafeMutablePointer<S>?,
  _ b: UnsafeMutablePointer<S>?, _ nll: UnsafeMutablePointer<S>?, _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard count >= 1, classes >= 1, elementCount(count, classes) != nil, elementCount(classes, 4096) != nil else {
    return .invalidShape
  }
  guard let logits, let y else { return .nullPointer }
  guard areIndices(y, count, below: classes) else { return .invalidTarget }
  guard areFinite(logits, count &* classes) else { return .invalidValue }
  return withWorkspace(layout: { $0.take(Double.self, 2 &* classes) }) { x in
    x.update(repeating: 1, count: classes)
    (x + classes).update(repeating: 0, count: classes)
    return MultinomialFit.run(
      logits, y, count, penalty: nil, from: x, variables: 2 &* classes, classes: classes,
      usesHessian: classes <= 2048, design: { VectorDesign<S>(&$0, classes: classes) }
    ) { value, isConverged in
      var mean = 0.0
      for c in 0..<classes { mean += x[classes &+ c] / Double(classes) }
      for c in 0..<classes {
        w?[c] = S(x[c])
        b?[c] = S(x[classes &+ c] - mean)
      }
      nll?.pointee = S(value)
      converged?.pointee = isConverged ? 1 : 0
    }
  }
}

/// s_c = w_c z_c + b_c; the variables are w, then b.
private struct VectorDesign<S: Scalar>: MultinomialDesign {
  let classes: Int
  private let z: BlockMatrix
  private let gradient: UnsafeMutablePointer<Double>
  /// Σ p z², Σ p z and Σ p of each class.
  private let squares, products, masses: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, classes: Int) {
    self.classes = classes
    z = BlockMatrix(&arena, columns: classes)
    gradient = arena.take(Double.self, 2 &* classes)
    squares = arena.take(Double.self, classes)
    products = arena.take(Double.self, classes)
    masses = arena.take(Double.self, classes)
  }

  var variables: Int { 2 &* classes }

  func begin(_ x: UnsafePointer<Double>) {
    gradient.update(repeating: 0, count: 2 &* classes)
    squares.update(repeating: 0, count: classes)
    products.update(repeating: 0, count: classes)
    masses.update(repeating: 0, count: classes)
  }

  func score(_ logits: UnsafePointer<S>, _ n: Int, _ x: UnsafePointer<Double>, into scores: BlockMatrix) {
    for i in 0..<n {
      let (row, out) = (z.row(i), scores.row(i))
      forEachEight(logits + i &* classes, 0..<classes) { c, z, n in
        z.store(row + c, lanes: n)
        DoubleLanes.fma(DoubleLanes.load(x + c, lanes: n), z, DoubleLanes.load(x + (classes &+ c), lanes: n))
          .store(out + c, lanes: n)
      }
    }
  }

  func addGradient(_ n: Int, _ residuals: BlockMatrix) {
    for i in 0..<n {
      let (row, r) = (z.row(i), residuals.row(i))
      forEachVector(DoubleLanes.self, 0..<classes) { c, n in
        let residual = DoubleLanes.load(r + c, lanes: n)
        add(residual * DoubleLanes.load(row + c, lanes: n), to: gradient + c, n)
        add(residual, to: gradient + (classes &+ c), n)
      }
    }
  }

  func expand(_ n: Int, _ probs: BlockMatrix, into expanded: BlockMatrix) {
    for i in 0..<n {
      let (row, p, u) = (z.row(i), probs.row(i), expanded.row(i))
      forEachVector(DoubleLanes.self, 0..<classes) { c, n in
        let (probability, logit) = (DoubleLanes.load(p + c, lanes: n), DoubleLanes.load(row + c, lanes: n))
        let product = probability * logit
        product.store(u + c, lanes: n)
        probability.store(u + (classes &+ c), lanes: n)
        add(product * logit, to: squares + c, n)
        add(product, to: products + c, n)
        add(probability, to: masses + c, n)
      }
    }
  }

  func getGradient(_ gradient: UnsafeMutablePointer<Double>) { gradient.update(from: self.gradient, count: variables) }

  func addMoments(to hessian: UnsafeMutablePointer<Double>, scale: Double) {
    for c in 0..<classes {
      let (w, b) = (c, classes &+ c)
      hessian[w &* variables &+ w] += scale * squares[c]
      hessian[w &* variables &+ b] += scale * products[c]
      hessian[b &* variables &+ b] += scale * masses[c]
    }
  }

  @inline(__always) private func add(_ x: DoubleLanes, to sum: UnsafeMutablePointer<Double>, _ n: Int) {
    (DoubleLanes.load(sum, lanes: n) + x).store(sum, lanes: n)
  }
}
