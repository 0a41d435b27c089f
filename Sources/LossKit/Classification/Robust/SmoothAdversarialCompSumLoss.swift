/// Smooth adversarial comp-sum loss: the comp-sum loss of clean logits, and how far an attack moves the margins.
///
///     D_k(z) = z_y − z_k
///     L = comp_sum_loss(z/ρ, y; τ) + ν ‖D(z_adv) − D(z)‖₂
///
/// - Parameters:
///   - z: logits of clean inputs, `[outer, classes, inner]`. −inf is a masked class.
///   - zAdv: logits of the attacked inputs, which the caller has found, shaped as `z`.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - tau: τ ≥ 0, default 1, see `comp_sum_loss`.
///   - rho: ρ > 0, default 1.
///   - nu: ν ≥ 0, default 1.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1.
///   - loss: optional output, one value, or one per row without reduction.
///   - gradZ: optional output, shaped as `z`.
///   - gradZAdv: optional output, shaped as `z`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight.
/// - Reference: Mao et al. 2023, Cross-Entropy Loss Functions: Theoretical Analysis and Applications.
func smoothAdversarialCompSumLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ zAdv: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ tau: Double, _ rho: Double, _ nu: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ gradZ: UnsafeMutablePointer<S>?,
  _ gradZAdv: UnsafeMutablePointer<S>?
) -> Status {
  guard tau >= 0, tau < .infinity, isPositive(rho), nu >= 0, nu < .infinity else { return .invalidParameter }
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  if shape.rows > 0 && zAdv == nil { return .nullPointer }
  @inline(__always)
  func run<L: RowLoss>(
    _ formula: L, _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
  ) -> Status where L.V == S.Vector {
    rowLoss(formula, z, target, (outer, classes, inner), second: zAdv, reduction, sampleWeight, loss, grad)
  }
  let clean = SmoothAdversarial<S.Vector>(tau: tau, rho: rho, nu: nu)
  let status = run(clean, loss, gradZ)
  if status != .ok || gradZAdv == nil { return status }
  return run(MarginShift(nu: clean.nu), nil, gradZAdv)
}

private struct SmoothAdversarial<V: Lanes>: RowLoss {
  let nu: V
  private let power: PowerLoss<V>
  private let rho: Double
  private let inverseRho: V
  static var usesSecond: Bool { true }
  static var derivesTargetApart: Bool { true }

  init(tau: Double, rho: Double, nu: Double) {
    power = PowerLoss(tau - 1)
    self.rho = rho
    inverseRho = V(1 / rho)
    self.nu = V(nu)
  }

  /// dL/dz = ψ (p − e)/ρ − b with p = softmax(z/ρ), and b = dL/dz_adv
  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let softmax = tile.softmax(&k, keep: keep, temperature: rho)
    let (value, psi) = power.evaluate(
      TargetRow(
        probability: softmax.probability, complement: softmax.complement, nu: softmax.nu, nuRest: softmax.nuRest))
    let slope = psi * inverseRho * scale
    let shift = tile.marginShift(&k, nu: nu * scale)
    k.d = slope * softmax.reciprocal
    k.e = slope
    k.atTarget = -(slope * softmax.complement) - k.atTarget
    return V.fma(nu, shift, value)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V {
    let isNothing = (e.kept .== V.zero) & (k.e.magnitude .== V.infinity)
    return V.fma(V.marginShift(e, k), k.c, V.select(isNothing, V.zero, e.kept * k.d))
  }
}

/// The gradient by the attacked logits: b_j = ν ([j = y] Σ_k n_k − n_j) with r = D(z_adv) − D(z) and n = r/‖r‖.
private struct MarginShift<V: Lanes>: RowLoss {
  let nu: V
  static var usesSecond: Bool { true }
  static var derivesTargetApart: Bool { true }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    nu * tile.marginShift(&k, nu: nu * scale)
  }

  @inline(__always) func derivative(_ e: RowElements<V>, _ k: RowConstants<V>) -> V { -V.marginShift(e, k) * k.c }
}

extension RowTile {
  /// ‖r‖. Leaves the shift of the target's logit in `k.b`, ν/‖r‖ in `k.c`, and what an attack does at the target.
  @inline(__always) fileprivate func marginShift(_ k: inout RowConstants<V>, nu: V) -> V {
    var own = V.zero
    for r in 0..<count { own[r] = secondInput(row: r, class: k.target[r]) }
    k.b = own - inputs(at: k.target)
    let (sum, squares) = sums(k, keep: false) { e, k in
      let r = V.marginShift(e, k)
      return RowTerms(first: r, second: r * r)
    }
    let norm = squares.squareRoot
    k.c = V.select(norm .== V.zero, V.zero, nu / norm)
    k.atTarget = sum * k.c
    return norm
  }
}

extension Lanes {
  /// r of an element. A class that is masked in both has not moved.
  @inline(__always) fileprivate static func marginShift(_ e: RowElements<Self>, _ k: RowConstants<Self>) -> Self {
    select((e.x .== e.y) & (e.x .== -infinity), zero, k.b - (e.y - e.x))
  }
}
