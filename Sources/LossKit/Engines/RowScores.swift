// Losses of probabilities (or scores) with labels. They read each row once, in place: rows of a few classes are vectors of their own, whose
// sums are joined a group at a time. Where only a number is wanted, the same pass checks what it reads.

extension Lanes {
  /// The sums of neighbours, of `a` and `b` seen as one row.
  @inline(__always) fileprivate static func pairSums(_ a: Self, _ b: Self) -> Self { evens(a, b) + odds(a, b) }
}

/// Up to `V.count` rows, of which each has a lane in what is computed of them.
struct RowGroup<V: Lanes> {
  let rows: ConfidenceRows<V.Element>
  let first, count: Int
  /// `V.count` labels, also where there are fewer rows.
  let labels: UnsafePointer<Int64>

  /// Is each row a single probability?
  @inline(__always) var isColumn: Bool { rows.columns == 1 }

  /// The column of a row's label, where there are several columns. Only for labels that are in range.
  @inline(__always) func column(_ lane: Int) -> Int { Int(labels[lane]) }

  @inline(__always) func row(_ lane: Int) -> UnsafePointer<V.Element> { rows.probs + (first &+ lane) &* rows.columns }

  /// Rows of one column, as lanes, and where the column is the label's.
  @inline(__always) var single: (p: V, isLabel: V.Integers) {
    (V.load(rows.probs + first, lanes: count), V.Integers.load(labels) .== V.Integers(rows.firstLabel))
  }

  /// For each row the sum of `term(p, is the label's)` over its columns; a term of (0, false) has to be 0.
  @inline(__always) func sums(_ term: (V, V.Integers) -> V) -> V {
    if isColumn {
      let (p, isLabel) = single
      return term(p, isLabel)
    }
    var scratch = VectorTile<V>()
    return scratch.withPointer { tile in
      let columns = rows.columns
      var p = row(0)
      if columns <= V.count, count == V.count {
        // A row is a vector. Neighbours are joined before they are stored.
        @inline(__always) func terms(_ lane: Int) -> V {
          let label = V.Integers(Int(labels[lane]))
          return term(V.load(p + lane &* columns, first: columns, fill: 0), V.Integers.indices .== label)
        }
        for i in 0..<V.count / 2 { tile[i] = V.pairSums(terms(2 &* i), terms(2 &* i &+ 1)) }
      } else {
        for i in 0..<V.count / 2 {
          var pair = (V.zero, V.zero)
          if 2 &* i < count { pair.0 = partialSums(p, V.Integers(Int(labels[2 &* i])), term) }
          p += columns
          if 2 &* i &+ 1 < count { pair.1 = partialSums(p, V.Integers(Int(labels[2 &* i &+ 1])), term) }
          p += columns
          tile[i] = V.pairSums(pair.0, pair.1)
        }
      }
      var vectors = V.count / 2
      while vectors > 1 {
        vectors /= 2
        for i in 0..<vectors { tile[i] = V.pairSums(tile[2 &* i], tile[2 &* i &+ 1]) }
      }
      return tile[0]
    }
  }

  /// The sum of the rows' sums, in parts: a lane is not a row's. Only for groups of `V.count` rows that are a vector at most.
  @inline(__always) func total(_ term: (V, V.Integers) -> V) -> V {
    let p = row(0), columns = rows.columns
    var sums = (V.zero, V.zero)
    for i in 0..<V.count / 2 {
      let (a, b) = (2 &* i, 2 &* i &+ 1)
      let isLabel = (V.Integers.indices .== V.Integers(column(a)), V.Integers.indices .== V.Integers(column(b)))
      sums.0 = sums.0 + term(V.load(p + a &* columns, first: columns, fill: 0), isLabel.0)
      sums.1 = sums.1 + term(V.load(p + b &* columns, first: columns, fill: 0), isLabel.1)
    }
    return sums.0 + sums.1
  }

  var isSquare: Bool { rows.columns > 1 && rows.columns <= V.count && count == V.count }

  /// The sums of a row's columns c, c + V.count, c + 2 V.count, …
  @inline(__always)
  private func partialSums(_ p: UnsafePointer<V.Element>, _ label: V.Integers, _ term: (V, V.Integers) -> V) -> V {
    var sums = (DoubleLanes.zero, DoubleLanes.zero)
    var c = 0
    while c < rows.columns {
      // No more than `longestRun` terms in the precision of the lanes.
      let end = Swift.min(c &+ longestRun &* V.count, rows.columns)
      var run = V.zero
      forEachVector(V.self, c..<end) { c, n in
        run = run + term(V.load(p + c, lanes: n), (V.Integers(c) &+ V.Integers.indices) .== label)
      }
      sums = (sums.0 + run.doubles.0, sums.1 + run.doubles.1)
      c = end
    }
    return V(sums.0, sums.1)
  }

  /// Writes `term(p, is the label's)` times the row's scale to each place of `output`, which is shaped as the rows.
  @inline(__always)
  func map(_ output: UnsafeMutablePointer<V.Element>, scale: V, _ term: (V, V.Integers) -> V) {
    if isColumn {
      let (p, isLabel) = single
      return (term(p, isLabel) * scale).store(output + first, lanes: count)
    }
    for lane in 0..<count {
      let label = V.Integers(column(lane)), scale = V(scale[lane])
      let p = row(lane), target = output + (first &+ lane) &* rows.columns
      forEachVector(V.self, 0..<rows.columns) { c, n in
        let isLabel = (V.Integers(c) &+ V.Integers.indices) .== label
        (term(V.load(p + c, lanes: n), isLabel) * scale).store(target + c, lanes: n)
      }
    }
  }

  /// The probability of what happened, in double, because 1 − p would lose the small p of a float; and whether it is
  /// such a complement.
  @inline(__always) var outcomes: (q: (DoubleLanes, DoubleLanes), sign: V) {
    if isColumn {
      let (p, isLabel) = single
      // With a single class (not the binary view) there is but one label.
      let sign = V.select(isLabel, V.one, -V.one), offset = V.select(isLabel, V.zero, V.one)
      let (p2, s2, o2) = (p.doubles, sign.doubles, offset.doubles)
      return ((DoubleLanes.fma(s2.0, p2.0, o2.0), DoubleLanes.fma(s2.1, p2.1, o2.1)), sign)
    }
    var gathered = InlineArray<16, Double>(repeating: 1)
    return withUnsafeMutableBytes(of: &gathered) { bytes in
      let q = bytes.baseAddress!.assumingMemoryBound(to: Double.self)
      let p = row(0), columns = rows.columns
      if count == V.count {
        for lane in 0..<V.count { q[lane] = p[lane &* columns &+ column(lane)].double }
      } else {
        for lane in 0..<count { q[lane] = p[lane &* columns &+ column(lane)].double }
      }
      return ((DoubleLanes.load(q), DoubleLanes.load(q + 8)), V.one)
    }
  }
}

extension ConfidenceRows {
  /// Calls `body` with each group of `rows`.
  @inline(__always) func forEachGroup(_ rows: Range<Int>, _ body: (RowGroup<S.Vector>) -> Void) {
    typealias V = S.Vector
    var last = InlineArray<16, Int64>(repeating: 0)
    withUnsafeMutableBytes(of: &last) { bytes in
      let last = bytes.baseAddress!.assumingMemoryBound(to: Int64.self)
      var row = rows.lowerBound
      while row &+ V.count <= rows.upperBound {
        body(RowGroup(rows: self, first: row, count: V.count, labels: y + row))
        row &+= V.count
      }
      let n = rows.upperBound &- row
      if n == 0 { return }
      for lane in 0..<V.count { last[lane] = lane < n ? y[row &+ lane] : Int64(firstLabel) }
      body(RowGroup(rows: self, first: row, count: n, labels: UnsafePointer(last)))
    }
  }
}

/// What groups of rows are looked through for: labels out of range and probabilities outside [0, 1].
struct GroupCheck<V: Lanes> {
  /// Is NaN a fault?
  let refusesNaN: Bool
  private var least = (V.zero, V.zero)
  private var most = (V.one, V.one)
  private var sum = (V.zero, V.zero)
  private var badLabels = Int64Lanes(0)

  @inline(__always) init(refusesNaN: Bool) { self.refusesNaN = refusesNaN }

  /// Gives false if there is a label out of range: then the group cannot be worked on.
  @inline(__always) mutating func add(_ group: RowGroup<V>) -> Bool {
    let limit = Int64Lanes(group.rows.labelCount &- 1)
    var bad = Int64Lanes(0)
    for part in 0..<V.count / 8 {
      let label = Int64Lanes.load(group.labels + part &* 8)
      bad = bad | (label .< Int64Lanes(0)) | (limit .< label)
    }
    badLabels = badLabels | bad
    let p = group.row(0)
    let count = group.count &* group.rows.columns
    var i = 0
    while i &+ 2 &* V.count <= count {
      add(V.load(p + i), V.load(p + (i &+ V.count)))
      i &+= 2 &* V.count
    }
    forEachVector(V.self, i..<count) { i, n in add(V.load(p + i, lanes: n), V.zero) }
    return !bad.any
  }

  /// Minima and maxima pass NaN by, sums do not.
  @inline(__always) private mutating func add(_ x: V, _ y: V) {
    least = (V.min(x, least.0), V.min(y, least.1))
    most = (V.max(x, most.0), V.max(y, most.1))
    if refusesNaN { sum = (sum.0 + x, sum.1 + y) }
  }

  @inline(__always) var faults: DataFaults {
    let isOutside = (V.min(least.0, least.1) .< V.zero) | (V.one .< V.max(most.0, most.1))
    return DataFaults(target: badLabels.any, value: (isOutside | (sum.0 + sum.1).isNaN).any)
  }
}

/// A loss of rows with a label each.
protocol RowScore {
  associatedtype V: Lanes
  /// Are the rows probabilities, or any numbers?
  static var takesProbabilities: Bool { get }
  func losses(_ group: RowGroup<V>) -> V
  /// The sum of the losses, as that of the lanes: where neither losses of rows are wanted nor weights are given.
  func total(_ group: RowGroup<V>) -> V
  /// - Parameter scale: what each row's gradient is multiplied with.
  func writeGradient(_ group: RowGroup<V>, scale: V, _ grad: UnsafeMutablePointer<V.Element>)
}

extension RowScore {
  static var takesProbabilities: Bool { true }
  @inline(__always) func total(_ group: RowGroup<V>) -> V {
    V.select(V.Integers.first(group.count), losses(group), V.zero)
  }
}

/// `Σ_c (p_c − [y = c])²`, times a factor
struct QuadraticScore<V: Lanes>: RowScore {
  let factor: V

  @inline(__always) func losses(_ group: RowGroup<V>) -> V {
    group.sums { p, isLabel in
      let error = error(p, isLabel)
      return error * error
    } * factor
  }

  @inline(__always) func total(_ group: RowGroup<V>) -> V {
    if !group.isSquare { return V.select(V.Integers.first(group.count), losses(group), V.zero) }
    return group.total { p, isLabel in
      let error = error(p, isLabel)
      return error * error
    } * factor
  }

  @inline(__always)
  func writeGradient(_ group: RowGroup<V>, scale: V, _ grad: UnsafeMutablePointer<V.Element>) {
    group.map(grad, scale: (factor + factor) * scale) { p, isLabel in error(p, isLabel) }
  }

  @inline(__always) private func error(_ p: V, _ isLabel: V.Integers) -> V { p - V.select(isLabel, V.one, V.zero) }
}

/// `−log max(q, ε)`, q the probability of what happened
struct LogarithmicScore<V: Lanes>: RowScore {
  let eps: DoubleLanes

  @inline(__always) func losses(_ group: RowGroup<V>) -> V {
    let q = group.outcomes.q
    // max(ε, NaN) is NaN.
    @inline(__always) func loss(_ q: DoubleLanes) -> DoubleLanes { -DoubleLanes.log(DoubleLanes.max(eps, q)) }
    return V(loss(q.0), V.count > 8 ? loss(q.1) : q.1)
  }

  @inline(__always)
  func writeGradient(_ group: RowGroup<V>, scale: V, _ grad: UnsafeMutablePointer<V.Element>) {
    let (q, sign) = group.outcomes
    @inline(__always) func slope(_ q: DoubleLanes) -> DoubleLanes {
      DoubleLanes.select(q .<= eps, DoubleLanes.zero, -(DoubleLanes.one / q))
    }
    let slopes = V(slope(q.0), slope(q.1)) * sign * scale
    if group.isColumn { return slopes.store(grad + group.first, lanes: group.count) }
    let columns = group.rows.columns
    let target = grad + group.first &* columns
    target.update(repeating: 0, count: group.count &* columns)
    for lane in 0..<group.count { target[lane &* columns &+ group.column(lane)] = slopes[lane] }
  }
}

extension LossCall {
  /// Value and gradient of a score with the arguments of a public function, which are checked.
  ///
  /// - Parameter classes: 0 for the binary view.
  @inline(__always)
  func score<P: RowScore>(
    _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int, _ score: P
  ) -> Status where P.V == S.Vector {
    if let fault = faultOf(probs, y, count, classes) { return fault }
    guard count > 0, let probs, let y else { return empty }
    guard areWeights(sampleWeight, count) else { return .invalidValue }
    let rows = ConfidenceRows(probs, y, count, classes: classes, isTopLabel: false)
    let split = Split(count, smallest: max(smallestElementwisePart / rows.columns, 1), multiple: 16)
    // Arrays are not to be touched before all is found in order; a number can wait.
    let writesArrays = grad != nil || reduction == .none
    var number = S.nan
    var status = Status.ok
    withUnsafeMutablePointer(to: &number) { number in
      let call = LossCall(reduction: reduction, sampleWeight: sampleWeight, loss: writesArrays ? loss : number, grad: grad)
      withUnsafeTemporaryAllocation(of: DataFaults.self, capacity: Split.limit) { faults in
        let faults = faults.baseAddress!
        @inline(__always) func run(_ sink: LossSink<S>?, checks: Bool) {
          parallel(
            split.parts,
            RowScoreJob(score: score, rows: rows, sink: sink, faults: checks ? faults : nil, split: split))
          if !checks { return }
          var all = DataFaults()
          for part in 0..<split.parts { all.join(faults[part]) }
          status = all.status
        }
        if writesArrays {
          run(nil, checks: true)
          if status != .ok { return }
        }
        LossSink.run(call, denominator: sumOfSampleWeights(sampleWeight, count)) { run($0, checks: !writesArrays) }
      }
    }
    if status == .ok, !writesArrays { loss?.pointee = number }
    return status
  }
}

private struct RowScoreJob<P: RowScore>: ParallelJob {
  typealias V = P.V
  let score: P
  let rows: ConfidenceRows<V.Element>
  /// Where losses go; nil if data are only to be checked.
  let sink: LossSink<V.Element>?
  /// What is found wrong in each part; nil if nothing is to be checked.
  let faults: UnsafeMutablePointer<DataFaults>?
  let split: Split

  @inline(__always) func run(part: Int) {
    let range = split.range(part)
    guard let faults else {
      if let sink { score(range, part, sink) { _ in true } }
      return
    }
    var check = GroupCheck<V>(refusesNaN: false)
    if let sink {
      score(range, part, sink) { check.add($0) }
    } else {
      rows.forEachGroup(range) { _ = check.add($0) }
    }
    faults[part] = check.faults
    if !P.takesProbabilities { faults[part].value = false }
  }

  /// - Parameter isFit: can the group be worked on?
  @inline(__always)
  private func score(
    _ range: Range<Int>, _ part: Int, _ sink: LossSink<V.Element>, _ isFit: (RowGroup<V>) -> Bool
  ) {
    let needsTotal = sink.call.reduction != .none && sink.call.sampleWeight == nil
    var partial = sink.empty
    rows.forEachGroup(range) { group in
      if !isFit(group) { return }
      var weight = V.one
      if needsTotal {
        sink.deposit(score.total(group), first: group.first, count: V.count, &partial)
      } else {
        if let weights = sink.call.sampleWeight { weight = V.load(weights + group.first, lanes: group.count) }
        sink.deposit(score.losses(group) * weight, first: group.first, count: group.count, &partial)
      }
      if let grad = sink.call.grad { score.writeGradient(group, scale: weight * sink.gradientScale, grad) }
    }
    sink.finish(partial, part: part)
  }
}
