/// Pool adjacent violators: neighbours in the wrong order are replaced by their common mean, until all are in order.
///
/// Samples come from left to right, and are pooled in two stages. Those of a chunk are joined with their neighbours in
/// passes over vectors, without branches: whichever of two neighbours violate the order end up in one block, so all such
/// pairs may be joined at once. What is left goes on the stack of blocks, where each is compared with the block to its
/// left.
struct IsotonicBlocks {
  /// A run of samples with one fitted value.
  struct Block {
    /// Σ w v and Σ w.
    var sum, weight: Double
    /// Index of the last sample.
    var last: Int

    var mean: Double { sum / weight }

    /// Is its mean no less than that of the block to its right?
    @inline(__always) func violates(_ right: Block) -> Bool {
      let product = sum * right.weight
      return right.sum * weight <= product + product.magnitude * Self.closeness
    }

    /// Means that differ by less, relative to their size, are equal: sums of ties are not exact.
    static var closeness: Double { 0x1p-46 }

    @inline(__always) mutating func join(_ right: Block) {
      sum += right.sum
      weight += right.weight
      last = right.last
    }
  }

  private static let chunkLength = 1024
  /// Behind a place for the block to the left of the chunk.
  private let chunk: IsotonicColumns
  private var filled = 0
  /// Do all samples have weight 1?
  private let areEqual: Bool
  /// Behind a border that violates nothing: its mean is −1/0.
  private let blocks: IsotonicColumns
  /// Blocks, once all samples are in.
  private(set) var count = 0

  /// - Parameters:
  ///   - capacity: the most samples that may come.
  ///   - areEqual: all samples will have weight 1, which saves work.
  init(_ arena: inout Arena, capacity: Int, areEqual: Bool = false) {
    self.areEqual = areEqual
    chunk = IsotonicColumns(&arena, capacity: Self.chunkLength)
    blocks = IsotonicColumns(&arena, capacity: capacity)
  }

  subscript(_ index: Int) -> Block { blocks[index] }

  /// Writes the fitted value of every sample.
  @inline(__always) func expand<S: Scalar>(into output: UnsafeMutablePointer<S>, sign: Double = 1) {
    typealias V = S.Vector
    if count == 0 { return }
    let end = blocks[count &- 1].last &+ 1
    var means = VectorTile<V>()
    means.withPointer { means in
      let mean = UnsafeMutableRawPointer(means).assumingMemoryBound(to: S.self)
      var first = 0
      forEachVector(V.self, 0..<count) { b, n in
        // What lies behind the last block is room that columns have, and is not stored.
        let low = DoubleLanes(sign) * blocks.means(b)
        means[0] = V(low, V.count > 8 ? DoubleLanes(sign) * blocks.means(b &+ 8) : low)
        if blocks[b &+ n &- 1].last &+ 1 &- first == n {
          means[0].store(output + first, lanes: n)
          first &+= n
          return
        }
        for i in 0..<n {
          let next = blocks[b &+ i].last &+ 1
          let value = V(mean[i])
          // Vectors may reach into the next blocks, which are written later.
          while first < next {
            value.store(output + first, lanes: min(V.count, end &- first))
            first &+= V.count
          }
          first = next
        }
      }
    }
  }

  /// Adds a sample of weight > 0 at the right end.
  @inline(__always) mutating func add(sum: Double, weight: Double, index: Int) {
    chunk[filled] = Block(sum: sum, weight: weight, last: index)
    filled &+= 1
    if filled == Self.chunkLength { finish() }
  }

  /// Adds samples index ..< index + n. Only the last ones may be less than eight.
  @inline(__always) mutating func add(sums: DoubleLanes, weights: DoubleLanes, index: Int, count n: Int) {
    sums.store(chunk.sum + filled)
    weights.store(chunk.weight + filled)
    DoubleLanes(bits: DoubleLanes.Integers(index) &+ .indices).store(chunk.last + filled)
    filled &+= n
    if filled == Self.chunkLength { finish() }
  }

  /// Pools what has been added.
  @inline(never) mutating func finish() {
    var n = filled
    filled = 0
    var before = Int.max
    // Where most are in order, as in data that were sorted, another pass would be for nothing.
    while n > 16, n < before &- before / 8 {
      let isFirst = before == Int.max
      before = n
      n = joinNeighbours(n, areEqual: areEqual && isFirst)
    }
    var top = count == 0 ? Block(sum: -1, weight: 0, last: -1) : blocks[count &- 1]
    chunk[-1] = top
    var i = 0
    while i < n {
      if i &+ 8 <= n, !chunk.violations(i &- 1).any {
        blocks[count &- 1] = top
        blocks.setEight(count, chunk, i)
        count &+= 8
        i &+= 8
        top = chunk[i &- 1]
      } else {
        let stop = min(i &+ 8, n)
        while i < stop {
          push(chunk[i], on: &top)
          i &+= 1
        }
        chunk[i &- 1] = top
      }
    }
    blocks[count &- 1] = top
  }

  /// One pass over the first `n` of the chunk; gives how many are left.
  ///
  /// - Parameter areEqual: all have weight 1.
  private func joinNeighbours(_ n: Int, areEqual: Bool) -> Int {
    let end = (n &+ 63) & ~63
    // A mean of 1/0 is violated by nothing.
    for i in n..<end { chunk[i] = Block(sum: 1, weight: 0, last: 0) }
    var used = 0
    var start = 0
    while start < end {
      used =
        areEqual && start &+ 64 <= n
        ? joinTile(start, used, areEqual: true) : joinTile(start, used, areEqual: false)
      start &+= 64
    }
    return used
  }

  /// Eight rows of eight blocks: each lane walks through its own row. What is left goes to `used` and behind.
  @inline(__always) private func joinTile(_ start: Int, _ used: Int, areEqual: Bool) -> Int {
    typealias V = DoubleLanes
    return withUnsafeTemporaryAllocation(of: V.self, capacity: 16) { tile in
      let sums = tile.baseAddress!
      let weights = sums + 8
      for row in 0..<8 {
        sums[row] = V.load(chunk.sum + (start &+ 8 &* row))
        weights[row] = areEqual ? V.one : V.load(chunk.weight + (start &+ 8 &* row))
      }
      V.transpose(sums)
      V.transpose(weights)
      var (sum, weight) = (sums[0], weights[0])
      var (joinedSum, joinedWeight) = (sum, weight)
      for column in 1..<8 {
        let (nextSum, nextWeight) = (sums[column], weights[column])
        let violates = IsotonicColumns.violates(sum, weight, nextSum, nextWeight)
        sums[column &- 1] = joinedSum
        // A weight of 0 says that no block ends here.
        weights[column &- 1] = V.select(violates, V.zero, joinedWeight)
        joinedSum = nextSum + V.select(violates, joinedSum, V.zero)
        joinedWeight = nextWeight + V.select(violates, joinedWeight, V.zero)
        (sum, weight) = (nextSum, nextWeight)
      }
      sums[7] = joinedSum
      weights[7] = joinedWeight
      V.transpose(sums)
      V.transpose(weights)
      var used = used
      for row in 0..<8 {
        let (sum, weight, last) = (sums[row], weights[row], V.load(chunk.last + (start &+ 8 &* row)))
        let ends = V.zero .< weight
        _ = sum.compress(ends, chunk.sum + used)
        _ = weight.compress(ends, chunk.weight + used)
        used &+= last.compress(ends, chunk.last + used)
      }
      return used
    }
  }

  @inline(__always) private mutating func push(_ next: Block, on top: inout Block) {
    if !top.violates(next) {
      blocks[count &- 1] = top
      count &+= 1
      top = next
      return
    }
    top.join(next)
    while blocks[count &- 2].violates(top) {
      let right = top
      count &-= 1
      top = blocks[count &- 1]
      top.join(right)
    }
  }
}

/// Blocks in columns, with room for eight more before and behind them.
private struct IsotonicColumns {
  let sum, weight: UnsafeMutablePointer<Double>
  /// The bits are those of an integer, so that all columns are of one kind.
  let last: UnsafeMutablePointer<Double>

  init(_ arena: inout Arena, capacity: Int) {
    sum = arena.take(Double.self, capacity &+ 24) + 8
    weight = arena.take(Double.self, capacity &+ 24) + 8
    last = arena.take(Double.self, capacity &+ 24) + 8
  }

  @inline(__always) subscript(_ i: Int) -> IsotonicBlocks.Block {
    get { IsotonicBlocks.Block(sum: sum[i], weight: weight[i], last: Int(truncatingIfNeeded: last[i].bitPattern)) }
    nonmutating set {
      sum[i] = newValue.sum
      weight[i] = newValue.weight
      last[i] = Double(bitPattern: UInt64(truncatingIfNeeded: newValue.last))
    }
  }

  /// Sets eight blocks to those of other columns.
  @inline(__always) func setEight(_ i: Int, _ other: IsotonicColumns, _ j: Int) {
    DoubleLanes.load(other.sum + j).store(sum + i)
    DoubleLanes.load(other.weight + j).store(weight + i)
    DoubleLanes.load(other.last + j).store(last + i)
  }

  /// Of eight blocks.
  @inline(__always) func means(_ i: Int) -> DoubleLanes { DoubleLanes.load(sum + i) / DoubleLanes.load(weight + i) }

  /// Which of eight blocks violate the order with the block to their right.
  @inline(__always) func violations(_ i: Int) -> DoubleLanes.Integers {
    Self.violates(
      .load(sum + i), .load(weight + i), .load(sum + (i &+ 1)), .load(weight + (i &+ 1)))
  }

  /// As `Block.violates`.
  @inline(__always) static func violates(
    _ sum: DoubleLanes, _ weight: DoubleLanes, _ rightSum: DoubleLanes, _ rightWeight: DoubleLanes
  ) -> DoubleLanes.Integers {
    let product = sum * rightWeight
    return rightSum * weight .<= .fma(product.magnitude, DoubleLanes(IsotonicBlocks.Block.closeness), product)
  }
}
