// Sums of exponentials that need no maximum: as numbers v · 2^e with e a floating-point number of its own, which is
// integral, so that it takes exact factors to add two of them. Zero is (0, −inf).

/// One such number per lane.
struct ExtendedNumber<V: Lanes> {
  var mantissa, exponent: V

  /// Where it is the sum of exponentials whose exponents were all exact: not where the row had NaN or +inf, numbers too
  /// large for that, or only such as counted as 0 because they are too small.
  @inline(__always) var isGood: V.Integers {
    let bound = V(V.largestExactExponent)
    return (exponent .<= bound) & (-bound .<= exponent + exponent) & (mantissa.magnitude .< V.infinity)
  }
}

extension IntegerLanes {
  /// Are the first `n` lanes of a mask true?
  @inline(__always) func isTrue(first n: Int) -> Bool { !(~self & Self.first(n)).any }
}

/// A running sum of vectors of exponentials. Vectors are added in their own precision in runs of at most 16, the runs as
/// doubles, as in `RowTile.sum`.
private struct ExtendedTotal<V: Lanes> {
  var low = DoubleLanes.zero, high = DoubleLanes.zero
  var exponent = -V.infinity

  /// Adds `terms · 2^e`.
  @inline(__always) mutating func add(_ terms: V, _ e: V) {
    let larger = V.max(exponent, e)
    let least = V(V.leastExponent)
    let own = V.max(least, exponent - larger).doubles
    let added = terms.scaled(V.max(least, e - larger)).doubles
    low = low.scaled(own.0) + added.0
    high = high.scaled(own.1) + added.1
    exponent = larger
  }

  /// The sum of all lanes.
  @inline(__always) func joined() -> (mantissa: V.Element, exponent: V.Element) {
    let largest = exponent.maximum
    let own = V.max(V(V.leastExponent), exponent - V(largest)).doubles
    return (V.Element((low.scaled(own.0) + high.scaled(own.1)).sum), largest)
  }
}

extension RowTile {
  /// `Σ e^{x/T}` of each row.
  @inline(never) func extendedSum(_ exponential: ScaledExponential<V>) -> ExtendedNumber<V> {
    isAcross ? sumAcross(exponential) : sumAlong(exponential)
  }

  @inline(__always) private func sumAlong(_ exponential: ScaledExponential<V>) -> ExtendedNumber<V> {
    var result = ExtendedNumber(mantissa: V.zero, exponent: V.zero)
    for row in 0..<count {
      let x = arrays.first + row &* classes
      var total = ExtendedTotal<V>()
      // Blocks stay in the first-level cache: their maxima cost no trip to memory.
      let blockLength = 64 &* V.count
      var start = 0
      while start &+ blockLength <= classes {
        let block = x + start
        let low = -V.infinity
        var m0 = low, m1 = low, m2 = low, m3 = low
        for i in 0..<16 {
          let at = block + 4 &* i &* V.count
          m0 = V.max(V.load(at), m0)
          m1 = V.max(V.load(at + V.count), m1)
          m2 = V.max(V.load(at + 2 &* V.count), m2)
          m3 = V.max(V.load(at + 3 &* V.count), m3)
        }
        let over = exponential.base(V.max(V.max(m0, m1), V.max(m2, m3)))
        var s0 = V.zero, s1 = V.zero, s2 = V.zero, s3 = V.zero
        for i in 0..<16 {
          let at = block + 4 &* i &* V.count
          // While this block is computed, the next one comes in from memory.
          for vector in 0..<4 { prefetch(at + (blockLength &+ vector &* V.count)) }
          s0 = s0 + exponential(V.load(at), over: over)
          s1 = s1 + exponential(V.load(at + V.count), over: over)
          s2 = s2 + exponential(V.load(at + 2 &* V.count), over: over)
          s3 = s3 + exponential(V.load(at + 3 &* V.count), over: over)
        }
        total.add((s0 + s1) + (s2 + s3), over.exponent)
        start &+= blockLength
      }
      forEachVector(V.self, start..<classes) { c, n in
        let z = V.load(x + c, lanes: n, fill: -.infinity)
        let over = exponential.base(z)
        total.add(exponential(z, over: over), over.exponent)
      }
      (result.mantissa[row], result.exponent[row]) = total.joined()
    }
    return result
  }

  @inline(__always) private func sumAcross(_ exponential: ScaledExponential<V>) -> ExtendedNumber<V> {
    var total = ExtendedTotal<V>()
    var start = 0
    while start < classes {
      let end = Swift.min(start &+ 16, classes)
      var m = -V.infinity
      for c in start..<end { m = V.max(V.load(arrays.first + c &* classStride, lanes: count), m) }
      let over = exponential.base(m)
      var sum = V.zero
      for c in start..<end { sum = sum + exponential(V.load(arrays.first + c &* classStride, lanes: count), over: over) }
      total.add(sum, over.exponent)
      start = end
    }
    return ExtendedNumber(mantissa: V(total.low, total.high), exponent: total.exponent)
  }
}

/// Softmax in two passes over memory: the sum of the exponentials, then the quotients.
///
/// Rows in which an exponent is not exact take the usual three.
struct TwoPassSoftmax<V: Lanes>: RowVisitor {
  let exponential: ScaledExponential<V>

  init(temperature: Double) { exponential = ScaledExponential(temperature: temperature) }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    let total = tile.extendedSum(exponential)
    let isGood = total.isGood
    var k = RowConstants(
      a: total.mantissa, b: total.exponent, c: exponential.floor(below: total.exponent), e: V.one / total.mantissa)
    if isGood.isTrue(first: tile.count) {
      tile.map(k) { e, k in quotient(e.x, k) }
    } else {
      let shift = V.shift(tile.maximum())
      let sum = tile.sum(RowConstants(a: shift), keep: false) { e, k in exponential(e.x - k.a) }
      k.a = V.select(isGood, k.a, V.definedSum(sum))
      k.b = V.select(isGood, k.b, shift)
      k.d = V.select(isGood, V.one, V.zero)
      tile.map(k) { e, k in V.select(k.d .== V.zero, exponential(e.x - k.b) / k.a, quotient(e.x, k)) }
    }
  }

  @inline(__always) private func quotient(_ x: V, _ k: RowConstants<V>) -> V {
    exponential(x, over: ExponentialBase(exponent: k.b, floor: k.c)) { v in
      // v / m, from the inverse: a division would take longer than all the rest.
      let q = v * k.e
      return V.fma(V.fma(-k.a, q, v), k.e, q)
    }
  }
}
