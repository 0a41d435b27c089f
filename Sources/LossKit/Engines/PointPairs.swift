// Pairs of points: the distance of each of N points to each of V others, what becomes of it, and the gradients.
//
//   distances      eight points (lanes) to one other at a time: δ[v], a vector for each other point
//   a consumer     turns a block's δ into outputs and into dL/dδ; its own matter altogether
//   gradients      Σ dL/dδ · ∂δ/∂own, for the first points as the own ones, then for the second: distances are
//                  symmetric, so that a formula states one derivative and the engine swaps the roles
//
// The first points pass in chunks, so that memory does not grow with N · V. All sums run over the points in their order,
// in double, so that neither chunks nor threads change a bit.

/// Eight points and one other, coordinate by coordinate.
struct PointPair {
  typealias V = DoubleLanes
  let own: UnsafeMutablePointer<V>
  let other: UnsafePointer<Double>
  let coordinates: Int

  @inline(__always) func own(_ i: Int) -> V { own[i] }
  @inline(__always) func other(_ i: Int) -> V { V(other[i &* V.count]) }

  /// The sum of `term` over the coordinates.
  @inline(__always) func sum(_ term: (V, V) -> V) -> V { sum { i in term(own(i), other(i)) } }

  /// The same of terms that take a coordinate's number. In four running sums: one would wait for itself.
  @inline(__always) func sum(_ term: (Int) -> V) -> V {
    var s0 = V.zero, s1 = V.zero, s2 = V.zero, s3 = V.zero
    var i = 0
    while i &+ 4 <= coordinates {
      s0 = s0 + term(i)
      s1 = s1 + term(i &+ 1)
      s2 = s2 + term(i &+ 2)
      s3 = s3 + term(i &+ 3)
      i &+= 4
    }
    while i < coordinates {
      s0 = s0 + term(i)
      i &+= 1
    }
    return (s0 + s1) + (s2 + s3)
  }

  /// The maximum of `value` over the coordinates, and where it stands first; NaN where one of the values is.
  @inline(__always) func maximum(_ value: (V, V) -> V) -> (value: V, index: V) {
    var best = value(own(0), other(0))
    var index = V.zero
    var sum = best
    for i in 1..<Swift.max(1, coordinates) {
      let x = value(own(i), other(i))
      let isMore = best .< x
      best = V.select(isMore, x, best)
      index = V.select(isMore, V(Double(i)), index)
      sum = sum + x
    }
    return (V.select(sum.isNaN, V.nan, best), index)
  }
}

/// A symmetric distance of points.
protocol PointDistance {
  /// What the derivative needs to know of a pair.
  associatedtype Slope
  typealias V = DoubleLanes
  func distance(_ pair: PointPair) -> V
  /// c = dL/dδ, times what the derivative has as a factor that follows from δ.
  func coefficient(_ c: V, _ distance: V) -> V
  /// - Parameter c: what `coefficient` gave; it has to be part of the slope.
  func slope(_ pair: PointPair, _ c: V) -> Slope
  /// dL/d own_i
  func derivative(_ own: V, _ other: V, _ i: Int, _ slope: Slope) -> V
}

extension PointDistance {
  @inline(__always) func coefficient(_ c: V, _ distance: V) -> V { c }
}

extension PointDistance where Slope == V {
  @inline(__always) func slope(_ pair: PointPair, _ c: V) -> V { c }
}

/// `δ = Σ_i d_i² + offset`, d = own − other
struct SquaredDistance: PointDistance {
  var offset = V.zero
  @inline(__always) func distance(_ pair: PointPair) -> V {
    pair.sum { own, other in
      let d = own - other
      return d * d
    } + offset
  }
  @inline(__always) func coefficient(_ c: V, _ distance: V) -> V { c + c }
  @inline(__always) func derivative(_ own: V, _ other: V, _ i: Int, _ c: V) -> V { c * (own - other) }
}

/// The distances of a block of the first points.
struct DistanceBlock {
  typealias V = DoubleLanes
  /// The block's points, and how many there are: lanes behind them do not count.
  let first, count: Int
  /// A vector for each other point.
  let distances: UnsafeMutablePointer<V>
  /// For dL/dδ, if gradients are wanted, and before that for any purpose; also where there are fewer others, it has
  /// room for `DistanceConsumer.room` vectors.
  let coefficients: UnsafeMutablePointer<V>
  let others: Int
}

/// What becomes of distances.
protocol DistanceConsumer {
  var needsDistances: Bool { get }
  var room: Int { get }
  func consume(_ block: DistanceBlock)
}

extension DistanceConsumer {
  var needsDistances: Bool { true }
  var room: Int { 0 }
}

/// All pairs of two lists of points.
struct PointPairs {
  typealias V = DoubleLanes
  let first, second: PackedPoints
  /// Where a gradient is wanted.
  let firstGradient, secondGradient: PackedPoints?
  private let distances, coefficients: UnsafeMutablePointer<V>
  /// Vectors that the coefficients of a block take.
  private let row: Int
  /// Blocks of the first points in a chunk.
  private let chunk: Int

  /// - Parameter stride: see `PackedPoints.stride`.
  init(
    _ arena: inout Arena, _ firstCount: Int, _ secondCount: Int, _ coordinates: Int, stride: Int? = nil,
    firstGradient: Bool = false, secondGradient: Bool = false, room: Int = 0
  ) {
    first = PackedPoints(&arena, firstCount, coordinates, stride: stride)
    second = PackedPoints(&arena, secondCount, coordinates, stride: stride)
    self.firstGradient = firstGradient ? PackedPoints(&arena, firstCount, coordinates) : nil
    self.secondGradient = secondGradient ? PackedPoints(&arena, secondCount, coordinates) : nil
    row = Swift.max(second.blocks &* V.count, room)
    chunk = Swift.min(first.blocks, Swift.max(2, (1 << 16) / Swift.max(1, row)))
    distances = arena.take(V.self, chunk &* row)
    coefficients = arena.take(V.self, chunk &* row)
  }

  func run<D: PointDistance, C: DistanceConsumer>(_ distance: D, _ consumer: C) {
    firstGradient?.clear()
    secondGradient?.clear()
    var start = 0
    while start < first.blocks {
      let blocks = start..<Swift.min(start &+ chunk, first.blocks)
      if consumer.needsDistances { takeDistances(distance, blocks) }
      consume(consumer, blocks)
      if firstGradient != nil || secondGradient != nil { addGradients(distance, blocks) }
      start = blocks.upperBound
    }
  }

  // A function for each of the two types: together they would be compiled for each pair of types.

  @inline(never) private func takeDistances<D: PointDistance>(_ distance: D, _ blocks: Range<Int>) {
    forEachBlock(blocks, DistancesJob(pairs: self, distance: distance, start: blocks.lowerBound))
  }

  @inline(never) private func consume<C: DistanceConsumer>(_ consumer: C, _ blocks: Range<Int>) {
    forEachBlock(blocks, ConsumerJob(pairs: self, consumer: consumer, start: blocks.lowerBound))
  }

  @inline(never) private func addGradients<D: PointDistance>(_ distance: D, _ blocks: Range<Int>) {
    forEachBlock(blocks, CoefficientsJob(pairs: self, distance: distance, start: blocks.lowerBound))
    if let firstGradient {
      let job = GradientJob(pairs: self, distance: distance, chunk: blocks, gradient: firstGradient, isFirst: true)
      forEachBlock(blocks, job)
    }
    if let secondGradient {
      let job = GradientJob(pairs: self, distance: distance, chunk: blocks, gradient: secondGradient, isFirst: false)
      forEachBlock(0..<second.blocks, job)
    }
  }

  @inline(__always) private func forEachBlock<Job: BlockJob>(_ blocks: Range<Int>, _ job: Job) {
    let work = V.count &* Swift.max(1, second.count) &* Swift.max(1, first.coordinates)
    let split = Split(blocks.count, smallest: smallestElementwisePart / work)
    parallel(split.parts, BlocksJob(job: job, first: blocks.lowerBound, split: split))
  }

  /// The distances and coefficients of a block of the chunk that begins with block `start`.
  @inline(__always) func block(_ number: Int, _ start: Int) -> DistanceBlock {
    let at = (number &- start) &* row
    return DistanceBlock(
      first: number &* V.count, count: first.points(inBlock: number), distances: distances + at,
      coefficients: coefficients + at, others: second.count)
  }
}

private protocol BlockJob {
  func run(block: Int)
}

private struct BlocksJob<Job: BlockJob>: ParallelJob {
  let job: Job
  let first: Int
  let split: Split
  @inline(__always) func run(part: Int) {
    for block in split.range(part) { job.run(block: first &+ block) }
  }
}

private struct DistancesJob<D: PointDistance>: BlockJob {
  let pairs: PointPairs
  let distance: D
  let start: Int
  @inline(__always) func run(block number: Int) {
    let distances = pairs.block(number, start).distances
    let own = pairs.first.block(number)
    for other in 0..<pairs.second.count {
      distances[other] = distance.distance(
        PointPair(own: own, other: pairs.second.point(other), coordinates: pairs.first.coordinates))
    }
  }
}

private struct ConsumerJob<C: DistanceConsumer>: BlockJob {
  let pairs: PointPairs
  let consumer: C
  let start: Int
  @inline(__always) func run(block number: Int) { consumer.consume(pairs.block(number, start)) }
}

private struct CoefficientsJob<D: PointDistance>: BlockJob {
  let pairs: PointPairs
  let distance: D
  let start: Int
  /// Lanes and vectors that stand for no point get 0.
  @inline(__always) func run(block number: Int) {
    let block = pairs.block(number, start)
    let isPoint = DoubleLanes.Integers.first(block.count)
    for other in 0..<block.others {
      let c = distance.coefficient(block.coefficients[other], block.distances[other])
      block.coefficients[other] = DoubleLanes.select(isPoint, c, DoubleLanes.zero)
    }
    for other in block.others..<pairs.second.blocks &* DoubleLanes.count {
      block.coefficients[other] = DoubleLanes.zero
    }
  }
}

private struct GradientJob<D: PointDistance>: BlockJob {
  typealias V = DoubleLanes
  let pairs: PointPairs
  let distance: D
  let chunk: Range<Int>
  let gradient: PackedPoints
  let isFirst: Bool

  @inline(__always) func run(block number: Int) {
    let sum = gradient.block(number)
    if isFirst {
      let coefficients = pairs.block(number, chunk.lowerBound).coefficients
      for other in 0..<pairs.second.count {
        add(pairs.first.block(number), pairs.second.point(other), coefficients[other], sum)
      }
      return
    }
    var scratch = VectorTile<V>()
    scratch.withPointer { tile in
      for block in chunk {
        let others = pairs.block(block, chunk.lowerBound)
        // The coefficients with the roles swapped: a lane for each point of the second list.
        for lane in 0..<V.count { tile[lane] = others.coefficients[number &* V.count &+ lane] }
        V.transpose(tile)
        for other in 0..<others.count {
          add(pairs.second.block(number), pairs.first.point(others.first &+ other), tile[other], sum)
        }
      }
    }
  }

  /// What has no share in the result, such as distances beyond a limit, adds 0 even where its derivative is not finite.
  @inline(__always)
  private func add(
    _ own: UnsafeMutablePointer<V>, _ other: UnsafePointer<Double>, _ c: V, _ sum: UnsafeMutablePointer<V>
  ) {
    let counts = c .!= V.zero
    if !counts.any { return }
    let pair = PointPair(own: own, other: other, coordinates: gradient.coordinates)
    let slope = distance.slope(pair, c)
    for i in 0..<pair.coordinates {
      sum[i] = sum[i] + V.select(counts, distance.derivative(pair.own(i), pair.other(i), i, slope), V.zero)
    }
  }
}
