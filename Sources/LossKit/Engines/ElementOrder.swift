/// An order of elements by several keys: sorted by one after the other, the least important first.
struct ElementOrder {
  /// Place → element.
  private(set) var element: UnsafeMutablePointer<UInt32>
  private(set) var count = 0
  private var spare: UnsafeMutablePointer<UInt32>
  private let sorter: Sorter<UInt64>

  init(_ arena: inout Arena, capacity: Int) {
    element = arena.take(UInt32.self, capacity)
    spare = arena.take(UInt32.self, capacity)
    sorter = Sorter(&arena, capacity: capacity)
  }

  /// The elements 0 ..< count, in this order.
  @inline(__always)
  mutating func begin(_ count: Int) {
    self.count = count
    for i in 0..<count { element[i] = UInt32(truncatingIfNeeded: i) }
  }

  /// Sorts by the elements' keys, ascending; elements with equal keys stay in the order that they had.
  @inline(__always)
  mutating func sort(by key: (Int) -> UInt64) {
    let sorted = sorter.sorted(count) { key(Int(element[$0])) }
    for i in 0..<count { spare[i] = element[Int(sorted[i].index)] }
    swap(&element, &spare)
  }

  @inline(__always) subscript(_ place: Int) -> Int { Int(element[place]) }
}
