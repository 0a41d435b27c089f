import Testing

@testable import LossKit

/// The primitives of both logical vectors, lane by lane against scalar arithmetic.
@Suite struct VectorTests {
  @Test func arithmetic() { both { Checks.arithmetic($0) } }
  @Test func minimaAndMaximaGiveTheSecondWhereEitherIsNaN() { both { Checks.extrema($0) } }
  @Test func comparisonsMakeMasks() { both { Checks.comparisons($0) } }
  @Test func partialLoadsAndStoresTouchTheirLanesOnly() { both { Checks.partialMemory($0) } }
  @Test func reductionsFoldHalves() { both { Checks.reductions($0) } }
  @Test func scalingRoundsOnce() { both { Checks.scaling($0) } }
  @Test func transposes() { both { Checks.transpose($0) } }
  @Test func integers() { both { Checks.integers($0) } }

  @Test func floatsWidenToDoublesAndBack() {
    let x = vector(FloatLanes.self) { Float($0) * 1.25 - 7 }
    let (low, high) = x.doubles
    #expect(lanes(low) == lanes(x).prefix(8).map(Double.init))
    #expect(lanes(high) == lanes(x).suffix(8).map(Double.init))
    #expect(lanes(FloatLanes(low, high)) == lanes(x))
  }

  @Test func classIndicesLoadIntoEitherWidth() {
    let indices = (0..<16).map { Int64($0 * 1000 - 5) }
    #expect(lanes(FloatLanes(Int32Lanes.load(indices))) == indices.map(Float.init))
    #expect(lanes(DoubleLanes(Int64Lanes.load(indices))) == indices.prefix(8).map(Double.init))
  }

  private func both(_ check: (any Scalar.Type) -> Void) {
    check(Float.self)
    check(Double.self)
  }
}

func vector<V: Lanes>(_ type: V.Type, _ element: (Int) -> V.Element) -> V {
  V.load((0..<V.count).map(element))
}

func lanes<V: Lanes>(_ x: V) -> [V.Element] {
  var result = [V.Element](repeating: 0, count: V.count)
  x.store(&result)
  return result
}

private enum Checks {
  static func arithmetic<S: Scalar>(_: S.Type) {
    let a = (0..<S.Vector.count).map { S(Double($0) * 0.75 - 3) }
    let b = (0..<S.Vector.count).map { S(2.5 - Double($0)) }
    let (x, y) = (S.Vector.load(a), S.Vector.load(b))
    #expect(lanes(x + y) == zip(a, b).map { $0 + $1 })
    #expect(lanes(x - y) == zip(a, b).map { $0 - $1 })
    #expect(lanes(x * y) == zip(a, b).map { $0 * $1 })
    #expect(lanes(x / y) == zip(a, b).map { $0 / $1 })
    #expect(lanes(-x) == a.map { -$0 })
    #expect(lanes(x.magnitude) == a.map { $0.magnitude })
    #expect(lanes((x * x).squareRoot) == a.map { $0.magnitude })
    #expect(lanes(x.copySign(y)) == zip(a, b).map { S(signOf: $1, magnitudeOf: $0) })
    #expect(lanes(S.Vector.fma(x, y, x)) == zip(a, b).map { $0 * $1 + $0 })  // exact here, fused or not
    #expect(lanes(S.Vector(1.5)) == [S](repeating: 1.5, count: S.Vector.count))
  }

  static func extrema<S: Scalar>(_: S.Type) {
    let pairs: [(S, S)] = [(1, 2), (2, 1), (.nan, 3), (3, .nan), (-.infinity, 0), (.infinity, -1)]
    for (a, b) in pairs {
      let (x, y) = (vector(S.Vector.self) { _ in a }, vector(S.Vector.self) { _ in b })
      let (maximum, minimum) = (lanes(S.Vector.max(x, y))[0], lanes(S.Vector.min(x, y))[0])
      let (wantedMaximum, wantedMinimum) = (a > b ? a : b, a < b ? a : b)
      #expect(maximum == wantedMaximum || maximum.isNaN && wantedMaximum.isNaN)
      #expect(minimum == wantedMinimum || minimum.isNaN && wantedMinimum.isNaN)
    }
  }

  static func comparisons<S: Scalar>(_: S.Type) {
    let a = (0..<S.Vector.count).map { $0 % 5 == 4 ? S.nan : S(Double($0 % 3)) }
    let (x, one) = (S.Vector.load(a), S.Vector.one)
    func bits(_ condition: (S) -> Bool) -> UInt32 {
      a.enumerated().reduce(0) { condition($1.element) ? $0 | 1 << UInt32($1.offset) : $0 }
    }
    #expect((x .< one).maskBits == bits { $0 < 1 })
    #expect((x .<= one).maskBits == bits { $0 <= 1 })
    #expect((x .== one).maskBits == bits { $0 == 1 })
    #expect((x .!= one).maskBits == bits { $0 != 1 })
    #expect((x .> one).maskBits == bits { $0 > 1 })
    #expect((x .>= one).maskBits == bits { $0 >= 1 })
    #expect(x.isNaN.maskBits == bits { $0.isNaN })
    #expect(x.isNaN.any && !(one .< one).any)
    #expect(lanes(S.Vector.select(x.isNaN, one, x)) == a.map { $0.isNaN ? 1 : $0 })
  }

  static func partialMemory<S: Scalar>(_: S.Type) {
    let count = S.Vector.count
    let source = (0..<count).map { S(Double($0 + 1)) }
    for n in 0...count {
      let x = S.Vector.load(source, first: n, fill: -7)
      #expect(lanes(x) == (0..<count).map { $0 < n ? source[$0] : -7 })
      var target = [S](repeating: -1, count: count)
      S.Vector.load(source).store(&target, first: n)
      #expect(target == (0..<count).map { $0 < n ? source[$0] : -1 })
      #expect(S.Vector.Integers.first(n).maskBits == UInt32((1 as UInt64) << UInt64(n) - 1))
    }
  }

  static func reductions<S: Scalar>(_: S.Type) {
    // Values whose sum depends on the order: the tree is the contract.
    var tree = (0..<S.Vector.count).map { S(sign: $0 % 3 == 0 ? .minus : .plus, exponent: S.Exponent($0 * 3 % 40), significand: 1.3) }
    let x = S.Vector.load(tree)
    #expect(x.maximum == tree.max()!)
    #expect(x.minimum == tree.min()!)
    while tree.count > 1 {
      let half = tree.count / 2
      tree = (0..<half).map { tree[$0] + tree[$0 + half] }
    }
    #expect(x.sum == tree[0])
  }

  static func scaling<S: Scalar>(_: S.Type) {
    let exponents = S.self == Float.self ? [-149, -130, -126, -1, 0, 1, 100, 127] : [-1074, -1030, -1022, -1, 0, 1, 1000, 1023]
    for exponent in exponents {
      for significand in [1.0, 1.5, 1.75] {
        let scaled = S.Vector(S(significand)).scaled(S.Vector(S(Double(exponent))))
        let wanted = S(significand) * S(sign: .plus, exponent: S.Exponent(exponent), significand: 1)
        #expect(lanes(scaled)[0] == wanted)
      }
    }
  }

  static func transpose<S: Scalar>(_: S.Type) {
    let count = S.Vector.count
    var rows = (0..<count).map { row in vector(S.Vector.self) { S(Double(row * count + $0)) } }
    rows.withUnsafeMutableBufferPointer { S.Vector.transpose($0.baseAddress!) }
    for column in 0..<count {
      #expect(lanes(rows[column]) == (0..<count).map { S(Double($0 * count + column)) })
    }
  }

  static func integers<S: Scalar>(_: S.Type) {
    typealias Integers = S.Vector.Integers
    func values(_ x: Integers) -> [S] { lanes(S.Vector(x)) }
    let indices = Integers.indices
    let range = 0..<S.Vector.count
    #expect(values(indices) == range.map { S(Double($0)) })
    #expect(values(indices &+ Integers(3)) == range.map { S(Double($0 + 3)) })
    #expect(values(Integers(3) &- indices) == range.map { S(Double(3 - $0)) })
    #expect(values(indices & Integers(5)) == range.map { S(Double($0 & 5)) })
    #expect(values(indices | Integers(5)) == range.map { S(Double($0 | 5)) })
    #expect(values(indices ^ Integers(5)) == range.map { S(Double($0 ^ 5)) })
    #expect(values(~indices) == range.map { S(Double(~$0)) })
    #expect(values(indices.shiftedLeft(2)) == range.map { S(Double($0 << 2)) })
    #expect(values((indices &- Integers(8)).shiftedRightArithmetic(1)) == range.map { S(Double(($0 - 8) >> 1)) })
    #expect(values(indices.shiftedRightLogical(1)) == range.map { S(Double($0 >> 1)) })
    #expect((indices .< Integers(4)).maskBits == 0b1111)
    #expect((indices .== Integers(2)).maskBits == 0b100)
    #expect(values(Integers.select(indices .< Integers(2), Integers(9), indices)) == range.map { S(Double($0 < 2 ? 9 : $0)) })
    let halves = vector(S.Vector.self) { S(Double($0) - 3.5) }
    #expect(values(halves.truncated) == range.map { S((Double($0) - 3.5).rounded(.towardZero)) })
    #expect(lanes(S.Vector(bits: halves.bits)) == lanes(halves))
  }
}
