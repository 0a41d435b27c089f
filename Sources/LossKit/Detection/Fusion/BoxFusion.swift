/// What a way of fusing boxes states; `BoxFusion` finds the clusters.
protocol BoxFusionMethod {
  /// Is a box compared with the fused box of a cluster, or with its first one?
  var followsFusedBox: Bool { get }
  /// Does the score depend on which models a cluster's boxes come from?
  var countsModels: Bool { get }
  /// The weights of models are divided by it.
  var weightUnit: Double { get }
  /// What a box counts in the fused one, the mean of the cluster's boxes. `overlap` is that with the box compared with.
  func share(_ confidence: Double, _ overlap: Double) -> Double
  func score(_ cluster: BoxCluster) -> Double
}

/// Boxes of one label that become one.
struct BoxCluster {
  let label: Int64
  /// The confidence of the first box, which is the highest; and the sum of all.
  let highest: Double
  fileprivate(set) var sum = 0.0
  fileprivate(set) var count = 0
  /// The weights of the models of the boxes: each counted for every box, and each counted once.
  fileprivate(set) var weight = 0.0
  fileprivate(set) var distinctWeight = 0.0
  /// Σ share · box, Σ share, and the fused box.
  fileprivate var boxes = SIMD4<Double>(repeating: 0)
  fileprivate var share = 0.0
  fileprivate(set) var box = SIMD4<Double>(repeating: 0)
  fileprivate let place: Int
  /// The rank of the box that joined last.
  fileprivate var last = UInt32.max

  fileprivate init(_ label: Int64, _ highest: Double, _ place: Int) {
    self.label = label
    self.highest = highest
    self.place = place
  }
}

/// Clusters of boxes: in descending order of confidence (score times the model's weight) a box joins the cluster of its
/// label that it overlaps most, if by more than the threshold; else it founds one.
struct BoxFusion<Method: BoxFusionMethod> {
  let clusters: UnsafeMutablePointer<BoxCluster>
  private(set) var count = 0
  private let method: Method
  private let models: FusionModels
  /// The boxes that are not dropped: which input each is, and its confidence.
  private let source: UnsafeMutablePointer<UInt32>
  private let confidence: UnsafeMutablePointer<Double>
  /// Rank → box that is not dropped, by label and confidence.
  private var order: ElementOrder
  /// By rank: the boxes, and which joined the same cluster before.
  private let boxes: BoxColumns<Double>
  private let previous: UnsafeMutablePointer<UInt32>
  /// The boxes that clusters of a label are compared by, each at the place of its founder in the spatial order.
  private var tree: BoxRangeTree
  private var spatial: SpatialOrder
  private let place, clusterAtPlace: UnsafeMutablePointer<UInt32>
  private let overlaps: UnsafeMutablePointer<Double>
  /// By model: the number, from 1 on, of the last cluster that has a box of it.
  private let lastCluster: UnsafeMutablePointer<UInt32>

  /// Below this many boxes of a label their spatial order is not worth building.
  private static var smallestOrdered: Int { 64 }

  init(_ arena: inout Arena, capacity: Int, _ method: Method, _ models: FusionModels) {
    self.method = method
    self.models = models
    clusters = arena.take(BoxCluster.self, capacity)
    source = arena.take(UInt32.self, capacity)
    confidence = arena.take(Double.self, capacity)
    order = ElementOrder(&arena, capacity: capacity)
    boxes = BoxColumns(&arena, capacity: capacity)
    previous = arena.take(UInt32.self, capacity)
    tree = BoxRangeTree(&arena, capacity: capacity)
    spatial = SpatialOrder(&arena, capacity: capacity, tile: DoubleLanes.count)
    place = arena.take(UInt32.self, capacity)
    clusterAtPlace = arena.take(UInt32.self, capacity)
    overlaps = arena.take(Double.self, DoubleLanes.count)
    lastCluster = arena.take(UInt32.self, method.countsModels ? models.count : 0)
  }

  /// Makes the clusters; false if a confidence is NaN (an infinite score of a model whose weight is 0).
  mutating func run<S: Scalar>(_ input: FusionInput<S>) -> Bool {
    guard let scores = input.scores, let labels = input.labels, let model = input.models else { return false }
    let (source, confidence) = (source, confidence)
    var kept = 0
    for i in 0..<input.count {
      let score = scores[i].double
      if score < input.skipBoxThreshold || input.box(i) == nil { continue }
      source[kept] = UInt32(truncatingIfNeeded: i)
      confidence[kept] = score * (models.weight(Int(model[i])) / method.weightUnit)
      if confidence[kept] != confidence[kept] { return false }
      kept &+= 1
    }
    order.begin(kept)
    order.sort { confidence[$0].descendingKey }
    order.sort { labels[Int(source[$0])].ascendingKey }
    for rank in 0..<kept { boxes.set(rank, input.box(Int(source[order[rank]])) ?? SIMD4(repeating: 0)) }
    boxes.computeAreas(kept, offset: 0)

    var first = 0
    while first < kept {
      let label = labels[Int(source[order[first]])]
      var end = first &+ 1
      while end < kept, labels[Int(source[order[end]])] == label { end &+= 1 }
      assignPlaces(first..<end)
      let firstCluster = count
      for rank in first..<end {
        let candidate = order[rank]
        let weight = models.weight(Int(model[Int(source[candidate])]))
        join(rank, Int(place[rank &- first]), label, confidence[candidate], weight, input.iouThreshold)
      }
      if method.countsModels { countModels(of: firstCluster..<count) { Int(model[Int(source[order[$0]])]) } }
      first = end
    }
    return true
  }

  /// Gives the boxes of a label their places, and empties them.
  private mutating func assignPlaces(_ group: Range<Int>) {
    tree.clear(group.count)
    for i in 0..<group.count { place[i] = UInt32(truncatingIfNeeded: i) }
    guard group.count >= Self.smallestOrdered else { return }
    let (boxes, first) = (boxes, group.lowerBound)
    spatial.build(group.count) { i in
      let x = Float(boxes.x1[first &+ i] + boxes.x2[first &+ i])
      let y = Float(boxes.y1[first &+ i] + boxes.y2[first &+ i])
      return (x == x ? x : 0, y == y ? y : 0)
    }
    for i in 0..<group.count { place[Int(spatial.box[i])] = UInt32(truncatingIfNeeded: i) }
  }

  private mutating func join(
    _ rank: Int, _ place: Int, _ label: Int64, _ confidence: Double, _ weight: Double, _ threshold: Double
  ) {
    let box = SIMD4(boxes.x1[rank], boxes.y1[rank], boxes.x2[rank], boxes.y2[rank])
    var (index, overlap) = closest(rank, threshold)
    let isNew = index < 0
    if isNew {
      index = count
      count &+= 1
      clusters[index] = BoxCluster(label, confidence, place)
      clusterAtPlace[place] = UInt32(truncatingIfNeeded: index)
      let area = boxes.area[rank]
      overlap = area / (area + area - area)  // with itself: 1, but NaN where the area is not finite
      tree.set(place, box)
    }
    let cluster = clusters + index
    previous[rank] = cluster.pointee.last
    cluster.pointee.last = UInt32(truncatingIfNeeded: rank)
    cluster.pointee.sum += confidence
    cluster.pointee.weight += weight
    cluster.pointee.count &+= 1
    let share = method.share(confidence, overlap)
    cluster.pointee.boxes += share * box
    cluster.pointee.share += share
    let fused = cluster.pointee.boxes / cluster.pointee.share
    cluster.pointee.box = isNew && method.followsFusedBox ? box : fused
    if !isNew, method.followsFusedBox { tree.set(cluster.pointee.place, fused) }
  }

  /// The cluster that a box overlaps most, of equals the first, and by how much; −1 where none exceeds the threshold.
  private func closest(_ rank: Int, _ threshold: Double) -> (cluster: Int, overlap: Double) {
    var (cluster, most) = (-1, threshold)
    guard boxes.area[rank] == boxes.area[rank] else { return (cluster, most) }
    let range = BoxRange(boxes.broadcast(rank), exceeding: threshold)
    tree.forEachVector(in: range) { first in
      let overlap = range.box.intersectionOverUnion(with: tree.boxes.load(first))
      var bits = (overlap .>= DoubleLanes(most)).maskBits
      if bits == 0 { return }
      overlap.store(overlaps)
      while bits != 0 {
        let lane = bits.trailingZeroBitCount
        bits &= bits &- 1
        let candidate = Int(clusterAtPlace[first &+ lane])
        if overlaps[lane] > most || (overlaps[lane] == most && candidate < cluster) {
          (cluster, most) = (candidate, overlaps[lane])
        }
      }
    }
    return (cluster, most)
  }

  /// Sums the weights of the models that clusters have boxes of.
  @inline(__always)
  private func countModels(of clusters: Range<Int>, _ model: (Int) -> Int) {
    if clusters.lowerBound == 0 { lastCluster.update(repeating: 0, count: models.count) }
    for index in clusters {
      var rank = self.clusters[index].last
      while rank != .max {
        let model = model(Int(rank))
        if lastCluster[model] != UInt32(truncatingIfNeeded: index &+ 1) {
          lastCluster[model] = UInt32(truncatingIfNeeded: index &+ 1)
          self.clusters[index].distinctWeight += models.weight(model)
        }
        rank = previous[Int(rank)]
      }
    }
  }
}

/// Where the fused boxes go.
struct FusionOutput<S: Scalar> {
  let boxes, scores: UnsafeMutablePointer<S>?
  let labels: UnsafeMutablePointer<Int64>?
  let capacity: Int
  let count: UnsafeMutablePointer<Int>?
  let workspace: UnsafeMutableRawPointer?
  let workspaceSize: Int

  /// Checks everything, then fuses by the method made for the models.
  @inline(__always)
  func fuse<Method: BoxFusionMethod>(
    _ input: FusionInput<S>, _ weights: UnsafePointer<Double>?, _ modelCount: Int, _ method: (FusionModels) -> Method
  ) -> Status {
    guard capacity >= 0 else { return .invalidShape }
    guard let count else { return .nullPointer }
    if let fault = input.fault(weights, modelCount) { return fault }
    if input.count == 0 {
      count.pointee = 0
      return .ok
    }
    let models = FusionModels(weights, modelCount)
    let method = method(models)
    return withWorkspace(
      workspace, workspaceSize, layout: { FusionMemory(&$0, capacity: input.count, method, models) }
    ) { memory in
      guard memory.fusion.run(input) else { return .invalidValue }
      memory.rank(method)
      let found = memory.fusion.count
      count.pointee = found
      guard found <= capacity else { return .bufferTooSmall }
      for i in 0..<found {
        let cluster = memory.fusion.clusters[memory.byScore[i]]
        for side in 0..<4 { boxes?[4 &* i &+ side] = S(cluster.box[side]) }
        scores?[i] = S(memory.scores[memory.byScore[i]])
        labels?[i] = cluster.label
      }
      return .ok
    }
  }
}

/// The clusters, and their order in the output.
struct FusionMemory<Method: BoxFusionMethod> {
  var fusion: BoxFusion<Method>
  let scores: UnsafeMutablePointer<Double>
  private(set) var byScore: ElementOrder

  init(_ arena: inout Arena, capacity: Int, _ method: Method, _ models: FusionModels) {
    fusion = BoxFusion(&arena, capacity: capacity, method, models)
    scores = arena.take(Double.self, capacity)
    byScore = ElementOrder(&arena, capacity: capacity)
  }

  /// Orders the clusters by score, NaN last.
  mutating func rank(_ method: Method) {
    let scores = scores
    for i in 0..<fusion.count { scores[i] = method.score(fusion.clusters[i]) }
    byScore.begin(fusion.count)
    byScore.sort { scores[$0] == scores[$0] ? scores[$0].descendingKey : .max }
  }
}
