// The angle of a point about the origin.

extension Lanes {
  /// The angle from the x-axis to (x, y), −π … π, to 3 ulp; 0 at the origin, whatever the signs of its zeros.
  @inline(__always) static func atan2(_ y: Self, _ x: Self) -> Self {
    let acute = atan(y.magnitude / x.magnitude)
    let angle = select(x .< zero, Self(3.141592653589793) - acute, acute)
    let isOrigin = (x .== zero) & (y .== zero)
    return select(isOrigin, zero, angle).copySign(y)
  }
}
