// Stable sorting of numbers with the index of the element each belongs to: least-significant-digit radix sort, which
// needs no comparisons and so has no bad inputs. Digits that are the same in all keys cost nothing.

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
  @inline(never)
  func sort(_ count: Int) -> UnsafeMutablePointer<Item> { memory.sort(count, bits: Key.bitWidth) }
}

/// The sort itself, in memory that is given.
struct RadixSort<Item: KeyedItem> {
  typealias Key = Item.Key
  let items: UnsafeMutablePointer<Item>
  let spare: UnsafeMutablePointer<Item>
  let counts: UnsafeMutablePointer<UInt32>

  static var countsNeeded: Int { 2048 * ((Key.bitWidth + 10) / 11) }

  /// - Parameter bits: all keys are below 2^bits. A constant is worth inlining: passes over digits are unrolled.
  /// - Returns: `items` or `spare`, wherever the sorted ones ended up.
  @inline(__always)
  func sort(_ count: Int, bits: Int) -> UnsafeMutablePointer<Item> {
    var ascending = 1
    while ascending < count, items[ascending &- 1].key <= items[ascending].key { ascending &+= 1 }
    if ascending >= count { return items }
    if count <= 40 {
      insertionSort(count, from: ascending)
      return items
    }
    // Narrow digits where clearing and summing 2048 counts would take longer than another pass: a count takes about
    // three fifths of the time of an item.
    let narrow = ((bits &+ 7) >> 3) &* (count &+ 150)
    let wide = ((bits &+ 10) / 11) &* (count &+ 1200)
    return narrow < wide ? radixSort(count, bits, digit: 8) : radixSort(count, bits, digit: 11)
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
  private func radixSort(_ count: Int, _ bits: Int, digit width: Int) -> UnsafeMutablePointer<Item> {
    let digits = (bits &+ width &- 1) / width
    let size = 1 << width
    let mask = Key(truncatingIfNeeded: size &- 1)
    counts.update(repeating: 0, count: digits &* size)
    for i in 0..<count {
      let key = items[i].key
      for digit in 0..<digits {
        counts[digit &* size &+ Int(truncatingIfNeeded: (key &>> Key(truncatingIfNeeded: digit &* width)) & mask)] &+= 1
      }
    }
    var source = items
    var target = spare
    for digit in 0..<digits {
      let places = counts + digit &* size
      let shift = Key(truncatingIfNeeded: digit &* width)
      if Int(places[Int(truncatingIfNeeded: (source[0].key &>> shift) & mask)]) == count { continue }
      var sum: UInt32 = 0
      for value in 0..<size {
        let here = places[value]
        places[value] = sum
        sum &+= here
      }
      for i in 0..<count {
        let item = source[i]
        let value = Int(truncatingIfNeeded: (item.key &>> shift) & mask)
        target[Int(places[value])] = item
        places[value] &+= 1
      }
      swap(&source, &target)
    }
    return source
  }
}
