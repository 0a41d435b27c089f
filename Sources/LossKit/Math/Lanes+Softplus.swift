extension Lanes {
  /// `log(1 + e^x) = max(x, 0) + log(1 + e^{−|x|})`, at most 2 ulp; never overflows, has no threshold.
  @inline(__always) static func softplus(_ x: Self) -> Self {
    max(x, zero) + log1pOfFraction(expOfNonPositive(-x.magnitude))
  }
}
