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

extension Double {
  /// The number that has this key.
  @inline(__always) init(ascendingKey key: UInt64) {
    let sign: UInt64 = 1 << 63
    self.init(bitPattern: key & sign != 0 ? key ^ sign : ~key)
  }
}

extension Int64 {
  /// An unsigned integer that orders as the number does.
  @inline(__always) var ascendingKey: UInt64 { UInt64(bitPattern: self) ^ (1 << 63) }
}

/// A key and the element it belongs to.
struct SortItem<Key: FixedWidthInteger & UnsignedInteger> {
  var key: Key
  var index: UInt32
}

/// The most elements that the sorting engine takes: indices are 32 bits wide.
let largestSortCount = Int(Int32.max)

/// Sorts up to `capacity` keys; the memory is the arena's.
struct Sorter<Key: FixedWidthInteger & UnsignedInteger> {
  typealias Item = SortItem<Key>
  /// What `sort` sorts: to be filled before each call.
  let items: UnsafeMutablePointer<Item>
  private let spare: UnsafeMutablePointer<Item>
  private let counts: UnsafeMutablePointer<UInt32>

  init(_ arena: inout Arena, capacity: Int) {
    items = arena.take(Item.self, capacity)
    spare = arena.take(Item.self, capacity)
    counts = arena.take(UInt32.self, 2048)
  }

  /// The elements 0 ..< count in ascending order of `key(element)`, equal keys in ascending order of the element.
  /// Valid until the next call.
  @inline(__always)
  func sorted(_ count: Int, _ key: (Int) -> Key) -> UnsafeMutablePointer<Item> {
    for i in 0..<count { items[i] = Item(key: key(i), index: UInt32(truncatingIfNeeded: i)) }
    return sort(count)
  }

  /// The first `count` of `items` in ascending order of their keys, equal keys in the order that they had. Valid until
  /// the next call.
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

  @inline(__always)
  private func radixSort(_ count: Int) -> UnsafeMutablePointer<Item> {
    var varying: Key = 0
    for i in 1..<count { varying |= items[i].key ^ items[0].key }
    let lowest = varying.trailingZeroBitCount
    let bits = Key.bitWidth &- varying.leadingZeroBitCount &- lowest
    // Narrow digits where clearing and summing 2048 counts would take longer than another pass.
    let widest = count < 3000 ? 8 : 11
    let passes = (bits &+ widest &- 1) / widest
    let width = (bits &+ passes &- 1) / passes
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
    return source
  }
}
