/// `a + b p` of a probability p, without cancellation at either end: `(a + b) − b (1 − p)` where p > ½.
struct LineOfProbability<V: Lanes> {
  private let atZero, atOne, slope: V

  init(_ a: Double, _ b: Double) {
    atZero = V(a)
    atOne = V(a + b)
    slope = V(b)
  }

  @inline(__always) func callAsFunction(_ row: TargetRow<V>) -> V {
    V.select(
      row.probability .> V(0.5), V.fma(-slope, row.complement, atOne), V.fma(slope, row.probability, atZero))
  }
}
