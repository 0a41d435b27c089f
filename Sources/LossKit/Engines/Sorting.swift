// Stable sorting of numbers with the index of the element each belongs to: least-significant-digit radix sort, which
// needs no comparisons and so has no bad inputs. Bits that are the same in all keys cost nothing.

extension Scalar {
  /// An unsigned integer that orders as the number does; −0 and 0 are equal. NaN has no place: callers reject it.
  @inline(__always) var ascendingKey: Bits {
    let bits = (self + 0).bitPattern  // −0 + 0 is 0
    let sign: Bits = 1 << (Bits.bitWidth &- 1)
    return bits & sign != 0 ? ~bits : bits | sign
  }
  /// The reverse order: "descending" is the stable ascending sort of this key.
  @inline(__always) var descendingKey: Bits { ~ascendingKey }
}

extension Scalar {
  /// The number that has this key.
  @inline(__always) init(ascendingKey key: Bits) {
    let sign: Bits = 1 << (Bits.bitWidth &- 1)
    self.init(bitPattern: key & sign != 0 ? key ^ sign : ~key)
  }
}

extension Int64 {
  /// An unsigned integer that orders as the number does.
  @inline(__always) var ascendingKey: UInt64 { UInt64(bitPattern: self) ^ (1 << 63) }
}

/// What can be sorted: it has a key.
protocol KeyedItem {
  associatedtype Key: FixedWidthInteger & UnsignedInteger
  var key: Key { get }
}

/// A key and the element it belongs to.
struct SortItem<Key: FixedWidthInteger & UnsignedInteger>: KeyedItem {
  var key: Key
  var index: UInt32
}

/// The most elements that the sorting engine takes: indices are 32 bits wide.
let largestSortCount = Int(Int32.max)

/// Sorts up to `capacity` keys; the memory is the arena's.
struct Sorter<Key: FixedWidthInteger & UnsignedInteger> {
  typealias Item = SortItem<Key>
  private let memory: RadixSort<Item>

  init(_ arena: inout Arena, capacity: Int) {
    memory = RadixSort(
      items: arena.take(Item.self, capacity), spare: arena.take(Item.self, capacity),
      counts: arena.take(UInt32.self, RadixSort<Item>.countsNeeded))
  }

  /// What `sort` sorts: to be filled before each call.
  var items: UnsafeMutablePointer<Item> { memory.items }

  /// The elements 0 ..< count in ascending order of `key(element)`, equal keys in ascending order of the element.
  /// Valid until the next call.
  @inline(__always)
  func sorted(_ count: Int, _ key: (Int) -> Key) -> UnsafeMutablePointer<Item> {
    for i in 0..<count { items[i] = Item(key: key(i), index: UInt32(truncatingIfNeeded: i)) }
    return sort(count)
  }

  /// The first `count` of `items` in ascending order of their keys, equal keys in the order that they had. Valid until
  /// the next call.
  func sort(_ count: Int) -> UnsafeMutablePointer<Item> { memory.sort(count) }
}

/// The sort itself, in memory that is given.
struct RadixSort<Item: KeyedItem> {
  typealias Key = Item.Key
  let items: UnsafeMutablePointer<Item>
  let spare: UnsafeMutablePointer<Item>
  let counts: UnsafeMutablePointer<UInt32>

  static var countsNeeded: Int { 2 * 2048 }

  /// - Returns: `items` or `spare`, wherever the sorted ones ended up.
  @inline(never)
  func sort(_ count: Int) -> UnsafeMutablePointer<Item> {
    var ascending = 1
    while ascending < count, items[ascending &- 1].key <= items[ascending].key { ascending &+= 1 }
    if ascending >= count { return items }
    if count <= 40 {
      insertionSort(count, from: ascending)
      return items
    }
    return radixSort(count)
  }

  /// - Parameter first: the items before it are in order.
  private func insertionSort(_ count: Int, from first: Int) {
    for i in first..<count {
      let item = items[i]
      var hole = i
      while hole > 0, items[hole &- 1].key > item.key {
        items[hole] = items[hole &- 1]
        hole &-= 1
      }
      items[hole] = item
    }
  }

  /// The most passes. Keys that vary in more bits, as those of float64 do, are sorted by the upper ones, and then each
  /// run of keys that these do not tell apart.
  private static var mostPasses: Int { 3 }

  @inline(__always)
  private func radixSort(_ count: Int) -> UnsafeMutablePointer<Item> {
    var varying: Key = 0
    for i in 1..<count { varying |= items[i].key ^ items[0].key }
    let end = Key.bitWidth &- varying.leadingZeroBitCount
    let bits = end &- varying.trailingZeroBitCount
    // Narrow digits where clearing and summing 2048 counts would take longer than another pass.
    let widest = count < 3000 ? 8 : 11
    let passes = min((bits &+ widest &- 1) / widest, Self.mostPasses)
    let width = min((bits &+ passes &- 1) / passes, widest)
    let lowest = max(end &- passes &* width, 0)
    let mask = Key(truncatingIfNeeded: (1 &<< width) &- 1)
    var source = items
    var target = spare
    for pass in 0..<passes {
      let shift = Key(truncatingIfNeeded: lowest &+ pass &* width)
      counts.update(repeating: 0, count: 1 &<< width)
      for i in 0..<count { counts[Int(truncatingIfNeeded: (source[i].key &>> shift) & mask)] &+= 1 }
      var sum: UInt32 = 0
      for value in 0..<(1 &<< width) {
        let here = counts[value]
        counts[value] = sum
        sum &+= here
      }
      for i in 0..<count {
        let item = source[i]
        let value = Int(truncatingIfNeeded: (item.key &>> shift) & mask)
        target[Int(counts[value])] = item
        counts[value] &+= 1
      }
      swap(&source, &target)
    }
    if bits > passes &* width { sortRuns(source, target, count, below: lowest) }
    return source
  }

  /// Sorts each run of `source` in which the keys differ below `border` only.
  private func sortRuns(
    _ source: UnsafeMutablePointer<Item>, _ spare: UnsafeMutablePointer<Item>, _ count: Int, below border: Int
  ) {
    let border = Key(truncatingIfNeeded: border)
    var start = 0
    while start < count {
      let upper = source[start].key &>> border
      var end = start &+ 1
      while end < count, source[end].key &>> border == upper { end &+= 1 }
      if end &- start > 1 {
        let run = source + start
        let sorted = RadixSort(items: run, spare: spare + start, counts: counts).sort(end &- start)
        if sorted != run { run.update(from: sorted, count: end &- start) }
      }
      start = end
    }
  }
}
