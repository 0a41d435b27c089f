/// A parameter of a formula with the digits that its element type does not hold: where an addition cancels most of it,
/// they are what is left.
struct SplitParameter<V: Lanes> {
  let high, low: V

  init(_ value: Double) {
    let rounded = V.Element(value)
    high = V(rounded)
    low = V(rounded.magnitude < .infinity ? V.Element(value - rounded.double) : 0)
  }

  @inline(__always) static func + (parameter: SplitParameter, x: V) -> V { (x + parameter.high) + parameter.low }
}

extension Lanes {
  /// `a + b` and what rounding takes from it; 0 where the sum is not finite.
  @inline(__always) static func exactSum(_ a: Self, _ b: Self) -> (sum: Self, error: Self) {
    let sum = a + b
    let fromB = sum - a
    let error = (a - (sum - fromB)) + (b - fromB)
    return (sum, select(sum.magnitude .< infinity, error, zero))
  }
}
