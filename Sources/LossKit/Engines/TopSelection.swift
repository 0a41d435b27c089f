// The k largest of each row: where they are few by a network that sorts them, else without sorting, by a threshold between
// them and the others that is found by bisection. Where several elements stand exactly at the threshold, the first classes
// of them are taken.

/// Which elements of the rows of a tile are among the k largest?
struct TopSelection<V: Lanes> {
  /// The maximum of each row, ignoring NaN, and how many of the selected elements equal it.
  let maximum, maxima: V
  var threshold: V
  /// Of the elements that equal the threshold, those up to this class; all where there are no ties.
  var lastTie: V.Integers
  let hasTies: Bool
  /// Among which elements they were found; ties that are not selected have become −inf.
  var candidates: Candidates<V>?

  /// NaN is, in rows that have any.
  @inline(__always)
  static func contains(_ e: RowElements<V>, _ threshold: V, _ lastTie: V.Integers) -> V.Integers {
    ~((e.x .< threshold) | ((e.x .== threshold) & (lastTie .< e.classes)))
  }
}

/// As many as a network sorts.
private let mostSorted = 16

extension RowTile {
  /// The k largest elements of each row; of equal ones those of the lower classes. All, if there are not more than k.
  @inline(never) func top(_ k: Int) -> TopSelection<V> {
    let every = V.Integers(Int(Int32.max))
    if k >= classes {
      let maximum = self.maximum()
      return TopSelection(
        maximum: maximum, maxima: V(count(atLeast: maximum)), threshold: -V.infinity, lastTie: every,
        hasTies: false, candidates: nil)
    }
    let isLong = !isAcross && classes > 6 &* V.count
    var lowest = -V.infinity
    var few: Candidates<V>?
    if isLong, k <= V.count, let parts = partialMaxima() {
      // k parts have a maximum each: the k-th largest of all is not below the k-th largest of these.
      lowest = parts.sorted(candidateMemory.vectors)[k &- 1]
      few = candidates(atLeast: lowest, placed: true)
    }
    let maximum: V, threshold: V
    var maxima = V.Integers(0)
    var ties = V.Integers(0)
    // The network takes as long for one row as for all.
    if k < mostSorted && (few != nil || !isLong || 2 &* count >= V.count) {
      let sorted = (few?.tile ?? self).sorted(candidateMemory.vectors)
      maximum = sorted[0]
      threshold = sorted[k &- 1]
      for rank in 0..<k {
        maxima = maxima &- (sorted[rank] .== maximum)
        ties = ties &- (sorted[rank] .== threshold)
      }
      ties = ties & (sorted[k] .== threshold)
    } else {
      maximum = self.maximum()
      (threshold, ties) = (few?.tile ?? self).bisect(k, from: lowest, to: maximum, rows: count)
      let all = count(atLeast: maximum), wanted = V.Integers(k)
      maxima = V.Integers.select(wanted .< all, wanted, all)
    }
    var lastTie = every
    let hasTies = (ties & V.Integers.first(count)).any
    for row in 0..<(hasTies ? count : 0) where ties[row] > 0 {
      var wanted = ties[row]
      var c = 0
      while c < classes {
        if input(row: row, class: c) == threshold[row] {
          wanted &-= 1
          if wanted == 0 { break }
        }
        c &+= 1
      }
      lastTie[row] = c
      if let few { remove(few, row: row, equalTo: threshold[row], after: c) }
    }
    return TopSelection(
      maximum: maximum, maxima: V(maxima), threshold: threshold, lastTie: lastTie, hasTies: hasTies,
      candidates: few)
  }

  /// The largest elements of each row, from the largest on, at the start of `memory`, which has room for twice so many;
  /// −inf behind them where rows are shorter, and for NaN.
  @inline(never) private func sorted(_ memory: UnsafeMutablePointer<V>) -> UnsafeMutablePointer<V> {
    var first = 0
    while first < classes {
      let block = first == 0 ? memory : memory + mostSorted
      if isAcross {
        load(block, mostSorted, Swift.min(mostSorted, classes &- first), first &* classStride, classStride, lanes: count)
      } else {
        for part in 0..<mostSorted / V.count {
          let c = first &+ part &* V.count
          let vectors = block + part &* V.count
          load(vectors, V.count, c < classes ? count : 0, c, classes, lanes: Swift.min(V.count, classes &- c))
          V.transpose(vectors)
        }
      }
      V.sort(block)
      if first > 0 { V.merge(memory, block) }
      first &+= mostSorted
    }
    return memory
  }

  /// Fills `count` vectors, the first of them with elements that lie `stride` apart, from `at` on.
  @inline(__always)
  private func load(
    _ vectors: UnsafeMutablePointer<V>, _ count: Int, _ loaded: Int, _ at: Int, _ stride: Int, lanes: Int
  ) {
    let start = arrays.first + at
    for n in 0..<loaded {
      // NaN is not the greater.
      vectors[n] = V.max(V.load(start + n &* stride, lanes: lanes, fill: -.infinity), -V.infinity)
    }
    for n in loaded..<count { vectors[n] = -V.infinity }
  }

  /// A threshold for each row that at least k elements reach, and, where there are more, the highest such; then `ties`
  /// says how many of the elements that equal it belong to the k (else it is 0).
  ///
  /// - Parameters:
  ///   - low: at least k elements reach it.
  ///   - high: the maximum.
  ///   - rows: the lanes that matter.
  @inline(never)
  func bisect(_ k: Int, from low: V, to high: V, rows: Int) -> (threshold: V, ties: V.Integers) {
    let wanted = V.Integers(k)
    let one = V.Integers(1)
    var low = low.orderedBits
    var high = high.orderedBits &+ one  // fewer than k reach it
    var above = V.Integers(0)  // how many reach `high`
    var done = ~V.Integers.first(rows)
    var step = 0
    while true {
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
