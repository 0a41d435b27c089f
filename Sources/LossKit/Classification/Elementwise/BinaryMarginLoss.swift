/// The function φ of the margin m in `binaryMarginLoss`. (u)₊ = max(0, u); the last five are 1 − m for m ≤ 1.
enum MarginKind: Int32 {
  /// softplus(−m).
  case logistic = 0
  /// (margin − m)₊.
  case hinge = 1
  /// (margin − m)₊².
  case squaredHinge = 2
  /// ½ − m for m ≤ 0, else (1 − m)₊² / 2.
  case smoothedHinge = 3
  /// −4m for m < −1, else (1 − m)₊².
  case modifiedHuber = 4
  /// −m for m ≤ −1, else (1 − m)₊² / 4.
  case sparsemax = 5
  /// e^{−m}.
  case exponential = 6
  /// (−m)₊.
  case perceptron = 7
  /// σ(−m)².
  case savage = 8
  /// (2 atan m − 1)².
  case tangent = 9
  /// 1 − m.
  case unhinged = 10
  /// σ(−m).
  case sigmoid = 11
  /// (1 − m) / 2 between 0 and 1.
  case ramp = 12
  /// (1 − m)².
  case square = 13
  /// −2 √(m − 1) for m > 1.
  case sqrtHinge = 14
  /// −log m for m > 1.
  case logHinge = 15
  /// 1/m − 1 for m > 1.
  case invHinge = 16
  /// e / log(m + e − 1) − e for m > 1.
  case invLogHinge = 17
  /// e^{1 − m} − 1 for m > 1.
  case expHinge = 18
}

/// Losses of binary classification that are functions of the margin, element by element.
///
///     L = φ(m),   m = y f,   dL/df = y φ'(m)
///
/// - Parameters:
///   - f: scores, `[rows, columns]`.
///   - y: 1 or −1, shaped as `f`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - kind: φ, default logistic.
///   - margin: of hinge and squared_hinge, default 1; finite.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `f`. Derivatives at kinks are 0.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Bartlett et al. 2006, Convexity, Classification, and Risk Bounds; for the last five Dai and Wang 2025,
///   EnsLoss: Stochastic Calibrated Loss Ensembles.
func binaryMarginLoss<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ kind: MarginKind, _ margin: Double,
  _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?,
  _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard margin.magnitude < .infinity else { return .invalidParameter }
  @inline(__always) func run<F: MarginFunction>(_ function: F) -> Status where F.V == S.Vector {
    elementLoss(
      LossOfMargin(function: function), f, y, (rows, columns), targets: .signs, reduction, sampleWeight, loss, grad)
  }
  switch kind {
  case .logistic: return run(LogisticMargin())
  case .hinge: return run(Hinge(margin: SplitParameter(margin)))
  case .squaredHinge: return run(HingeSquare(margin: SplitParameter(margin)))
  case .smoothedHinge: return run(SmoothedHinge())
  case .modifiedHuber: return run(ModifiedHuber())
  case .sparsemax: return run(SparsemaxMargin())
  case .exponential: return run(ExponentialMargin())
  case .perceptron: return run(Perceptron())
  case .savage: return run(Savage())
  case .tangent: return run(Tangent())
  case .unhinged: return run(Unhinged())
  case .sigmoid: return run(SigmoidMargin())
  case .ramp: return run(Ramp())
  case .square: return run(Square())
  case .sqrtHinge: return run(LinearWithTail(tail: SquareRootTail()))
  case .logHinge: return run(LinearWithTail(tail: LogarithmTail()))
  case .invHinge: return run(LinearWithTail(tail: InverseTail()))
  case .invLogHinge: return run(LinearWithTail(tail: InverseLogarithmTail()))
  case .expHinge: return run(LinearWithTail(tail: ExponentialTail()))
  }
}

/// Logistic loss of scores and signs, element by element.
///
///     L = log(1 + e^{−y f})
///
/// - Parameters:
///   - f: scores, `[rows, columns]`.
///   - y: 1 or −1, shaped as `f`.
///   - rows: ≥ 0.
///   - columns: ≥ 0.
///   - reduction: default mean, over all elements, weighted.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per element without reduction.
///   - grad: optional output, shaped as `f`.
/// - Errors: INVALID_SHAPE, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: torch.nn.functional.soft_margin_loss.
func softMarginLoss<S: Scalar>(
  _ f: UnsafePointer<S>?, _ y: UnsafePointer<S>?, _ rows: Int, _ columns: Int, _ reduction: Reduction,
  _ sampleWeight: UnsafePointer<S>?, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  binaryMarginLoss(f, y, rows, columns, .logistic, 1, reduction, sampleWeight, loss, grad)
}

/// φ(m) and φ'(m), for m that is not NaN.
private protocol MarginFunction {
  associatedtype V: Lanes
  func evaluate(_ m: V) -> (value: V, slope: V)
}

private struct LossOfMargin<F: MarginFunction>: ElementLoss {
  let function: F

  @inline(__always) func evaluate(_ f: F.V, _ y: F.V, _: F.V) -> (value: F.V, derivative: F.V) {
    let m = y * f
    let phi = function.evaluate(m)
    let isNumber = m .== m
    return (F.V.select(isNumber, phi.value, m), F.V.select(isNumber, y * phi.slope, m))
  }
}

private struct LogisticMargin<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let s = Logistic(m)
    return (V.max(-m, V.zero) + s.tail, -s.negative)
  }
}

private struct Hinge<V: Lanes>: MarginFunction {
  let margin: SplitParameter<V>
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.max(margin + -m, V.zero)
    return (u, V.select(u .> V.zero, -V.one, V.zero))
  }
}

private struct HingeSquare<V: Lanes>: MarginFunction {
  let margin: SplitParameter<V>
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.max(margin + -m, V.zero)
    return (u * u, -(u + u))
  }
}

private struct SmoothedHinge<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.max(V.one - m, V.zero), half = V(0.5)
    return (V.select(m .<= V.zero, half - m, half * u * u), -V.min(u, V.one))
  }
}

private struct ModifiedHuber<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.max(V.one - m, V.zero)
    return (V.select(m .< -V.one, V(-4.0) * m, u * u), V(-2.0) * V.min(u, V(2.0)))
  }
}

private struct SparsemaxMargin<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.max(V.one - m, V.zero)
    return (V.select(m .<= -V.one, -m, V(0.25) * u * u), V(-0.5) * V.min(u, V(2.0)))
  }
}

private struct ExponentialMargin<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let e = V.exp(-m)
    return (e, -e)
  }
}

private struct Perceptron<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    (V.max(-m, V.zero), V.select(m .< V.zero, -V.one, V.zero))
  }
}

private struct Savage<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let s = Logistic(m)
    let square = s.negative * s.negative
    return (square, V(-2.0) * square * s.positive)
  }
}

private struct Tangent<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    // 2 atan m − 1 = 2 atan((m − t)/(1 + m t)) with t = tan ½, less 2π left of the pole: nothing cancels at its zero.
    let minusT = SplitParameter<V>(-0.5463024898437905)
    let x = V.max(V(-0x1p100), V.min(V(0x1p100), m))
    let denominator = V.one - x * minusT.high
    let rest = V(-2.9096576216837176e-17)  // what a double does not hold of −t
    let angle = V.atan(((minusT + x) + rest) / denominator)
    let u = V.select(denominator .< V.zero, angle - V(3.141592653589793), angle)
    return (V(4.0) * u * u, V(8.0) * u / V.fma(m, m, V.one))
  }
}

private struct Unhinged<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) { (V.one - m, -V.one) }
}

private struct SigmoidMargin<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let s = Logistic(m)
    return (s.negative, -(s.positive * s.negative))
  }
}

private struct Ramp<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let half = V(0.5)
    return (
      V.max(V.min(half * (V.one - m), V.one), V.zero), V.select(m.magnitude .< V.one, -half, V.zero)
    )
  }
}

private struct Square<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let u = V.one - m
    return (u * u, -(u + u))
  }
}

/// 1 − m up to 1, where the tail goes on from 0.
private struct LinearWithTail<T: MarginFunction>: MarginFunction {
  let tail: T
  @inline(__always) func evaluate(_ m: T.V) -> (value: T.V, slope: T.V) {
    let t = tail.evaluate(m)
    let isLinear = m .<= T.V.one
    return (T.V.select(isLinear, T.V.one - m, t.value), T.V.select(isLinear, -T.V.one, t.slope))
  }
}

private struct SquareRootTail<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let root = (m - V.one).squareRoot
    return (-(root + root), -V.one / root)
  }
}

private struct LogarithmTail<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) { (-V.log(m), -V.one / m) }
}

private struct InverseTail<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let finite = V.min(m, V(V.Element.greatestFiniteMagnitude))
    let inverse = V.one / finite
    return ((V.one - finite) * inverse, -(inverse * inverse))
  }
}

private struct InverseLogarithmTail<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    // log(m + e − 1) = 1 + q, so that e / log(…) − e = −e q / (1 + q).
    let e = 2.718281828459045
    let q = V.log1p((m - V.one) * V(1 / e))
    let logarithm = V.one + q
    return (
      V.select(q .== V.infinity, V(-e), V(-e) * (q / logarithm)),
      V(-e) / ((m + V(e - 1)) * logarithm * logarithm)
    )
  }
}

private struct ExponentialTail<V: Lanes>: MarginFunction {
  @inline(__always) func evaluate(_ m: V) -> (value: V, slope: V) {
    let x = V.one - m
    return (V.expm1(x), -V.exp(x))
  }
}
