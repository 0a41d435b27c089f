/// Matrix scaling with off-diagonal and intercept regularisation (ODIR): the W and b for which softmax(W z + b) has the
/// least
///
///     mean NLL + λ / (C (C − 1)) Σ_{i≠j} W_ij² + μ / C Σ_j b_j²
///
/// By Newton's method from W = I, b = 0, until max |∂f| ≤ 1e-9, 100 iterations at most; for more than 38 classes by
/// L-BFGS.
///
/// - Parameters:
///   - logits: `[count, classes]`, finite.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 1.
///   - classes: C, ≥ 2.
///   - regLambda: λ, ≥ 0 and finite; 0.001 is usual. Only with λ, μ > 0 there is one minimum.
///   - regMu: μ, ≥ 0 and finite; 0.001 is usual.
///   - w: optional output, `[classes, classes]`, W.
///   - b: optional output, `[classes]`.
///   - objective: optional output, the least value.
///   - converged: optional output, 1 if (W, b) is the minimum, 0 if there is none or it was not reached.
/// - Errors: INVALID_VALUE if a logit is NaN or infinite, INVALID_TARGET if a label is out of range.
/// - Reference: Guo et al., On Calibration of Modern Neural Networks, 2017; Kull et al., Beyond Temperature Scaling, 2019.
func matrixScalingFit<S: Scalar>(
  _ logits: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ regLambda: Double,
  _ regMu: Double, _ w: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?, _ objective: UnsafeMutablePointer<S>?,
  _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  let fit = MatrixFit(logits: logits, y: y, count: count, classes: classes, regLambda: regLambda, regMu: regMu, eps: nil)
  return fit.run(w, b, objective, converged)
}

/// Dirichlet calibration: matrix scaling of log probabilities, softmax(W log max(p, ε) + b).
///
/// - Parameters:
///   - probs: `[count, classes]`, in [0, 1]; rows need not sum to 1.
///   - y: `[count]`, labels 0 ..< classes.
///   - count: number of rows, ≥ 1.
///   - classes: C, ≥ 2.
///   - regLambda: λ, as of matrix scaling; 0.001 is usual.
///   - regMu: μ, as of matrix scaling; 0.001 is usual.
///   - eps: ε, in (0, 1); 1e-12 is usual.
///   - w: optional output, `[classes, classes]`, W.
///   - b: optional output, `[classes]`.
///   - objective: optional output, the least value.
///   - converged: optional output, 1 if (W, b) is the minimum, 0 if there is none or it was not reached.
/// - Errors: INVALID_VALUE if a probability is NaN or outside [0, 1], INVALID_TARGET if a label is out of range.
/// - Reference: Kull et al., Beyond Temperature Scaling: Obtaining Well-Calibrated Multi-Class Probabilities with Dirichlet
///   Calibration, 2019.
func dirichletCalibrationFit<S: Scalar>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ regLambda: Double,
  _ regMu: Double, _ eps: Double, _ w: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?,
  _ objective: UnsafeMutablePointer<S>?, _ converged: UnsafeMutablePointer<UInt8>?
) -> Status {
  guard eps > 0, eps < 1 else { return .invalidParameter }
  let fit = MatrixFit(logits: probs, y: y, count: count, classes: classes, regLambda: regLambda, regMu: regMu, eps: eps)
  return fit.run(w, b, objective, converged)
}

/// Both fits.
private struct MatrixFit<S: Scalar> {
  let logits: UnsafePointer<S>?
  let y: UnsafePointer<Int64>?
  let count, classes: Int
  let regLambda, regMu: Double
  /// ε where the logits are logarithms of what is given.
  let eps: Double?

  func run(
    _ w: UnsafeMutablePointer<S>?, _ b: UnsafeMutablePointer<S>?, _ objective: UnsafeMutablePointer<S>?,
    _ converged: UnsafeMutablePointer<UInt8>?
  ) -> Status {
    guard count >= 1, classes >= 2, classes <= Int(Int32.max), elementCount(count, classes) != nil,
      elementCount(classes, classes &+ 64, 4096) != nil
    else { return .invalidShape }
    guard regLambda >= 0, regMu >= 0, regLambda + regMu < .infinity else { return .invalidParameter }
    guard let logits, let y else { return .nullPointer }
    guard areIndices(y, count, below: classes) else { return .invalidTarget }
    guard eps == nil ? areFinite(logits, count &* classes) : areFractions(logits, count &* classes) else {
      return .invalidValue
    }
    let width = classes &+ 1
    let usesHessian = classes &* width <= 1500
    return withWorkspace(layout: {
      (x: $0.take(Double.self, classes &* width), penalty: $0.take(Double.self, classes &* width))
    }) { memory in
      let offDiagonal = 2 * regLambda / (Double(classes) * Double(classes - 1))
      for i in 0..<classes {
        for j in 0..<width {
          memory.x[i &* width &+ j] = i == j ? 1 : 0
          memory.penalty[i &* width &+ j] = j == classes ? 2 * regMu / Double(classes) : i == j ? 0 : offDiagonal
        }
      }
      return MultinomialFit.run(
        logits, y, count, penalty: memory.penalty, from: memory.x, variables: classes &* width, classes: classes,
        usesHessian: usesHessian, design: { MatrixDesign<S>(&$0, classes: classes, eps: eps, hasMoments: usesHessian) }
      ) { value, isConverged in
        for i in 0..<classes {
          for j in 0..<classes { w?[i &* classes &+ j] = S(memory.x[i &* width &+ j]) }
          b?[i] = S(memory.x[i &* width &+ classes])
        }
        objective?.pointee = S(value)
        converged?.pointee = isConverged ? 1 : 0
      }
    }
  }
}

/// s = W z + b; the variables are the rows of [W b].
private struct MatrixDesign<S: Scalar>: MultinomialDesign {
  let classes: Int
  private let width: Int
  private let eps: Double?
  /// Rows (z, 1), as they are, and packed as factors from the left and from the right.
  private let features: BlockMatrix
  private let packedLeft, packedRight, packedVariables: UnsafeMutablePointer<Double>
  private let gradient: BlockProduct
  /// Σ p_c (z, 1)(z, 1)ᵀ of each class.
  private let moments: UnsafeMutablePointer<Double>
  private let momentCount: Int
  private let moment: BlockProduct

  init(_ arena: inout Arena, classes: Int, eps: Double?, hasMoments: Bool) {
    self.classes = classes
    self.eps = eps
    width = classes &+ 1
    features = BlockMatrix(&arena, columns: width)
    packedLeft = arena.take(
      Double.self, LeftFactor<DoubleLanes>.packedCount(rows: BlockMatrix.capacity, depth: width))
    packedRight = arena.take(
      Double.self, RightFactor<DoubleLanes>.packedCount(columns: width, depth: BlockMatrix.capacity))
    packedVariables = arena.take(Double.self, RightFactor<DoubleLanes>.packedCount(columns: classes, depth: width))
    gradient = BlockProduct(&arena, rows: classes, columns: width)
    moment = BlockProduct(&arena, rows: width, columns: width)
    momentCount = hasMoments ? classes &* width &* width : 0
    moments = arena.take(Double.self, momentCount)
  }

  var variables: Int { classes &* width }

  func begin(_ x: UnsafePointer<Double>) {
    features.clear()
    gradient.clear()
    moments.update(repeating: 0, count: momentCount)
    _ = RightFactor<DoubleLanes>(
      packingTransposed: MatrixRows(elements: x, stride: width), columns: classes, depth: width, into: packedVariables)
  }

  func score(_ logits: UnsafePointer<S>, _ n: Int, _ x: UnsafePointer<Double>, into scores: BlockMatrix) {
    for i in 0..<n {
      let row = features.row(i)
      forEachEight(logits + i &* classes, 0..<classes) { c, z, n in
        if let eps {
          DoubleLanes.log(DoubleLanes.max(z, DoubleLanes(eps))).store(row + c, lanes: n)
        } else {
          z.store(row + c, lanes: n)
        }
      }
      row[classes] = 1
    }
    multiply(
      LeftFactor<DoubleLanes>(packing: features.rows, rows: n, depth: width, into: packedLeft),
      RightFactor<DoubleLanes>(packed: packedVariables, depth: width), rows: n, columns: classes, depth: width,
      into: scores.elements, stride: scores.stride, adding: false)
  }

  func addGradient(_ n: Int, _ residuals: BlockMatrix) { gradient.add(residuals, packFeatures(n), depth: n) }

  func expand(_ n: Int, _ probs: BlockMatrix, into expanded: BlockMatrix) {
    for i in 0..<n {
      let (row, p, u) = (features.row(i), probs.row(i), expanded.row(i))
      for c in 0..<classes {
        let probability = DoubleLanes(p[c])
        forEachVector(DoubleLanes.self, 0..<width) { j, n in
          (probability * DoubleLanes.load(row + j, lanes: n)).store(u + (c &* width &+ j), lanes: n)
        }
      }
    }
    let right = packFeatures(n)
    for c in 0..<classes {
      moment.clear()
      moment.add(expanded, column: c &* width, right, depth: n)
      for i in 0..<width {
        let sum = moments + (c &* width &+ i) &* width
        for j in i..<width { sum[j] += moment.elements[i &* moment.stride &+ j] }
      }
    }
  }

  func getGradient(_ gradient: UnsafeMutablePointer<Double>) {
    for c in 0..<classes {
      (gradient + c &* width).update(from: self.gradient.elements + c &* self.gradient.stride, count: width)
    }
  }

  func addMoments(to hessian: UnsafeMutablePointer<Double>, scale: Double) {
    for c in 0..<classes {
      for i in 0..<width {
        let row = hessian + ((c &* width &+ i) &* variables &+ c &* width)
        for j in i..<width { row[j] += scale * moments[(c &* width &+ i) &* width &+ j] }
      }
    }
  }

  private func packFeatures(_ n: Int) -> RightFactor<DoubleLanes> {
    RightFactor<DoubleLanes>(packing: features.rows, columns: width, depth: n, into: packedRight)
  }
}
