// Eight numbers of either precision as doubles, and doubles as the lanes of either vector: for what is computed in double
// whatever the precision of the call.

extension DoubleLanes {
  /// The first `n` lanes, at most eight; the others are 0.
  @inline(__always) static func load<S: Scalar>(widening p: UnsafePointer<S>, first n: Int) -> DoubleLanes {
    S.Vector.load(p, first: n, fill: 0).doubles.0
  }

  @inline(__always) func store<S: Scalar>(narrowing p: UnsafeMutablePointer<S>, first n: Int) {
    S.Vector(self, .zero).store(p, first: n)
  }
}

extension Lanes {
  /// Doubles that lanes were stored as.
  @inline(__always) init(doubles p: UnsafePointer<Double>) {
    self.init(DoubleLanes.load(p), Self.count > DoubleLanes.count ? DoubleLanes.load(p + DoubleLanes.count) : .zero)
  }

  @inline(__always) init(doubles p: UnsafeMutablePointer<Double>) { self.init(doubles: UnsafePointer(p)) }

  @inline(__always) func store(doubles p: UnsafeMutablePointer<Double>) {
    doubles.0.store(p)
    if Self.count > DoubleLanes.count { doubles.1.store(p + DoubleLanes.count) }
  }
}
