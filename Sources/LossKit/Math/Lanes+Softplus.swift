extension Lanes {
  /// `log(1 + e^x) = max(x, 0) + log(1 + e^{−|x|})`, at most 2 ulp; never overflows, has no threshold.
  @inline(__always) static func softplus(_ x: Self) -> Self {
    max(x, zero) + log1pOfFraction(expOfNonPositive(-x.magnitude))
  }

  /// σ(x) and `log(1 + e^x)` from one exponential: the gradient and the value of losses on logits.
  /// At most 3 ulp for σ, which pays for the shared exponential; 2 ulp for the other.
  @inline(__always) static func sigmoidAndSoftplus(_ x: Self) -> (sigmoid: Self, softplus: Self) {
    let e = expOfNonPositive(-x.magnitude)
    return (select(x .< zero, e, one) / (one + e), max(x, zero) + log1pOfFraction(e))
  }
}
