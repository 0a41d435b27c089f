/// A number to sort by, as an integer of the same order, and what goes with it.
struct SortItem {
  /// The bits of a double that is not negative: they are ordered as the doubles are.
  var key: UInt64
  var payload: Int64

  @inline(__always) init(_ number: Double, _ payload: Int64) {
    key = (number + 0).bitPattern  // −0 becomes 0
    self.payload = payload
  }

  @inline(__always) var number: Double { Double(bitPattern: key) }
}

/// Eight tables of 256 counters: what `stableSort` needs beside the second array.
let stableSortCounters = 8 * 256

/// Sorts by key, ascending, equal keys in their order: a radix sort that goes through the key's bytes from the lowest,
/// and skips those that are the same in all keys.
///
/// - Returns: `items` or `other`, whichever holds the result.
func stableSort(
  _ items: UnsafeMutablePointer<SortItem>, _ other: UnsafeMutablePointer<SortItem>, _ count: Int,
  counters: UnsafeMutablePointer<Int>
) -> UnsafeMutablePointer<SortItem> {
  counters.initialize(repeating: 0, count: stableSortCounters)
  for i in 0..<count {
    var key = items[i].key
    for byte in 0..<8 {
      counters[byte &* 256 &+ Int(key & 255)] &+= 1
      key >>= 8
    }
  }
  var from = items
  var to = other
  for byte in 0..<8 where count > 0 {
    let positions = counters + byte &* 256
    let shift = UInt64(byte &* 8)
    if positions[Int(from[0].key >> shift & 255)] == count { continue }
    var position = 0
    for value in 0..<256 {
      let here = positions[value]
      positions[value] = position
      position &+= here
    }
    for i in 0..<count {
      let item = from[i]
      let value = Int(item.key >> shift & 255)
      to[positions[value]] = item
      positions[value] &+= 1
    }
    swap(&from, &to)
  }
  return from
}
