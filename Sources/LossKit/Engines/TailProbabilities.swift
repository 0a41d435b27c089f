// Tail probabilities of the normal and the χ² distribution, for tests of significance: single numbers, in double.

/// `1 − erf x`, with all its digits also where it is small. For x ≥ 0.
func complementaryErrorFunction(_ x: Double) -> Double {
  if x.isNaN { return x }
  if x > 28 { return 0 }  // below the least double
  if x < 2 { return 1 - DoubleLanes.erf(DoubleLanes(x))[0] }
  // e^{−x²}/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))): from 2 on, so many terms give every digit.
  var fraction = x
  for k in 0..<120 {
    let n = 120 - k
    fraction = x + Double(n) / 2 / fraction
  }
  // e^{−x²} from the exact square.
  let square = x * x
  let rest = -square.addingProduct(-x, x)
  return exponential(-square) * (1 - rest) / (fraction * Double.pi.squareRoot())
}

/// The probability that χ² of so many degrees of freedom (≥ 1) exceeds h ≥ 0: the regularised upper incomplete gamma
/// function Q(freedom/2, h/2), which is a finite sum of positive terms where 2·(freedom/2) is an integer.
///
///     even:  e^{−x} Σ_{k < n/2} x^k / k!          odd:  erfc √x + e^{−x} Σ_{k < (n−1)/2} x^{k+½} / Γ(k + 3/2)
func upperTailOfChiSquare(_ h: Double, freedom: Int) -> Double {
  if h.isNaN { return h }
  let x = h / 2
  if x == .infinity { return 0 }
  let isOdd = freedom % 2 == 1
  let terms = freedom / 2
  // Terms are times e^{−x}·2^{−512·scale}; without the scale, they would not fit in a double where x is large.
  var term = isOdd ? 2 * (x / .pi).squareRoot() : 1
  var sum = 0.0
  var scale = 0.0
  for k in 0..<terms {
    sum += term
    term *= x / (Double(k) + (isOdd ? 1.5 : 1))
    if term > 0x1p512 || sum > 0x1p512 {
      term *= 0x1p-512
      sum *= 0x1p-512
      scale += 1
    }
  }
  let finite = sum == 0 ? 0 : sum * exponential(scale * 512 * 0.693147180559945309417 - x)
  return min(1, (isOdd ? complementaryErrorFunction(x.squareRoot()) : 0) + finite)
}

/// The vector functions on a single number.
func exponential(_ x: Double) -> Double { DoubleLanes.exp(DoubleLanes(x))[0] }
func exponentialMinusOne(_ x: Double) -> Double { DoubleLanes.expm1(DoubleLanes(x))[0] }
func power(_ x: Double, _ y: Double) -> Double { DoubleLanes.pow(DoubleLanes(x), DoubleLanes(y))[0] }
