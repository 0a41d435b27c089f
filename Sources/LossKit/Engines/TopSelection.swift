// The k largest of each row, without sorting: a threshold between them and the others is found by bisection. Where
// several elements stand exactly at the threshold, the first classes of them are taken.

/// Which elements of the rows of a tile are among the k largest?
struct TopSelection<V: Lanes> {
  var threshold: V
  /// Of the elements that equal the threshold, those up to this class.
  var lastTie: V.Integers
  /// Among which elements they were found; ties that are not selected have become −inf.
  var candidates: Candidates<V>?

  /// NaN is, in rows that have any.
  @inline(__always)
  static func contains(_ e: RowElements<V>, _ threshold: V, _ lastTie: V.Integers) -> V.Integers {
    ~((e.x .< threshold) | ((e.x .== threshold) & (lastTie .< e.classes)))
  }
}

extension RowTile {
  /// The k largest elements of each row; of equal ones those of the lower classes. All, if there are not more than k.
  ///
  /// - Parameter maximum: of each row.
  @inline(never) func top(_ k: Int, maximum: V) -> TopSelection<V> {
    var lowest = -V.infinity
    if k >= classes { return TopSelection(threshold: lowest, lastTie: V.Integers(Int(Int32.max)), candidates: nil) }
    // k parts have a maximum each: the k-th largest of all is not below the k-th largest of these.
    if let parts = partialMaxima(k) {
      lowest = parts.bisect(k, from: lowest, to: maximum, rows: count, steps: 6).threshold
    }
    let few = candidates(atLeast: lowest)
    let found =
      if let few {
        few.tile.bisect(k, from: lowest, to: maximum, rows: count, steps: .max)
      } else {
        bisect(k, from: lowest, to: maximum, rows: count, steps: .max)
      }
    var lastTie = V.Integers(Int(Int32.max))
    for row in 0..<count where found.ties[row] > 0 {
      let threshold = found.threshold[row]
      var wanted = found.ties[row]
      var c = 0
      while c < classes {
        if input(row: row, class: c) == threshold {
          wanted &-= 1
          if wanted == 0 { break }
        }
        c &+= 1
      }
      lastTie[row] = c
      if let few { remove(few, row: row, equalTo: threshold, after: c) }
    }
    return TopSelection(threshold: found.threshold, lastTie: lastTie, candidates: few)
  }

  /// A threshold for each row that at least k elements reach, and, where there are more, the highest such; then `ties`
  /// says how many of the elements that equal it belong to the k (else it is 0).
  ///
  /// - Parameters:
  ///   - low: at least k elements reach it.
  ///   - high: the maximum.
  ///   - rows: the lanes that matter.
  ///   - steps: after so many the threshold need not be the highest.
  @inline(never)
  func bisect(_ k: Int, from low: V, to high: V, rows: Int, steps: Int) -> (threshold: V, ties: V.Integers) {
    let wanted = V.Integers(k)
    let one = V.Integers(1)
    var low = low.orderedBits
    var high = high.orderedBits &+ one  // fewer than k reach it
    var above = V.Integers(0)  // how many reach `high`
    var done = ~V.Integers.first(rows)
    var step = 0
    while step < steps {
      done = done | ~(low .< high &- one)
      if !(~done).any { break }
      // Halving the values takes fewer steps as a rule, halving the bit patterns at most as many as there are bits.
      let half = low &+ (high &- low).shiftedRightLogical(1)
      let mean = ((V(orderedBits: low) + V(orderedBits: high)) * V(Element(0.5))).orderedBits
      let isBetween = (low .< mean) & (mean .< high)
      let middle = step < 10 ? V.Integers.select(isBetween, mean, half) : half
      let n = count(atLeast: V(orderedBits: middle))
      let isLow = ~(n .< wanted)
      low = V.Integers.select(isLow & ~done, middle, low)
      high = V.Integers.select(isLow | done, high, middle)
      above = V.Integers.select(isLow | done, above, n)
      let isExact = (n .== wanted) & ~done
      above = V.Integers.select(isExact, wanted, above)
      done = done | isExact
      step &+= 1
    }
    return (V(orderedBits: low), wanted &- above)
  }

  /// The classes of a row's k largest elements, from the largest on, of equal ones the lower first.
  @inline(never)
  func topClasses(
    _ k: Int, row: Int, _ selection: TopSelection<V>, _ classes: UnsafeMutablePointer<Int64>
  ) {
    let threshold = selection.threshold[row]
    let lastTie = selection.lastTie[row]
    var n = 0
    for c in 0..<self.classes {
      let x = input(row: row, class: c)
      if x > threshold || (x == threshold && c <= lastTie), n < k {
        classes[n] = Int64(c)
        n &+= 1
      }
    }
    sortHeap(n, classes) { a, b in
      let x = input(row: row, class: Int(a))
      let y = input(row: row, class: Int(b))
      return x > y || (x == y && a < b)
    }
  }
}

extension Lanes {
  private static var signBit: Integers { Integers(1).shiftedLeft(MemoryLayout<Element>.size &* 8 &- 1) }

  /// Signed integers that are ordered as the numbers are, −0 directly below 0.
  @inline(__always) fileprivate var orderedBits: Integers {
    let sign = bits.shiftedRightArithmetic(MemoryLayout<Element>.size &* 8 &- 1)
    return bits ^ (sign & ~Self.signBit)
  }

  @inline(__always) fileprivate init(orderedBits: Integers) { self.init(bits: Self(bits: orderedBits).orderedBits) }
}

/// Sorts in place, without memory, so that `precedes` holds of neighbours. No two elements may be equal.
@inline(__always)
private func sortHeap(_ count: Int, _ items: UnsafeMutablePointer<Int64>, _ precedes: (Int64, Int64) -> Bool) {
  /// Lets the item at `start` sink to its place in the heap, whose top is the last item of all.
  @inline(__always) func sink(_ start: Int, _ end: Int) {
    let item = items[start]
    var hole = start
    while 2 &* hole &+ 1 < end {
      var child = 2 &* hole &+ 1
      if child &+ 1 < end, precedes(items[child], items[child &+ 1]) { child &+= 1 }
      if !precedes(item, items[child]) { break }
      items[hole] = items[child]
      hole = child
    }
    items[hole] = item
  }
  var start = count / 2
  while start > 0 {
    start &-= 1
    sink(start, count)
  }
  var end = count
  while end > 1 {
    end &-= 1
    (items[0], items[end]) = (items[end], items[0])
    sink(0, end)
  }
}
