extension Lanes {
  /// `log σ(x) = min(x, 0) − log(1 + e^{−|x|})`, at most 2 ulp.
  @inline(__always) static func logSigmoid(_ x: Self) -> Self {
    min(x, zero) - log1pOfFraction(expOfNonPositive(-x.magnitude))
  }
}
