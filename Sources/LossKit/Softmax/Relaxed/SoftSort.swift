/// SoftSort: a relaxed permutation matrix that sorts scores in descending order, by distance to the sorted scores.
///
///     P_i = softmax_j(−|ŝ_i − s_j|^power / τ),   ŝ = s in descending order
///
/// - Parameters:
///   - s: scores, `[lists, items]`. −inf has weight 0 in the rows of the others and gives NaN in its own; a list with +inf
///     gives NaN.
///   - lists: ≥ 0.
///   - items: ≥ 1.
///   - tau: temperature τ > 0, default 1.
///   - power: ≥ 1, default 1.
///   - p: output, `[lists, items, items]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
/// - Reference: Prillo and Eisenschlos 2020, SoftSort: A Continuous Relaxation for the argsort Operator.
func softsort<S: Scalar>(
  _ s: UnsafePointer<S>?, _ lists: Int, _ items: Int, _ tau: Double, _ power: Double, _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(tau), power >= 1, power < .infinity else { return .invalidParameter }
  let (arrays, status) = RelaxedSortArrays.checked(s, lists, items, nil)
  guard let arrays else { return status }
  guard let p else { return .nullPointer }
  return arrays.sort(SoftSort(power: FixedPower(power)), tau: tau, hard: false, p)
}

/// Vector-Jacobian product of softsort.
///
///     G_i = P_i ⊙ (g_i − ⟨P_i, g_i⟩),   H_ij = −(power/τ) G_ij |ŝ_i − s_j|^{power−1} sign(ŝ_i − s_j)
///     grad_j = −Σ_i H_ij + Σ_k H_{r(j) k},   r(j) the rank of item j,   sign(0) = 0
///
/// - Parameters:
///   - s: `[lists, items]`, as given to `softsort`.
///   - p: P, `[lists, items, items]`: what `softsort` returned.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - lists: ≥ 0.
///   - items: ≥ 1.
///   - tau: τ > 0, as given to `softsort`.
///   - power: ≥ 1, as given to `softsort`.
///   - gradS: output, shaped as `s`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN, OUT_OF_MEMORY.
func softsortVjp<S: Scalar>(
  _ s: UnsafePointer<S>?, _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ lists: Int, _ items: Int,
  _ tau: Double, _ power: Double, _ gradS: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(tau), power >= 1, power < .infinity else { return .invalidParameter }
  let (arrays, status) = RelaxedSortArrays.checked(s, lists, items, nil)
  guard let arrays else { return status }
  guard let p, let gradOutput, let gradS else { return .nullPointer }
  return arrays.pullBack(SoftSort(power: FixedPower(power)), tau: tau, p, gradOutput, gradS)
}

/// The list's arrays: `a` is ŝ, `b` the item that each of it is.
private struct SoftSort: RelaxedSort {
  typealias V = DoubleLanes
  let power: FixedPower<V>

  @inline(__always) func prepare(_ list: RelaxedList) {
    for j in 0..<list.count {
      let own = V(list.s[j]), index = V(Double(j))
      let rank = list.sum { s, k, _ in
        let isEarlier = V(V.Integers.indices &+ V.Integers(k)) .< index
        return V.select((own .< s) | ((own .== s) & isEarlier), V.one, V.zero)
      }
      list.a[Int(rank)] = list.s[j]
      list.b[Int(rank)] = Double(j)
    }
    if list.a[0] == .infinity { list.a.update(repeating: .nan, count: list.count) }
  }

  @inline(__always) func exponents(_ list: RelaxedList, _ i: Int, _ j: Int, _ n: Int) -> V {
    -power((V(list.a[i]) - V.load(list.s + j, lanes: n)).magnitude).power
  }

  @inline(__always) func pull(_ list: RelaxedList, _ i: Int, _ gradient: UnsafeMutablePointer<Double>) {
    let sorted = V(list.a[i])
    let all = list.sum { s, j, n in
      let distance = sorted - s
      let g = V.load(gradient + j, lanes: n)
      let slope = power(distance.magnitude).slope * distance.direction
      // What has no weight has no gradient, however far away it is.
      let h = V.select(g .== V.zero, V.zero, -(g * slope))
      (V.load(list.grad + j, lanes: n) - h).store(list.grad + j, lanes: n)
      return h
    }
    list.grad[Int(list.b[i])] += all
  }

  @inline(__always) func finish(_: RelaxedList) {}
}
