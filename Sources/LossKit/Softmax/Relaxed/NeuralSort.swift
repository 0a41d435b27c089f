/// NeuralSort: a relaxed permutation matrix that sorts scores in descending order.
///
///     P_i = softmax_j(((L + 1 − 2i) s_j − Σ_k |s_j − s_k|)/τ),   i = 1 … L
///
/// With `hard` each row is one-hot at its largest element, of equal ones the first; its gradient is that of the soft rows.
///
/// - Parameters:
///   - s: scores, `[lists, items]`. A list with an infinity gives NaN.
///   - lists: ≥ 0.
///   - items: ≥ 1.
///   - tau: temperature τ > 0, default 1.
///   - hard: one-hot rows?
///   - lengths: optional, `[lists]`, in 0 … items: only so many items of a list take part, L of the formula, all else
///     is 0. Default: all.
///   - p: output, `[lists, items, items]`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or a length out of range, OUT_OF_MEMORY.
/// - Reference: Grover et al. 2019, Stochastic Optimization of Sorting Networks via Continuous Relaxations; used by Pobrotyn
///   and Białobrzeski 2021, NeuralNDCG.
func neuralsort<S: Scalar>(
  _ s: UnsafePointer<S>?, _ lists: Int, _ items: Int, _ tau: Double, _ hard: Bool, _ lengths: UnsafePointer<Int64>?,
  _ p: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(tau) else { return .invalidParameter }
  let (arrays, status) = RelaxedSortArrays.checked(s, lists, items, lengths)
  guard let arrays else { return status }
  guard let p else { return .nullPointer }
  return arrays.sort(NeuralSort(), tau: tau, hard: hard, p)
}

/// Vector-Jacobian product of neuralsort.
///
///     G_i = P_i ⊙ (g_i − ⟨P_i, g_i⟩),   c_j = Σ_i G_ij
///     grad_j = (1/τ)·[Σ_i (L + 1 − 2i) G_ij − Σ_k (c_j + c_k) sign(s_j − s_k)],   sign(0) = 0
///
/// - Parameters:
///   - s: `[lists, items]`, as given to `neuralsort`.
///   - p: P, `[lists, items, items]`: what `neuralsort` returned, or would have returned without `hard`.
///   - gradOutput: g, shaped as `p`: the incoming gradient.
///   - lists: ≥ 0.
///   - items: ≥ 1.
///   - tau: τ > 0, as given to `neuralsort`.
///   - lengths: optional, `[lists]`, as given to `neuralsort`.
///   - gradS: output, shaped as `s`.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_VALUE for NaN or a length out of range, OUT_OF_MEMORY.
func neuralsortVjp<S: Scalar>(
  _ s: UnsafePointer<S>?, _ p: UnsafePointer<S>?, _ gradOutput: UnsafePointer<S>?, _ lists: Int, _ items: Int,
  _ tau: Double, _ lengths: UnsafePointer<Int64>?, _ gradS: UnsafeMutablePointer<S>?
) -> Status {
  guard isPositive(tau) else { return .invalidParameter }
  let (arrays, status) = RelaxedSortArrays.checked(s, lists, items, lengths)
  guard let arrays else { return status }
  guard let p, let gradOutput, let gradS else { return .nullPointer }
  return arrays.pullBack(NeuralSort(), tau: tau, p, gradOutput, gradS)
}

/// The list's arrays: `a` is Σ_k |s_j − s_k|, `b` is c.
private struct NeuralSort: RelaxedSort {
  typealias V = DoubleLanes

  @inline(__always) private func factor(_ list: RelaxedList, _ i: Int) -> V { V(Double(list.count &- 1 &- 2 &* i)) }

  @inline(__always) func prepare(_ list: RelaxedList) {
    // A number that is taken from all scores changes nothing but the size of what cancels.
    let first = V(list.count > 0 ? list.s[0] : 0)
    forEachVector(V.self, 0..<list.count) { j, n in
      (V.load(list.s + j, lanes: n) - first).store(list.s + j, lanes: n)
    }
    for j in 0..<list.count {
      let own = V(list.s[j])
      list.a[j] = list.sum { s, _, _ in (own - s).magnitude }
      list.b[j] = 0
    }
  }

  @inline(__always) func exponents(_ list: RelaxedList, _ i: Int, _ j: Int, _ n: Int) -> V {
    V.fma(factor(list, i), V.load(list.s + j, lanes: n), -V.load(list.a + j, lanes: n))
  }

  @inline(__always) func pull(_ list: RelaxedList, _ i: Int, _ gradient: UnsafeMutablePointer<Double>) {
    forEachVector(V.self, 0..<list.count) { j, n in
      let g = V.load(gradient + j, lanes: n)
      V.fma(factor(list, i), g, V.load(list.grad + j, lanes: n)).store(list.grad + j, lanes: n)
      (V.load(list.b + j, lanes: n) + g).store(list.b + j, lanes: n)
    }
  }

  @inline(__always) func finish(_ list: RelaxedList) {
    for j in 0..<list.count {
      let own = V(list.s[j]), c = V(list.b[j])
      list.grad[j] -= list.sum { s, k, n in (own - s).direction * (c + V.load(list.b + k, lanes: n)) }
    }
  }
}
