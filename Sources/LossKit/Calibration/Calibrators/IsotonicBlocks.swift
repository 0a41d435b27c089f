/// Pool adjacent violators: neighbours in the wrong order are replaced by their common mean, until all are in order.
///
/// Samples come from left to right, and are pooled in two stages. Those of a chunk are joined with their neighbours in
/// passes without branches: whichever of two neighbours violate the order end up in one block, so all such pairs may be
/// joined at once. What is left goes on the stack of blocks, where each is compared with the block to its left.
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

    @inline(__always) mutating func join(_ right: Block) {
      sum += right.sum
      weight += right.weight
      last = right.last
    }
  }

  private static let chunkLength = 1024
  private let chunk: UnsafeMutablePointer<Block>
  private var filled = 0
  /// The first is a border that nothing violates.
  private let blocks: UnsafeMutablePointer<Block>
  private var below = 0
  private var top = Block(sum: -.infinity, weight: 1, last: -1)

  /// - Parameter capacity: the most samples that may come.
  init(_ arena: inout Arena, capacity: Int) {
    chunk = arena.take(Block.self, Self.chunkLength)
    blocks = arena.take(Block.self, capacity &+ 1)
  }

  /// Blocks, once all samples are in: the last one may stand for the border.
  var count: Int { below }

  subscript(_ index: Int) -> Block { index &+ 1 == below ? top : blocks[index &+ 1] }

  /// Writes the fitted value of every sample.
  @inline(__always) func expand<S: Scalar>(into output: UnsafeMutablePointer<S>, sign: Double = 1) {
    var first = 0
    for b in 0..<count {
      let block = self[b]
      let mean = S(sign * block.mean)
      for i in first...block.last { output[i] = mean }
      first = block.last &+ 1
    }
  }

  /// Adds a sample of weight > 0 at the right end.
  @inline(__always) mutating func add(sum: Double, weight: Double, index: Int) {
    chunk[filled] = Block(sum: sum, weight: weight, last: index)
    filled &+= 1
    if filled == Self.chunkLength { finish() }
  }

  /// Pools what has been added.
  @inline(never) mutating func finish() {
    var n = filled
    filled = 0
    var before = Int.max
    // Where most are in order, as in data that were sorted, another pass would be for nothing.
    while n > 16, n < before &- before / 8 {
      before = n
      n = joinNeighbours(n)
    }
    for i in 0..<n { push(chunk[i]) }
  }

  /// One pass over the first `n` of the chunk; gives how many are left.
  private func joinNeighbours(_ n: Int) -> Int {
    var joined = chunk[0]
    var here = chunk[0]
    var used = 0
    for i in 1..<n {
      let next = chunk[i]
      let isBorder = !here.violates(next)
      // A factor instead of a branch, of which nobody could foresee where it goes.
      let kept = Double(isBorder ? 0 : 1)
      chunk[used] = joined
      used &+= isBorder ? 1 : 0
      joined.sum = joined.sum * kept + next.sum
      joined.weight = joined.weight * kept + next.weight
      joined.last = next.last
      here = next
    }
    chunk[used] = joined
    return used &+ 1
  }

  private mutating func push(_ next: Block) {
    if !top.violates(next) {
      blocks[below] = top
      below &+= 1
      top = next
      return
    }
    top.join(next)
    while blocks[below &- 1].violates(top) {
      let right = top
      below &-= 1
      top = blocks[below]
      top.join(right)
    }
  }
}
