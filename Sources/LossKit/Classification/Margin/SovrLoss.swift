/// Switching one-versus-rest loss: the rows that are closest to a wrong class, or beyond it, get a one-versus-rest loss,
/// the others cross-entropy.
///
///     LM = max_{k≠y} z_k − z_y
///     L = lam (softplus(−z_y) + Σ_{k≠y} softplus(z_k))   for the ⌊fraction · rows + 1e−9⌋ rows with the largest LM,
///                                                        of equal ones the first
///     L = −log softmax(z)_y                              for the others
///
/// - Parameters:
///   - z: scores, `[outer, classes, inner]`. −inf is a masked class; NaN or +inf makes loss and gradient of its row
///     NaN, and the row comes last in the order of LM.
///   - target: one class per row, in 0 ..< classes.
///   - outer: ≥ 0; with `classes` and `inner` the shape, see ROWS.
///   - classes: ≥ 1.
///   - inner: ≥ 0.
///   - fraction: of the rows, in [0, 1], default 0.4.
///   - lam: ≥ 0, default 0.4.
///   - reduction: default mean, which divides by Σ s_i.
///   - sampleWeight: optional, one per row, ≥ 0, default 1. Has no part in the choice of rows.
///   - loss: optional output, one value, or one per row without reduction.
///   - grad: optional output, shaped as `z`; the choice of rows is constant.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, INVALID_TARGET, INVALID_VALUE for a negative weight,
///   OUT_OF_MEMORY.
/// - Reference: Kanai et al. 2023, One-vs-the-Rest Loss to Focus on Important Samples in Adversarial Training.
func sovrLoss<S: Scalar>(
  _ z: UnsafePointer<S>?, _ target: UnsafePointer<Int64>?, _ outer: Int, _ classes: Int, _ inner: Int,
  _ fraction: Double, _ lam: Double, _ reduction: Reduction, _ sampleWeight: UnsafePointer<S>?,
  _ loss: UnsafeMutablePointer<S>?, _ grad: UnsafeMutablePointer<S>?
) -> Status {
  guard let shape = RowShape(outer, classes, inner) else { return .invalidShape }
  guard fraction >= 0, fraction <= 1, lam >= 0, lam < .infinity else { return .invalidParameter }
  let chosen = Int(fraction * Double(shape.rows) + 1e-9)
  return withWorkspace(layout: { arena in ChoiceOfRows<S>(&arena, shape.rows, chosen: chosen) }) { choice in
    rowLoss(
      SwitchingLoss<S.Vector>(choice: choice, factor: S.Vector(lam)), z, target, (outer, classes, inner), reduction,
      sampleWeight, loss, grad)
  }
}

private struct SwitchingLoss<V: Lanes>: ScaledRowLoss {
  let choice: ChoiceOfRows<V.Element>
  /// lam.
  let factor: V
  let exponential = ScaledExponential<V>(temperature: 1)

  @inline(__always)
  func prepare(_ shape: RowShape, _ z: UnsafePointer<V.Element>, _ targets: Targets<V.Element>?) {
    guard let targets else { return }
    forEachRowTile(
      shape, RowArrays(first: z, second: z, perClass: nil, output: nil),
      RowMargins<V>(targets: targets, choice: choice))
    choice.choose(shape.rows)
  }

  @inline(__always)
  func evaluate(_ tile: RowTile<V>, _ k: inout RowConstants<V>, scale: V, keep: Bool) -> V {
    let own = tile.targetLogits(k.target)
    k.a = tile.rows.load(choice.shifts)
    k.b = tile.rows.load(choice.isChosen)
    let constants = k, chosenRows = (k.b .> V.zero).maskBits
    let others = tile.specialized { tile in
      tile.sumWithLogarithms(constants, keep: keep, isCommon: true) { e, k in
        let isOther = ~(e.classes .== k.target)
        if !tile.isAcross && chosenRows &>> UInt32(e.row) & 1 == 0 {
          let p = exponential(e.x - k.a)
          return (V.select(isOther, p, V.zero), V.zero, p)
        }
        let isChosen = k.b .> V.zero
        let p = exponential(V.select(isChosen, -e.x.magnitude, e.x - k.a))
        return (
          V.select(isOther, V.select(isChosen, V.max(e.x, V.zero), p), V.zero), V.select(isOther & isChosen, p, V.zero),
          V.select(isChosen, Logistic(e.x, exponential: p).positive, p)
        )
      }
    }
    let isChosen = k.b .> V.zero
    let softmax = TargetSoftmax(others: others, own: OwnLogit(own, shift: k.a))
    let s = Logistic(own)
    let oneVersusRest = factor * (others.definedLogit + (V.max(-own, V.zero) + s.tail))
    let value = V.select(isChosen, oneVersusRest, softmax.nu)
    let defined = scale.undefined(where: value)
    k.a = defined * V.select(isChosen, factor, softmax.reciprocal)
    k.atTarget = -defined * V.select(isChosen, factor * s.negative, softmax.complement)
    return value
  }
}

/// Writes the shift of each row's exponents, and its LM.
private struct RowMargins<V: Lanes>: RowKernel {
  let targets: Targets<V.Element>
  let choice: ChoiceOfRows<V.Element>
  static var usesSecond: Bool { false }
  var empty: Void { () }

  @inline(__always) func run(_ tile: RowTile<V>, _ partial: inout Void) {
    let target = targets.load(tile.rows, nil).target
    let best = tile.bestRivalLogit(target)
    let logit = tile.inputs(at: target).definedLogit
    V.shift(V.max(logit, best)).store(choice.shifts + tile.firstRow, first: tile.count)
    // In double: that floats are rounded to the same number does not make them equal.
    let (low, high) = best.doubles, (ownLow, ownHigh) = logit.doubles
    let half = DoubleLanes.count
    (low - ownLow).store(choice.margins + tile.firstRow, first: Swift.min(half, tile.count))
    if tile.count > half { (high - ownHigh).store(choice.margins + (tile.firstRow &+ half), first: tile.count &- half) }
  }

  @inline(__always) func finish(_ partial: Void, part: Int) {}
}

/// The rows with the largest margins.
private struct ChoiceOfRows<S: Scalar> {
  /// LM; NaN comes last.
  let margins: UnsafeMutablePointer<Double>
  /// The rows' maxima, as shifts of their exponents.
  let shifts: UnsafeMutablePointer<S>
  /// 1 or 0.
  let isChosen: UnsafeMutablePointer<S>
  private let keys, candidates: UnsafeMutablePointer<UInt64>
  private let counts: UnsafeMutablePointer<Int>
  private let chosen: Int
  private static var digitBits: Int { 11 }

  init(_ arena: inout Arena, _ rows: Int, chosen: Int) {
    margins = arena.take(Double.self, rows)
    shifts = arena.take(S.self, rows)
    isChosen = arena.take(S.self, rows)
    keys = arena.take(UInt64.self, rows)
    candidates = arena.take(UInt64.self, rows)
    counts = arena.take(Int.self, 4 << Self.digitBits)
    self.chosen = Swift.min(chosen, rows)
  }

  func choose(_ rows: Int) {
    for row in 0..<rows { keys[row] = margins[row] == margins[row] ? margins[row].ascendingKey : 0 }
    let (least, ties) = leastChosen(rows)
    for row in 0..<rows { isChosen[row] = keys[row] > least ? 1 : 0 }
    var left = ties
    var row = 0
    while left > 0 {
      if keys[row] == least {
        isChosen[row] = 1
        left &-= 1
      }
      row &+= 1
    }
  }

  /// The lowest key that is chosen, and how many rows with it are: digit by digit, from the highest, among the keys that
  /// have the digits found so far.
  private func leastChosen(_ rows: Int) -> (key: UInt64, ties: Int) {
    if chosen == 0 { return (UInt64.max, 0) }
    var left = chosen
    var count = rows
    var source = UnsafePointer(keys)
    var key: UInt64 = 0
    var shift = 64
    while shift > 0 {
      let bits = Swift.min(Self.digitBits, shift)
      shift &-= bits
      let places = UInt64(shift), mask: UInt64 = (1 << UInt64(bits)) &- 1
      // Neighbours are counted apart: most have the same digit, and one count would wait for the other.
      counts.update(repeating: 0, count: 4 << bits)
      for i in 0..<count { counts[Int(truncatingIfNeeded: source[i] &>> places & mask) &<< 2 | i & 3] &+= 1 }
      var digit = Int(mask)
      while true {
        let those = counts + 4 &* digit
        let sum = (those[0] &+ those[1]) &+ (those[2] &+ those[3])
        if sum >= left { break }
        left &-= sum
        digit &-= 1
      }
      key |= UInt64(digit) << places
      // Without a branch that nothing predicts: what is not kept is overwritten.
      var kept = 0
      for i in 0..<count {
        let candidate = source[i]
        candidates[kept] = candidate
        kept &+= candidate &>> places & mask == UInt64(digit) ? 1 : 0
      }
      source = UnsafePointer(candidates)
      count = kept
    }
    return (key, left)
  }
}
