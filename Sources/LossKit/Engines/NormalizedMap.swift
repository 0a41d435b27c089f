// Maps p = f(z) / Σ f(z) of a function f ≥ 0, their logarithms, and the vector-Jacobian products of both.

/// The function f of such a map. A class of −inf does not count: value and derivative have to be 0 there.
protocol NormalizedFunction {
  associatedtype V: Lanes
  /// Are rows with Σ f = 0 uniform? Otherwise they are NaN.
  static var isUniformAtZero: Bool { get }
  /// What f needs to know of each row.
  func constants(_ tile: RowTile<V>) -> RowConstants<V>
  /// f
  func value(_ x: V, _ k: RowConstants<V>) -> V
  /// f'
  func derivative(_ x: V, _ k: RowConstants<V>) -> V
  /// f' / f
  func logarithmicDerivative(_ x: V, _ k: RowConstants<V>) -> V
}

extension NormalizedFunction {
  static var isUniformAtZero: Bool { false }
  @inline(__always) func constants(_ tile: RowTile<V>) -> RowConstants<V> { RowConstants() }
}

/// `p = f / Σ f`, or `log p`, of the arguments of a public function, which are checked first.
@inline(__always)
func mapNormalized<F: NormalizedFunction>(
  _ function: F, _ z: UnsafePointer<F.V.Element>?, _ shape: (outer: Int, classes: Int, inner: Int),
  logarithm: Bool = false, output: UnsafeMutablePointer<F.V.Element>?
) -> Status {
  guard let shape = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let output else { return .nullPointer }
  let arrays = RowArrays(first: z, second: z, perClass: nil, output: output)
  if logarithm {
    forEachRowTile(shape, arrays, NormalizedLogKernel(function: function))
  } else {
    forEachRowTile(shape, arrays, NormalizedKernel(function: function, uniform: F.V(1 / Double(shape.classes))))
  }
  return .ok
}

/// The vector-Jacobian product of `p`, or of `log p`.
@inline(__always)
func mapNormalizedVjp<F: NormalizedFunction>(
  _ function: F, _ z: UnsafePointer<F.V.Element>?, _ gradOutput: UnsafePointer<F.V.Element>?,
  _ shape: (outer: Int, classes: Int, inner: Int), logarithm: Bool = false,
  gradZ: UnsafeMutablePointer<F.V.Element>?
) -> Status {
  guard let shape = RowShape(shape.outer, shape.classes, shape.inner) else { return .invalidShape }
  if shape.rows == 0 { return .ok }
  guard let z, let gradOutput, let gradZ else { return .nullPointer }
  let arrays = RowArrays(first: z, second: gradOutput, perClass: nil, output: gradZ)
  if logarithm {
    forEachRowTile(shape, arrays, NormalizedLogVjpKernel(function: function))
  } else {
    forEachRowTile(shape, arrays, NormalizedVjpKernel(function: function))
  }
  return .ok
}

/// p = f / S
private struct NormalizedKernel<F: NormalizedFunction>: RowVisitor {
  typealias V = F.V
  let function: F
  let uniform: V

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = function.constants(tile)
    k.d = V.definedSum(tile.sum(k, keep: true) { e, k in function.value(e.x, k) })
    tile.map(k) { e, k in
      F.isUniformAtZero ? V.select(k.d .== V.zero, uniform, e.kept / k.d) : e.kept / k.d
    }
  }
}

/// log p = log(f / S)
private struct NormalizedLogKernel<F: NormalizedFunction>: RowVisitor {
  typealias V = F.V
  let function: F

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = function.constants(tile)
    let sum = V.definedSum(tile.sum(k, keep: true) { e, k in function.value(e.x, k) })
    let logarithm = LogarithmOfRatio(V.select(sum .== V.zero, V.nan, sum))
    (k.c, k.d) = (logarithm.scaled, logarithm.exponent)
    tile.map(k) { e, k in LogarithmOfRatio(scaled: k.c, exponent: k.d)(e.kept) }
  }
}

/// grad = f' / S · (g − ⟨p, g⟩)
private struct NormalizedVjpKernel<F: NormalizedFunction>: RowVisitor {
  typealias V = F.V
  let function: F
  static var usesSecond: Bool { true }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = function.constants(tile)
    k.d = V.definedSum(tile.sum(k, keep: false) { e, k in function.value(e.x, k) })
    k.c = tile.sum(k, keep: false) { e, k in function.value(e.x, k) * e.y } / k.d
    tile.map(k) { e, k in
      let grad = function.derivative(e.x, k) / k.d * (e.y - k.c)
      return F.isUniformAtZero ? V.select(k.d .== V.zero, V.zero, grad) : grad
    }
  }
}

/// grad = f' / f · (g − p Σ g)
private struct NormalizedLogVjpKernel<F: NormalizedFunction>: RowVisitor {
  typealias V = F.V
  let function: F
  static var usesSecond: Bool { true }

  @inline(__always) func visit(_ tile: RowTile<V>) {
    var k = function.constants(tile)
    k.d = V.definedSum(tile.sum(k, keep: false) { e, k in function.value(e.x, k) })
    k.c = tile.sum(k, keep: false) { e, _ in e.y }
    tile.map(k) { e, k in
      function.logarithmicDerivative(e.x, k) * (e.y - function.value(e.x, k) / k.d * k.c)
    }
  }
}
