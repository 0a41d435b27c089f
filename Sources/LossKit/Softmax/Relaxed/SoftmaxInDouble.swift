// Softmax of exponents that a formula left in an array of doubles, and its vector-Jacobian product.

/// `x ← softmax(x / T)`, or the one-hot row of its maximum, of equal ones the first. All NaN where it is not defined.
@inline(__always)
func softmaxInDouble(
  _ x: UnsafeMutablePointer<Double>, _ count: Int, _ exponential: ScaledExponential<DoubleLanes>, isHard: Bool = false
) {
  typealias V = DoubleLanes
  var highest = -V.infinity
  forEachVector(V.self, 0..<count) { i, n in highest = V.max(V.load(x + i, lanes: n, fill: -.infinity), highest) }
  let maximum = V(highest.maximum)
  var sums = V.zero
  forEachVector(V.self, 0..<count) { i, n in
    let e = exponential(V.load(x + i, lanes: n, fill: -.infinity) - maximum)
    e.store(x + i, lanes: n)
    sums = sums + V.select(V.Integers.first(n), e, V.zero)
  }
  let sum = sums.sum
  let reciprocal = V(1 / sum)
  var best = isHard && sum > 0 ? 0 : count
  forEachVector(V.self, 0..<count) { i, n in (V.load(x + i, lanes: n) * reciprocal).store(x + i, lanes: n) }
  if best == count { return }
  for i in 1..<count where x[i] > x[best] { best = i }
  for i in 0..<count { x[i] = i == best ? 1 : 0 }
}

/// `p ← p ⊙ (g − ⟨p, g⟩) · scale`
@inline(__always)
func softmaxVjpInDouble(
  _ p: UnsafeMutablePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ count: Int, scale: Double
) {
  typealias V = DoubleLanes
  var products = V.zero
  forEachVector(V.self, 0..<count) { i, n in
    products = V.fma(V.load(p + i, lanes: n), V.load(g + i, lanes: n), products)
  }
  let product = V(products.sum)
  forEachVector(V.self, 0..<count) { i, n in
    (V.load(p + i, lanes: n) * (V.load(g + i, lanes: n) - product) * V(scale)).store(p + i, lanes: n)
  }
}
