// The elementary functions as C functions over arrays, for the tests alone. `count` is a multiple of the vector's width.

@inline(__always)
private func apply<S: Scalar>(
  _ x: UnsafePointer<S>, _ y: UnsafeMutablePointer<S>, _ count: Int, _ function: (S.Vector) -> S.Vector
) {
  var i = 0
  while i < count {
    function(S.Vector.load(x + i)).store(y + i)
    i &+= S.Vector.count
  }
}

@inline(__always)
private func apply<S: Scalar>(
  _ x: UnsafePointer<S>, _ z: UnsafePointer<S>, _ y: UnsafeMutablePointer<S>, _ count: Int,
  _ function: (S.Vector, S.Vector) -> S.Vector
) {
  var i = 0
  while i < count {
    function(S.Vector.load(x + i), S.Vector.load(z + i)).store(y + i)
    i &+= S.Vector.count
  }
}

typealias Floats = UnsafePointer<Float>
typealias FloatResults = UnsafeMutablePointer<Float>

@c func test_exp_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .exp($0) } }
@c func test_exp_of_non_positive_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .expOfNonPositive($0) } }
@c func test_exp2_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .exp2($0) } }
@c func test_expm1_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .expm1($0) } }
@c func test_log_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .log($0) } }
@c func test_log2_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .log2($0) } }
@c func test_log1p_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .log1p($0) } }
@c func test_log1p_of_fraction_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .log1pOfFraction($0) } }
@c func test_sigmoid_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .sigmoid($0) } }
@c func test_shared_sigmoid_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { Logistic($0).positive } }
@c func test_log_sigmoid_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .logSigmoid($0) } }
@c func test_softplus_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .softplus($0) } }
@c func test_cosine_of_turns_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .cosineOfTurns($0) } }
@c func test_tanh_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .tanh($0) } }
@c func test_atan_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .atan($0) } }
@c func test_erf_f32(_ x: Floats, _ y: FloatResults, _ count: Int) { apply(x, y, count) { .erf($0) } }
@c func test_pow_f32(_ x: Floats, _ z: Floats, _ y: FloatResults, _ count: Int) { apply(x, z, y, count) { .pow($0, $1) } }

typealias Doubles = UnsafePointer<Double>
typealias DoubleResults = UnsafeMutablePointer<Double>

@c func test_exp_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .exp($0) } }
@c func test_exp_of_non_positive_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .expOfNonPositive($0) } }
@c func test_exp2_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .exp2($0) } }
@c func test_expm1_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .expm1($0) } }
@c func test_log_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .log($0) } }
@c func test_log2_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .log2($0) } }
@c func test_log1p_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .log1p($0) } }
@c func test_log1p_of_fraction_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .log1pOfFraction($0) } }
@c func test_sigmoid_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .sigmoid($0) } }
@c func test_shared_sigmoid_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { Logistic($0).positive } }
@c func test_log_sigmoid_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .logSigmoid($0) } }
@c func test_softplus_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .softplus($0) } }
@c func test_cosine_of_turns_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .cosineOfTurns($0) } }
@c func test_tanh_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .tanh($0) } }
@c func test_atan_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .atan($0) } }
@c func test_erf_f64(_ x: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, y, count) { .erf($0) } }
@c func test_pow_f64(_ x: Doubles, _ z: Doubles, _ y: DoubleResults, _ count: Int) { apply(x, z, y, count) { .pow($0, $1) } }
