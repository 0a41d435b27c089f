// Boxes (x1, y1, x2, y2): a vector of them, columns of them, and the overlap of two.

/// A box in each lane, with its area.
struct BoxLanes<V: Lanes> {
  var x1: V
  var y1: V
  var x2: V
  var y2: V
  var area: V

  /// - Parameter offset: added to widths and heights (1: the old convention of inclusive pixels). Nil is 0.
  @inline(__always)
  init(x1: V, y1: V, x2: V, y2: V, offset: V? = nil) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
    area = Self.extent(x1, x2, offset) * Self.extent(y1, y2, offset)
  }

  @inline(__always)
  private static func extent(_ low: V, _ high: V, _ offset: V?) -> V {
    if let offset { return high - low + offset }
    return high - low
  }

  /// Intersection and union, each operation rounded in the order that IoU is defined by. NaN in either box makes the
  /// union NaN.
  @inline(__always)
  func overlap(with other: Self, offset: V? = nil) -> (intersection: V, union: V) {
    let width = V.max(Self.extent(V.max(x1, other.x1), V.min(x2, other.x2), offset), V.zero)
    let height = V.max(Self.extent(V.max(y1, other.y1), V.min(y2, other.y2), offset), V.zero)
    let intersection = width * height
    return (intersection, area + other.area - intersection)
  }

  /// Intersection over union; 0 where the union is 0.
  @inline(__always)
  func intersectionOverUnion(with other: Self, offset: V? = nil) -> V {
    let (intersection, union) = overlap(with: other, offset: offset)
    return Self.ratio(intersection, union)
  }

  @inline(__always)
  static func ratio(_ intersection: V, _ union: V) -> V {
    V.select(union .== V.zero, V.zero, intersection / union)
  }
}

/// Boxes as five arrays, each longer than `capacity` by a vector so that whole vectors may be read anywhere.
struct BoxColumns<S: Scalar> {
  typealias V = S.Vector
  let x1, y1, x2, y2, area: UnsafeMutablePointer<S>

  init(_ arena: inout Arena, capacity: Int) {
    x1 = arena.take(S.self, capacity &+ V.count)
    y1 = arena.take(S.self, capacity &+ V.count)
    x2 = arena.take(S.self, capacity &+ V.count)
    y2 = arena.take(S.self, capacity &+ V.count)
    area = arena.take(S.self, capacity &+ V.count)
  }

  /// The boxes at `index ..< index + V.count`.
  @inline(__always)
  func load(_ index: Int) -> BoxLanes<V> {
    var lanes = BoxLanes(x1: V.load(x1 + index), y1: V.load(y1 + index), x2: V.load(x2 + index), y2: V.load(y2 + index))
    lanes.area = V.load(area + index)
    return lanes
  }

  /// The box at `index` in every lane.
  @inline(__always)
  func broadcast(_ index: Int) -> BoxLanes<V> {
    var lanes = BoxLanes(x1: V(x1[index]), y1: V(y1[index]), x2: V(x2[index]), y2: V(y2[index]))
    lanes.area = V(area[index])
    return lanes
  }

  /// Box `index` := the box at `box` (four numbers); the area is left to `computeAreas`.
  @inline(__always)
  func set(_ index: Int, _ box: UnsafePointer<S>) {
    x1[index] = box[0]
    y1[index] = box[1]
    x2[index] = box[2]
    y2[index] = box[3]
  }

  @inline(__always)
  func set(_ index: Int, _ x1: S, _ y1: S, _ x2: S, _ y2: S, area: S) {
    self.x1[index] = x1
    self.y1[index] = y1
    self.x2[index] = x2
    self.y2[index] = y2
    self.area[index] = area
  }

  /// Box `index` := box `other` of `columns`.
  @inline(__always)
  func set(_ index: Int, _ columns: Self, _ other: Int) {
    x1[index] = columns.x1[other]
    y1[index] = columns.y1[other]
    x2[index] = columns.x2[other]
    y2[index] = columns.y2[other]
    area[index] = columns.area[other]
  }

  /// Zeros from `count` on, for the length of a vector: boxes that overlap nothing.
  @inline(__always)
  func pad(_ count: Int) {
    V.zero.store(x1 + count)
    V.zero.store(y1 + count)
    V.zero.store(x2 + count)
    V.zero.store(y2 + count)
    V.zero.store(area + count)
  }

  func computeAreas(_ count: Int, offset: S) {
    forEachVector(V.self, 0..<count) { i, n in
      let lanes = BoxLanes(
        x1: V.load(x1 + i), y1: V.load(y1 + i), x2: V.load(x2 + i), y2: V.load(y2 + i), offset: V(offset))
      lanes.area.store(area + i)
    }
  }
}

/// Four numbers a lane, from or to rows of four.
struct Quads<V: Lanes> {
  var a: V
  var b: V
  var c: V
  var d: V

  @inline(__always)
  init(_ a: V, _ b: V, _ c: V, _ d: V) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  /// `n` rows from `p` (n ≤ V.count); the others are zeros.
  @inline(__always)
  init(_ p: UnsafePointer<V.Element>, rows n: Int) {
    let r0 = V.load(p, part: 0, of: 4 &* n)
    let r1 = V.load(p, part: 1, of: 4 &* n)
    let r2 = V.load(p, part: 2, of: 4 &* n)
    let r3 = V.load(p, part: 3, of: 4 &* n)
    let ac = (V.evens(r0, r1), V.evens(r2, r3))
    let bd = (V.odds(r0, r1), V.odds(r2, r3))
    a = V.evens(ac.0, ac.1)
    b = V.evens(bd.0, bd.1)
    c = V.odds(ac.0, ac.1)
    d = V.odds(bd.0, bd.1)
  }

  /// Stores the first `n` rows.
  @inline(__always)
  func store(_ p: UnsafeMutablePointer<V.Element>, rows n: Int) {
    let low = (V.zipLow(a, c), V.zipLow(b, d))
    let high = (V.zipHigh(a, c), V.zipHigh(b, d))
    V.zipLow(low.0, low.1).store(p, part: 0, of: 4 &* n)
    V.zipHigh(low.0, low.1).store(p, part: 1, of: 4 &* n)
    V.zipLow(high.0, high.1).store(p, part: 2, of: 4 &* n)
    V.zipHigh(high.0, high.1).store(p, part: 3, of: 4 &* n)
  }

  @inline(__always) func boxes(offset: V? = nil) -> BoxLanes<V> { BoxLanes(x1: a, y1: b, x2: c, y2: d, offset: offset) }
}

extension Lanes {
  /// The `part`-th vector of `n` numbers at `p`; zeros for numbers that there are not.
  @inline(__always)
  static func load(_ p: UnsafePointer<Element>, part: Int, of n: Int) -> Self {
    let left = n &- part &* count
    if left >= count { return load(p + part &* count) }
    return left <= 0 ? zero : load(p + part &* count, first: left, fill: 0)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Element>, part: Int, of n: Int) {
    let left = n &- part &* Self.count
    if left >= Self.count {
      store(p + part &* Self.count)
    } else if left > 0 {
      store(p + part &* Self.count, first: left)
    }
  }
}
