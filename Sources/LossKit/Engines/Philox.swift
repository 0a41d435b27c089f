// The random numbers of the whole library: Philox4x32-10 (Salmon et al. 2011, Parallel Random Numbers: As Easy as
// 1, 2, 3). Element i of a stream is a function of i, the seed and the stream's number alone: it does not matter who asks for
// it, in which order, or in which precision, since all is computed in double and rounded last.

/// A stream of random numbers.
struct Philox {
  let seed: UInt64
  /// Added to the index of each element.
  var offset: UInt64 = 0
  /// Which of the library's streams this is; each kernel that draws numbers says which it takes.
  var stream: UInt64 = 0

  /// Eight numbers in (0, 1), of the elements from `first` on
  @inline(__always) func uniform(_ first: Int) -> DoubleLanes { words(first).first }

  /// Eight numbers of the standard normal distribution (Box and Muller): `√(−2 ln U)·cos 2πU'`.
  @inline(__always) func normal(_ first: Int) -> DoubleLanes {
    let (radius, angle) = words(first)
    return (DoubleLanes(-2) * DoubleLanes.log(radius)).squareRoot * DoubleLanes.cosineOfTurns(angle)
  }

  /// Eight numbers of the standard Gumbel distribution: `−ln(−ln U)`.
  @inline(__always) func gumbel(_ first: Int) -> DoubleLanes {
    -DoubleLanes.log(-DoubleLanes.log(words(first).first))
  }

  /// U of the first two and of the last two words of eight elements. Each lane holds a word in its lower half; what
  /// is left in the upper one does not matter until the end.
  @inline(never)
  private func words(_ first: Int) -> (first: DoubleLanes, second: DoubleLanes) {
    let start = offset &+ UInt64(bitPattern: Int64(first))
    let counter = Int64Lanes(Int(truncatingIfNeeded: start)) &+ Int64Lanes.indices
    var x0 = counter, x1 = counter.shiftedRightLogical(32)
    var x2 = Int64Lanes(Int(stream & 0xffff_ffff)), x3 = Int64Lanes(Int(stream >> 32))
    var key0 = UInt32(truncatingIfNeeded: seed), key1 = UInt32(truncatingIfNeeded: seed >> 32)
    for _ in 0..<10 {
      let p0 = Int64Lanes.productOfLowHalves(x0, Int64Lanes(0xD251_1F53))
      let p1 = Int64Lanes.productOfLowHalves(x2, Int64Lanes(0xCD9E_8D57))
      (x0, x1, x2, x3) = (
        p1.shiftedRightLogical(32) ^ x1 ^ Int64Lanes(Int(key0)), p1,
        p0.shiftedRightLogical(32) ^ x3 ^ Int64Lanes(Int(key1)), p0
      )
      key0 &+= 0x9E37_79B9
      key1 &+= 0xBB67_AE85
    }
    return (Self.unit(x0, x1), Self.unit(x2, x3))
  }

  /// `((⌊a/2^5⌋·2^26 + ⌊b/2^6⌋) + ½)·2^−53`, at most 1 − 2^−53.
  @inline(__always) private static func unit(_ a: Int64Lanes, _ b: Int64Lanes) -> DoubleLanes {
    let word = Int64Lanes(0xffff_ffff)
    let bits = (a & word).shiftedRightLogical(5).shiftedLeft(26) | (b & word).shiftedRightLogical(6)
    return DoubleLanes.min(
      (DoubleLanes(bits) + DoubleLanes(0.5)) * DoubleLanes(0x1p-53), DoubleLanes(0x1.fffffffffffffp-1))
  }
}

extension Lanes {
  /// `count` consecutive numbers: `draw` gives eight, of the elements from its argument on.
  @inline(__always) static func drawn(_ first: Int, _ draw: (Int) -> DoubleLanes) -> Self {
    Self(draw(first), count > 8 ? draw(first &+ 8) : DoubleLanes.zero)
  }
}
