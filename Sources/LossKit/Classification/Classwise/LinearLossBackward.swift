// The backward pass: scores become their gradients, tile by tile, and these are multiplied with the classes and the rows.

extension LinearLossTiles {
  /// The gradients, added to what is in the outputs.
  @inline(never)
  func backward() {
    var row = 0
    while row < plan.paddedRows {
      prepare(row)
      row &+= V.count
    }
    // Units of rows and of classes meet as in a Latin square: in each phase every unit of the kind that has fewer meets
    // another one of the other kind. So no two threads add to the same gradient, and the order in which each is added to
    // is fixed.
    for phase in 0..<Swift.max(plan.rowUnits, plan.classUnits) {
      parallel(plan.backwardWorkers, LinearLossBackward(tiles: self, phase: phase))
    }
  }

  /// What is needed of the rows of a vector.
  private func prepare(_ row: Int) {
    let counts = V.Integers.first(Swift.max(0, Swift.min(V.count, plan.rows &- row)))
    let sum = V(doubles: rows.sum + row), lseGrad = V(doubles: rows.lseGrad + row)
    let complement = V(doubles: rows.complement + row), scale = V(call.scale)
    let reciprocal = V.one / sum
    V.select(counts, V(doubles: rows.shift + row), V.zero).store(memory.factors.shift + row)
    V.select(counts, (scale + lseGrad) * reciprocal, V.zero).store(memory.factors.weight + row)
    V.select(counts, V(call.filterEps) * sum, V.infinity).store(memory.factors.threshold + row)
    let score = V(doubles: rows.targetScore + row)
    let probability = V.exp(softcap(score) - V(doubles: rows.shift + row)) * reciprocal
    let target = V.fma(lseGrad, probability, -(scale * complement)) * softcap.derivative(score)
    target.store(memory.factors.targetGradient + row)
  }

  fileprivate func backward(rowUnit: Int, classUnit: Int, _ scratch: LinearLossScratch<V>) {
    forEachPiece(of: rowsOfUnit(rowUnit), plan.rowsInStripe) { stripe in
      packRows(stripe, scratch)
      if call.gradC != nil { packRowsForClasses(stripe, scratch) }
      if call.gradE != nil {
        scratch.gradRows.initialize(repeating: 0, count: plan.blocksInStripe &* plan.rowsInBlock &* plan.paddedDimension)
      }
      forEachPiece(of: classesOfUnit(classUnit), plan.classesInBlock) { classes in
        backward(stripe, classes, scratch)
      }
      if let gradE = call.gradE {
        for row in stripe {
          add(scratch.gradRows + (row &- stripe.lowerBound) &* plan.paddedDimension, gradE + rows.index[row] &* plan.dimension)
        }
      }
    }
  }

  /// Packs a stripe of rows as right factors of the classes' gradients, one for each block.
  private func packRowsForClasses(_ stripe: Range<Int>, _ scratch: LinearLossScratch<V>) {
    forEachPiece(of: stripe, plan.rowsInBlock) { block in
      _ = RightFactor<V>(
        packing: embeddings.from(block.lowerBound), columns: plan.dimension, depth: block.count,
        into: scratch.packedRows + (block.lowerBound &- stripe.lowerBound) &* plan.paddedDimension)
    }
  }

  /// A stripe of rows by a block of classes.
  private func backward(_ stripe: Range<Int>, _ classes: Range<Int>, _ scratch: LinearLossScratch<V>) {
    let left = packClasses(classes, scratch)
    var classRows: RightFactor<V>?
    var isClassGradientEmpty = true
    scratch.gradBias.initialize(repeating: 0, count: classes.count)
    forEachPiece(of: stripe, plan.rowsInBlock) { block in
      score(left, classes, block, of: stripe, scratch)
      let isKept = softcap.isPresent
        ? differentiate(classes, block, scratch, softcap: softcap)
        : differentiate(classes, block, scratch, softcap: nil)
      if call.gradBias != nil { addBias(classes, block, scratch) }
      if !isKept { return }
      if call.gradE != nil {
        let right = classRows ?? RightFactor<V>(
          packing: classMatrix.from(classes.lowerBound), columns: plan.dimension, depth: classes.count,
          into: scratch.packedClassRows)
        classRows = right
        multiplyRows(right, classes, block, of: stripe, scratch)
      }
      if call.gradC != nil {
        if isClassGradientEmpty {
          scratch.gradClasses.initialize(repeating: 0, count: plan.classesInBlock &* plan.paddedDimension)
          isClassGradientEmpty = false
        }
        multiplyClasses(classes, block, of: stripe, scratch)
      }
    }
    for c in 0..<classes.count {
      let v = classes.lowerBound &+ c
      if let gradC = call.gradC, !isClassGradientEmpty {
        add(scratch.gradClasses + c &* plan.paddedDimension, gradC + v &* plan.dimension)
      }
      if let gradBias = call.gradBias { gradBias[v] += S(scratch.gradBias[c]) }
    }
  }

  /// Turns a tile's scores into their gradients, and says which parts of it are kept; whether any is.
  @inline(__always)
  private func differentiate(
    _ classes: Range<Int>, _ block: Range<Int>, _ scratch: LinearLossScratch<V>, softcap: Softcap<V>?
  ) -> Bool {
    let filters = call.filterEps > 0
    var isAnyKept = !filters
    if filters { scratch.kept.initialize(repeating: false, count: plan.partsOfClasses &* plan.partsOfRows) }
    // Targets have numbers of their own, which come last.
    forEachTarget(classes, block) { row, place in
      scratch.scores[place] = -S.infinity
      if filters, !(rows.complement[row] < call.filterEps) {
        isAnyKept = true
        keep(class: place / plan.rowsInBlock, row: row &- block.lowerBound, scratch)
      }
    }
    forEachRowVector(block) { row in
      let first = block.lowerBound &+ row
      let shift = V.load(memory.factors.shift + first), weight = V.load(memory.factors.weight + first)
      let threshold = V.load(memory.factors.threshold + first)
      forEachPiece(of: 0..<classes.count, LinearLossPlan.filteredClasses) { part in
        var isBelow = V.zero .== V.zero
        for c in part {
          let p = scratch.scores + (c &* plan.rowsInBlock &+ row)
          let s = V.load(p)
          let e: V
          if let softcap {
            e = V.expOfNonPositive(softcap(s) - shift)
            (e * weight * softcap.derivative(s)).store(p)
          } else {
            e = V.expOfNonPositive(s - shift)
            (e * weight).store(p)
          }
          isBelow = isBelow & (e .< threshold)
        }
        if filters, (~isBelow).any {
          isAnyKept = true
          keep(class: part.lowerBound, row: row, scratch)
        }
      }
    }
    forEachTarget(classes, block) { row, place in scratch.scores[place] = memory.factors.targetGradient[row] }
    return isAnyKept
  }

  /// Keeps the part of a tile with this class and row, both counted from the tile's first.
  @inline(__always) private func keep(class c: Int, row: Int, _ scratch: LinearLossScratch<V>) {
    scratch.kept[c / LinearLossPlan.filteredClasses &* plan.partsOfRows &+ row / LinearLossPlan.filteredRows] = true
  }

  /// Σ_rows g_v.
  private func addBias(_ classes: Range<Int>, _ block: Range<Int>, _ scratch: LinearLossScratch<V>) {
    for c in 0..<classes.count {
      var sum = V.zero
      forEachVector(V.self, 0..<block.count) { row, n in
        sum = sum + V.load(scratch.scores + (c &* plan.rowsInBlock &+ row), lanes: n)
      }
      let doubles = sum.doubles
      scratch.gradBias[c] += (doubles.0 + doubles.1).sum
    }
  }

  /// Σ_v g_v c_v of a block's rows.
  private func multiplyRows(
    _ right: RightFactor<V>, _ classes: Range<Int>, _ block: Range<Int>, of stripe: Range<Int>,
    _ scratch: LinearLossScratch<V>
  ) {
    let left = LeftFactor<V>(transposed: UnsafePointer(scratch.scores), stride: plan.rowsInBlock)
    let out = scratch.gradRows + (block.lowerBound &- stripe.lowerBound) &* plan.paddedDimension
    forEachKept(
      outer: block.count, LinearLossPlan.filteredRows, outerStride: 1, inner: classes.count,
      LinearLossPlan.filteredClasses, innerStride: plan.partsOfRows, scratch
    ) { rows, classes in
      multiply(
        left.dropping(rows: rows.lowerBound, depth: classes.lowerBound), right.dropping(depth: classes.lowerBound),
        rows: rows.count, columns: plan.dimension, depth: classes.count,
        into: out + rows.lowerBound &* plan.paddedDimension, stride: plan.paddedDimension, adding: true)
    }
  }

  /// Σ_rows g_v e of a block of classes.
  private func multiplyClasses(
    _ classes: Range<Int>, _ block: Range<Int>, of stripe: Range<Int>, _ scratch: LinearLossScratch<V>
  ) {
    let left = LeftFactor<V>(
      packing: MatrixRows(elements: UnsafePointer(scratch.scores), stride: plan.rowsInBlock), rows: classes.count,
      depth: block.count, into: scratch.packedScores)
    let right = RightFactor<V>(
      packed: scratch.packedRows + (block.lowerBound &- stripe.lowerBound) &* plan.paddedDimension, depth: block.count)
    forEachKept(
      outer: classes.count, LinearLossPlan.filteredClasses, outerStride: plan.partsOfRows, inner: block.count,
      LinearLossPlan.filteredRows, innerStride: 1, scratch
    ) { classes, rows in
      multiply(
        left.dropping(rows: classes.lowerBound, depth: rows.lowerBound), right.dropping(depth: rows.lowerBound),
        rows: classes.count, columns: plan.dimension, depth: rows.count,
        into: scratch.gradClasses + classes.lowerBound &* plan.paddedDimension, stride: plan.paddedDimension, adding: true)
    }
  }

  /// Calls `body` with each part of the outer range and each run of kept parts of the inner one; with all, where nothing
  /// is filtered.
  @inline(__always)
  private func forEachKept(
    outer: Int, _ outerLength: Int, outerStride: Int, inner: Int, _ innerLength: Int, innerStride: Int,
    _ scratch: LinearLossScratch<V>, _ body: (Range<Int>, Range<Int>) -> Void
  ) {
    if call.filterEps == 0 {
      body(0..<outer, 0..<inner)
      return
    }
    forEachPiece(of: 0..<outer, outerLength) { part in
      let kept = scratch.kept + part.lowerBound / outerLength &* outerStride
      var start = 0
      while start < inner {
        var end = start
        while end < inner, kept[end / innerLength &* innerStride] { end &+= innerLength }
        if end > start { body(part, start..<Swift.min(end, inner)) }
        start = Swift.max(end, start &+ innerLength)
      }
    }
  }

  /// Adds a row of products to a row of an output.
  private func add(_ products: UnsafeMutablePointer<S>, _ out: UnsafeMutablePointer<S>) {
    forEachVector(V.self, 0..<plan.dimension) { i, n in
      (V.load(out + i, lanes: n) + V.load(products + i, lanes: n)).store(out + i, lanes: n)
    }
  }
}

private struct LinearLossBackward<V: Lanes>: ParallelJob {
  let tiles: LinearLossTiles<V>
  let phase: Int

  @inline(never)
  func run(part: Int) {
    let plan = tiles.plan
    let scratch = tiles.memory.scratch(worker: part, hasGradient: true)
    let fewer = Swift.min(plan.rowUnits, plan.classUnits), more = Swift.max(plan.rowUnits, plan.classUnits)
    var unit = part
    while unit < fewer {
      let other = (unit &+ phase) % more
      let rowsAreFewer = plan.rowUnits <= plan.classUnits
      tiles.backward(rowUnit: rowsAreFewer ? unit : other, classUnit: rowsAreFewer ? other : unit, scratch)
      unit &+= plan.backwardWorkers
    }
  }
}
