/// What logistic losses are made of, from one exponential and without cancellation on either side of 0: the value and the
/// gradient of losses on logits. At most 3 ulp for σ(±x), which pays for the shared exponential; 2 ulp for the softplus.
struct Logistic<V: Lanes> {
  /// σ(x) and σ(−x).
  let positive, negative: V
  /// `log(1 + e^{−|x|})`, so that softplus(±x) = max(±x, 0) + this.
  let tail: V

  @inline(__always) init(_ x: V) { self.init(x, exponential: V.expOfNonPositive(-x.magnitude)) }

  /// - Parameter e: `e^{−|x|}`
  @inline(__always) init(_ x: V, exponential e: V) {
    let larger = V.one / (V.one + e)
    let smaller = e * larger
    let isNegative = x .< V.zero
    positive = V.select(isNegative, smaller, larger)
    negative = V.select(isNegative, larger, smaller)
    tail = V.log1pOfFraction(e)
  }
}
