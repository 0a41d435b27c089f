/// Pool adjacent violators: neighbours in the wrong order are replaced by their common mean, until all are in order.
///
/// Samples come from left to right. Each is pooled once, and what is in order is not looked at again: linear time.
struct IsotonicBlocks {
  /// A run of samples with one fitted value.
  struct Block {
    /// Σ w v and Σ w.
    var sum, weight: Double
    /// Index of the last sample.
    var last: Int

    var mean: Double { sum / weight }

    /// Is its mean no less than that of the block to its right?
    @inline(__always) func violates(_ right: Block) -> Bool { sum * right.weight >= right.sum * weight }
  }

  /// The first is a border that nothing violates.
  private let blocks: UnsafeMutablePointer<Block>
  private var below = 0
  private var top = Block(sum: -.infinity, weight: 1, last: -1)

  /// - Parameter capacity: the most samples that may come.
  init(_ arena: inout Arena, capacity: Int) { blocks = arena.take(Block.self, capacity &+ 1) }

  /// Blocks so far, the last of which may still grow.
  var count: Int { below }

  subscript(_ index: Int) -> Block { index &+ 1 == below ? top : blocks[index &+ 1] }

  /// Adds a sample of weight > 0 at the right end.
  @inline(__always) mutating func add(sum: Double, weight: Double, index: Int) {
    let next = Block(sum: sum, weight: weight, last: index)
    if !top.violates(next) {
      blocks[below] = top
      below &+= 1
      top = next
      return
    }
    pool(next)
    while blocks[below &- 1].violates(top) {
      let right = top
      below &-= 1
      top = blocks[below]
      pool(right)
    }
  }

  @inline(__always) private mutating func pool(_ right: Block) {
    top.sum += right.sum
    top.weight += right.weight
    top.last = right.last
  }
}
