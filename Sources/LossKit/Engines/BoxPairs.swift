// Matrices of all pairs of two lists of boxes. A tile is a block of rows by a block of columns: the boxes of both are
// brought into vectors once, stay in the first cache, and each row of the tile is written from one end to the other.

/// A number for a pair of boxes.
protocol BoxPairFormula {
  associatedtype V: Lanes
  /// The box with these corners.
  func box(_ corners: Quads<V>) -> BoxLanes<V>
  /// What the formula wants of each box besides, computed once.
  func property(_ box: BoxLanes<V>) -> V
  func value(_ first: PairedBox<V>, _ second: PairedBox<V>) -> V
}

extension BoxPairFormula {
  @inline(__always) func box(_ corners: Quads<V>) -> BoxLanes<V> { corners.boxes() }
  @inline(__always) func property(_ box: BoxLanes<V>) -> V { V.zero }
}

/// A box in each lane and what the formula keeps of it.
struct PairedBox<V: Lanes> {
  let box: BoxLanes<V>
  let property: V
}

/// `output[i, j] = formula.value(boxes1[i], boxes2[j])` with the arguments of a public function, which are checked first.
@inline(__always)
func boxPairs<F: BoxPairFormula>(
  _ formula: F, _ boxes1: UnsafePointer<F.V.Element>?, _ boxes2: UnsafePointer<F.V.Element>?, _ count1: Int,
  _ count2: Int, _ output: UnsafeMutablePointer<F.V.Element>?
) -> Status {
  guard let pairs = elementCount(count1, count2), elementCount(count1, 4) != nil, elementCount(count2, 4) != nil else {
    return .invalidShape
  }
  if pairs == 0 { return .ok }
  guard let boxes1, let boxes2, let output else { return .nullPointer }
  let tilesDown = (count1 &- 1) / PairedBoxes<F.V>.tileRows &+ 1
  let tilesAcross = (count2 &- 1) / PairedBoxes<F.V>.tileColumns &+ 1
  let split = Split(tilesDown &* tilesAcross, smallest: 2)
  parallel(
    split.parts,
    BoxPairsJob(
      formula: formula, boxes1: boxes1, boxes2: boxes2, count1: count1, count2: count2, output: output,
      tilesAcross: tilesAcross, split: split))
  return .ok
}

private struct BoxPairsJob<F: BoxPairFormula>: ParallelJob {
  typealias V = F.V
  let formula: F
  let boxes1, boxes2: UnsafePointer<V.Element>
  let count1, count2: Int
  let output: UnsafeMutablePointer<V.Element>
  let tilesAcross: Int
  let split: Split

  @inline(__always) func run(part: Int) {
    var scratch = BoxPairsScratch()
    withUnsafeMutableBytes(of: &scratch) { bytes in
      let memory = aligned(bytes.baseAddress!).assumingMemoryBound(to: V.Element.self)
      let columns = PairedBoxes<V>(memory: memory)
      let rows = PairedBoxes<V>(memory: memory + PairedBoxes<V>.numbers &* PairedBoxes<V>.tileColumns)
      for tile in split.range(part) { run(tile, rows, columns) }
    }
  }

  @inline(__always) private func run(_ tile: Int, _ rows: PairedBoxes<V>, _ columns: PairedBoxes<V>) {
    let firstRow = tile / tilesAcross &* PairedBoxes<V>.tileRows
    let firstColumn = tile % tilesAcross &* PairedBoxes<V>.tileColumns
    let rowCount = Swift.min(PairedBoxes<V>.tileRows, count1 &- firstRow)
    let columnCount = Swift.min(PairedBoxes<V>.tileColumns, count2 &- firstColumn)
    rows.set(formula, boxes1 + 4 &* firstRow, rowCount)
    columns.set(formula, boxes2 + 4 &* firstColumn, columnCount)
    for row in 0..<rowCount {
      let box = rows.broadcast(row)
      let line = output + ((firstRow &+ row) &* count2 &+ firstColumn)
      forEachVector(V.self, 0..<columnCount) { i, n in formula.value(box, columns.load(i)).store(line + i, lanes: n) }
    }
  }
}

/// Boxes in vectors: those of one vector stand together, number by number.
private struct PairedBoxes<V: Lanes> {
  let memory: UnsafeMutablePointer<V.Element>

  static var numbers: Int { 6 }
  static var tileRows: Int { 4 &* V.count }
  static var tileColumns: Int { 32 &* V.count }

  @inline(__always)
  func set<F: BoxPairFormula>(_ formula: F, _ boxes: UnsafePointer<V.Element>, _ count: Int) where F.V == V {
    forEachVector(V.self, 0..<count) { i, n in
      let box = formula.box(Quads(boxes + 4 &* i, rows: n))
      let place = memory + Self.numbers &* i
      box.x1.store(place)
      box.y1.store(place + V.count)
      box.x2.store(place + 2 &* V.count)
      box.y2.store(place + 3 &* V.count)
      box.area.store(place + 4 &* V.count)
      formula.property(box).store(place + 5 &* V.count)
    }
  }

  /// The boxes at `index ..< index + V.count`; index is a multiple of V.count.
  @inline(__always)
  func load(_ index: Int) -> PairedBox<V> {
    let place = memory + Self.numbers &* index
    return boxes { V.load(place + $0 &* V.count) }
  }

  /// The box at `index` in every lane.
  @inline(__always)
  func broadcast(_ index: Int) -> PairedBox<V> {
    let lane = index % V.count
    let place = memory + (Self.numbers &* (index &- lane) &+ lane)
    return boxes { V(place[$0 &* V.count]) }
  }

  @inline(__always)
  private func boxes(_ number: (Int) -> V) -> PairedBox<V> {
    PairedBox(
      box: BoxLanes(x1: number(0), y1: number(1), x2: number(2), y2: number(3), area: number(4)), property: number(5))
  }
}

/// Room for the boxes of a tile's rows and columns: 36 vectors of six numbers.
private struct BoxPairsScratch {
  var bytes = InlineArray<1736, UInt64>(repeating: 0)
}
