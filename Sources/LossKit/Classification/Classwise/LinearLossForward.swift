// The forward pass: each unit of classes leaves, for each row, the greatest score and the sum of exponentials relative to it,
// over its classes but the target. The units are joined in order.

extension LinearLossTiles {
  /// ν and lse of every row.
  @inline(never)
  func forward() {
    // What fills the last vectors of rows is worked on like rows; its results are not used.
    for row in plan.rows..<plan.paddedRows { rows.target[row] = -1 }
    rows.targetScore.initialize(repeating: 0, count: plan.paddedRows)
    parallel(plan.forwardWorkers, LinearLossForward(tiles: self))
    var row = 0
    while row < plan.paddedRows {
      join(row)
      row &+= DoubleLanes.count
    }
  }

  fileprivate func forward(rowUnit: Int, classUnit: Int, _ scratch: LinearLossScratch<V>) {
    let offset = classUnit &* plan.paddedRows
    forEachPiece(of: rowsOfUnit(rowUnit), plan.rowsInStripe) { stripe in
      packRows(stripe, scratch)
      let padded = (stripe.count &+ (V.count &- 1)) & ~(V.count &- 1)
      (rows.greatest + (offset &+ stripe.lowerBound)).initialize(repeating: -.infinity, count: padded)
      (rows.total + (offset &+ stripe.lowerBound)).initialize(repeating: 0, count: padded)
      forEachPiece(of: classesOfUnit(classUnit), plan.classesInBlock) { classes in
        let left = packClasses(classes, scratch)
        forEachPiece(of: stripe, plan.rowsInBlock) { block in
          score(left, classes, block, of: stripe, scratch)
          forEachTarget(classes, block) { row, place in rows.targetScore[row] = scratch.scores[place].double }
          if softcap.isPresent { cap(classes, block, scratch) }
          forEachTarget(classes, block) { _, place in scratch.scores[place] = -S.infinity }
          forEachRowVector(block) { row in
            gather(scratch.scores + row, classes.count, offset &+ block.lowerBound &+ row)
          }
        }
      }
    }
  }

  /// Puts the softcap on a tile's scores.
  private func cap(_ classes: Range<Int>, _ block: Range<Int>, _ scratch: LinearLossScratch<V>) {
    for c in 0..<classes.count {
      forEachRowVector(block) { row in
        let p = scratch.scores + (c &* plan.rowsInBlock &+ row)
        softcap(V.load(p)).store(p)
      }
    }
  }

  /// Joins a vector of rows' scores of a tile to what is known at `place`. Terms are added in their own precision in runs
  /// of 16, the runs as doubles.
  @inline(__always)
  private func gather(_ scores: UnsafeMutablePointer<S>, _ count: Int, _ place: Int) {
    var m0 = V(-S.infinity), m1 = m0
    var c = 0
    while c &+ 1 < count {
      m0 = V.max(V.load(scores + c &* plan.rowsInBlock), m0)
      m1 = V.max(V.load(scores + (c &+ 1) &* plan.rowsInBlock), m1)
      c &+= 2
    }
    if c < count { m0 = V.max(V.load(scores + c &* plan.rowsInBlock), m0) }

    let before = V(doubles: rows.greatest + place)
    let greatest = V.max(V.max(m0, m1), before)
    let shift = V.shift(greatest)
    var low = DoubleLanes.zero, high = DoubleLanes.zero
    forEachPiece(of: 0..<count, 16) { run in
      var sum = V.zero
      for c in run { sum = sum + V.exp(V.load(scores + c &* plan.rowsInBlock) - shift) }
      let doubles = sum.doubles
      low = low + doubles.0
      high = high + doubles.1
    }
    greatest.store(doubles: rows.greatest + place)
    let (old, new, total) = (before.doubles, shift.doubles, rows.total + place)
    DoubleLanes.fma(DoubleLanes.load(total), DoubleLanes.exp(old.0 - new.0), low).store(total)
    if V.count > DoubleLanes.count {
      let total = total + DoubleLanes.count
      DoubleLanes.fma(DoubleLanes.load(total), DoubleLanes.exp(old.1 - new.1), high).store(total)
    }
  }

  /// Joins the units of classes, and the targets to them, for eight rows.
  private func join(_ row: Int) {
    typealias D = DoubleLanes
    let target = V(doubles: rows.targetScore + row)
    let score = softcap(target).doubles.0
    var greatest = score
    for unit in 0..<plan.classUnits { greatest = D.max(D.load(rows.greatest + (unit &* plan.paddedRows &+ row)), greatest) }
    let shift = D.shift(greatest)
    var others = D.zero
    for unit in 0..<plan.classUnits {
      let place = unit &* plan.paddedRows &+ row
      others = D.fma(D.load(rows.total + place), D.exp(D.load(rows.greatest + place) - shift), others)
    }
    let x = score - shift
    let own = D.exp(x)
    let sum = others + own
    let isDefined = (D.zero .< sum) & (sum .< D.infinity)
    // log Σ − x, with log Σ = log1p(Σ − 1): exact to the last bits where p_y is close to 1.
    D.select(isDefined, D.log1p(others + (own - D.one)) - x, D.nan).store(rows.nu + row)
    (D.log(sum) + shift).store(rows.lse + row)
    D.select(isDefined, shift, D.nan).store(rows.shift + row)
    sum.store(rows.sum + row)
    (others / sum).store(rows.complement + row)
  }
}

private struct LinearLossForward<V: Lanes>: ParallelJob {
  let tiles: LinearLossTiles<V>

  @inline(never)
  func run(part: Int) {
    let plan = tiles.plan
    let scratch = tiles.memory.scratch(worker: part, hasGradient: false)
    var unit = part
    while unit < plan.rowUnits &* plan.classUnits {
      tiles.forward(rowUnit: unit / plan.classUnits, classUnit: unit % plan.classUnits, scratch)
      unit &+= plan.forwardWorkers
    }
  }
}
