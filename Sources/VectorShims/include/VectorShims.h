//===----------------------------------------------------------------------===//
// VectorShims: the vector instructions that Swift cannot spell.
//
// The kernels see one logical vector on every machine: 16 floats or 8 doubles
// (64 bytes). Where registers are narrower the compiler splits it. Every
// function here is one instruction, or the short sequence that stands for it,
// and gives the same bits on every target, with two exceptions that are said:
//
//   * fused multiply-add is a multiply and an add where there is no FMA unit
//     (the x86-64 baseline tier);
//   * nothing else.
//
// Only primitives belong here. Algorithms are Swift.
//===----------------------------------------------------------------------===//
#ifndef LOSSKIT_VECTOR_SHIMS_H
#define LOSSKIT_VECTOR_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// A product that is later added must round on its own: a contraction that one
// target makes and another does not would break bit equality.
#pragma clang fp contract(off)

// All of these are inlined: how a wide vector would be passed to a function does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define VS_INLINE static inline __attribute__((always_inline))

typedef float vs_f32 __attribute__((ext_vector_type(16)));
typedef int32_t vs_i32 __attribute__((ext_vector_type(16)));
typedef uint32_t vs_u32 __attribute__((ext_vector_type(16)));
typedef double vs_f64 __attribute__((ext_vector_type(8)));
typedef int64_t vs_i64 __attribute__((ext_vector_type(8)));
typedef uint64_t vs_u64 __attribute__((ext_vector_type(8)));

// The same types without the alignment of a register, for memory access.
typedef float vs_f32_unaligned __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t vs_i32_unaligned __attribute__((ext_vector_type(16), aligned(4)));
typedef double vs_f64_unaligned __attribute__((ext_vector_type(8), aligned(8)));
typedef int64_t vs_i64_unaligned __attribute__((ext_vector_type(8), aligned(8)));

static const vs_i32 vs_iota_i32 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const vs_i64 vs_iota_i64 = {0, 1, 2, 3, 4, 5, 6, 7};

// Is there hardware FMA? (Without it, __builtin_elementwise_fma is a libm call.)
#if defined(__FMA__) || defined(__aarch64__)
#define VS_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define VS_FMA(a, b, c) ((a) * (b) + (c))
#endif

//===--- Both precisions ---------------------------------------------------===//
// T: suffix, S: scalar, I: suffix of the integer vector of the same shape,
// N: lanes, BITS: bits a lane.

#define VS_DEFINE(T, S, I, U, N)                                                                   \
  VS_INLINE vs_##T vs_splat_##T(S x) { return (vs_##T)(x); }                                       \
  VS_INLINE vs_##T vs_add_##T(vs_##T a, vs_##T b) { return a + b; }                                \
  VS_INLINE vs_##T vs_sub_##T(vs_##T a, vs_##T b) { return a - b; }                                \
  VS_INLINE vs_##T vs_mul_##T(vs_##T a, vs_##T b) { return a * b; }                                \
  VS_INLINE vs_##T vs_div_##T(vs_##T a, vs_##T b) { return a / b; }                                \
  VS_INLINE vs_##T vs_neg_##T(vs_##T a) { return -a; }                                             \
  /* a·b + c, rounded once where the target has FMA */                                             \
  VS_INLINE vs_##T vs_fma_##T(vs_##T a, vs_##T b, vs_##T c) { return VS_FMA(a, b, c); }            \
  VS_INLINE vs_##T vs_sqrt_##T(vs_##T a) { return __builtin_elementwise_sqrt(a); }                 \
  VS_INLINE vs_##T vs_abs_##T(vs_##T a) { return __builtin_elementwise_abs(a); }                   \
  VS_INLINE vs_##T vs_copysign_##T(vs_##T a, vs_##T b) {                                           \
    return __builtin_elementwise_copysign(a, b);                                                   \
  }                                                                                                \
  /* a > b ? a : b; so b where either is NaN (x86 vmaxps), and likewise for min */                 \
  VS_INLINE vs_##T vs_max_##T(vs_##T a, vs_##T b) { return a > b ? a : b; }                        \
  VS_INLINE vs_##T vs_min_##T(vs_##T a, vs_##T b) { return a < b ? a : b; }                        \
  /* Comparisons give -1 (true) or 0 in each lane */                                               \
  VS_INLINE vs_##I vs_lt_##T(vs_##T a, vs_##T b) { return a < b; }                                 \
  VS_INLINE vs_##I vs_le_##T(vs_##T a, vs_##T b) { return a <= b; }                                \
  VS_INLINE vs_##I vs_eq_##T(vs_##T a, vs_##T b) { return a == b; }                                \
  VS_INLINE vs_##I vs_ne_##T(vs_##T a, vs_##T b) { return a != b; }                                \
  VS_INLINE vs_##T vs_select_##T(vs_##I m, vs_##T a, vs_##T b) { return m ? a : b; }               \
  VS_INLINE vs_##I vs_select_##I(vs_##I m, vs_##I a, vs_##I b) { return m ? a : b; }               \
  VS_INLINE bool vs_any_##I(vs_##I m) { return __builtin_reduce_or(m) != 0; }                      \
  /* Integers of the same shape */                                                                 \
  VS_INLINE vs_##I vs_bits_##T(vs_##T a) { return (vs_##I)a; }                                     \
  VS_INLINE vs_##T vs_from_bits_##T(vs_##I a) { return (vs_##T)a; }                                \
  VS_INLINE vs_##I vs_splat_##I(S##_int x) { return (vs_##I)(x); }                                 \
  VS_INLINE vs_##I vs_iota_lanes_##I(void) { return vs_iota_##I; }                                 \
  VS_INLINE vs_##I vs_add_##I(vs_##I a, vs_##I b) { return (vs_##I)((vs_##U)a + (vs_##U)b); }      \
  VS_INLINE vs_##I vs_sub_##I(vs_##I a, vs_##I b) { return (vs_##I)((vs_##U)a - (vs_##U)b); }      \
  VS_INLINE vs_##I vs_and_##I(vs_##I a, vs_##I b) { return a & b; }                                \
  VS_INLINE vs_##I vs_or_##I(vs_##I a, vs_##I b) { return a | b; }                                 \
  VS_INLINE vs_##I vs_xor_##I(vs_##I a, vs_##I b) { return a ^ b; }                                \
  VS_INLINE vs_##I vs_not_##I(vs_##I a) { return ~a; }                                             \
  VS_INLINE vs_##I vs_eq_##I(vs_##I a, vs_##I b) { return a == b; }                                \
  VS_INLINE vs_##I vs_lt_##I(vs_##I a, vs_##I b) { return a < b; }                                 \
  VS_INLINE vs_##I vs_unsigned_max_##I(vs_##I a, vs_##I b) { return (vs_##U)a > (vs_##U)b ? a : b; } \
  VS_INLINE vs_##I vs_shl_##I(vs_##I a, int n) { return (vs_##I)((vs_##U)a << (vs_##U)(S##_uint)n); } \
  VS_INLINE vs_##I vs_sar_##I(vs_##I a, int n) { return a >> (vs_##I)(S##_int)n; }                 \
  VS_INLINE vs_##I vs_shr_##I(vs_##I a, int n) { return (vs_##I)((vs_##U)a >> (vs_##U)(S##_uint)n); } \
  /* int -> float exactly rounded; float -> int toward zero (in-range values only) */              \
  VS_INLINE vs_##T vs_to_float_##I(vs_##I a) { return __builtin_convertvector(a, vs_##T); }        \
  VS_INLINE vs_##I vs_to_int_##T(vs_##T a) { return __builtin_convertvector(a, vs_##I); }          \
  /* Memory: whole vectors, no alignment needed */                                                 \
  VS_INLINE vs_##T vs_load_##T(const S *p) { return *(const vs_##T##_unaligned *)p; }              \
  VS_INLINE void vs_store_##T(S *p, vs_##T v) { *(vs_##T##_unaligned *)p = v; }

#define float_int int32_t
#define float_uint uint32_t
#define double_int int64_t
#define double_uint uint64_t
VS_DEFINE(f32, float, i32, u32, 16)
VS_DEFINE(f64, double, i64, u64, 8)
#undef float_int
#undef float_uint
#undef double_int
#undef double_uint
#undef VS_DEFINE

VS_INLINE vs_i32 vs_load_i32(const int32_t *p) { return *(const vs_i32_unaligned *)p; }
VS_INLINE void vs_store_i32(int32_t *p, vs_i32 v) { *(vs_i32_unaligned *)p = v; }
VS_INLINE vs_i64 vs_load_i64(const int64_t *p) { return *(const vs_i64_unaligned *)p; }
VS_INLINE void vs_store_i64(int64_t *p, vs_i64 v) { *(vs_i64_unaligned *)p = v; }
// Eight 32-bit integers widened to the lanes of a double vector.
typedef int32_t vs_i32x8_unaligned __attribute__((ext_vector_type(8), aligned(4)));
VS_INLINE vs_i64 vs_load_i64_from_i32(const int32_t *p) {
  return __builtin_convertvector(*(const vs_i32x8_unaligned *)p, vs_i64);
}
// Sixteen 64-bit integers narrowed (values must fit).
typedef int64_t vs_i64x16_unaligned __attribute__((ext_vector_type(16), aligned(8)));
VS_INLINE vs_i32 vs_load_i32_from_i64(const int64_t *p) {
  return __builtin_convertvector(*(const vs_i64x16_unaligned *)p, vs_i32);
}
// And widened again.
VS_INLINE void vs_store_i64_from_i32(int64_t *p, vs_i32 v) {
  *(vs_i64x16_unaligned *)p = __builtin_convertvector(v, vs_i64x16_unaligned);
}

// The product of the lower 32 bits of each lane, unsigned: all 64 bits of it.
VS_INLINE vs_i64 vs_mul_low_halves_i64(vs_i64 a, vs_i64 b) {
  const vs_u64 low = (vs_u64)0xffffffffu;
  return (vs_i64)(((vs_u64)a & low) * ((vs_u64)b & low));
}

//===--- Masks as bits: lane i is bit i ------------------------------------===//

VS_INLINE uint32_t vs_mask_bits_i32(vs_i32 m) {
#if defined(__AVX512F__)
  return (uint32_t)_mm512_movepi32_mask((__m512i)m);
#else
  typedef bool bits __attribute__((ext_vector_type(16)));
  union { bits b; uint16_t u; } x = {.b = __builtin_convertvector(m < 0, bits)};
  return x.u;
#endif
}
VS_INLINE uint32_t vs_mask_bits_i64(vs_i64 m) {
#if defined(__AVX512F__)
  return (uint32_t)_mm512_movepi64_mask((__m512i)m);
#else
  typedef bool bits __attribute__((ext_vector_type(8)));
  union { bits b; uint8_t u; } x = {.b = __builtin_convertvector(m < 0, bits)};
  return x.u;
#endif
}
// From bytes: true where one is not 0.
#define VS_DEFINE(I, N)                                                                            \
  typedef uint8_t vs_bytes_##I __attribute__((ext_vector_type(N), aligned(1)));                    \
  VS_INLINE vs_##I vs_load_mask_##I(const uint8_t *p) {                                            \
    return __builtin_convertvector(*(const vs_bytes_##I *)p, vs_##I) != 0;                         \
  }                                                                                                \
  VS_INLINE vs_##I vs_load_first_mask_##I(const uint8_t *p, ptrdiff_t n) {                         \
    uint8_t bytes[N] = {0};                                                                        \
    for (ptrdiff_t i = 0; i < n; i++) bytes[i] = p[i];                                             \
    return vs_load_mask_##I(bytes);                                                                \
  }
VS_DEFINE(i32, 16)
VS_DEFINE(i64, 8)
#undef VS_DEFINE
// The first n lanes, 0 <= n <= lanes.
VS_INLINE vs_i32 vs_first_i32(ptrdiff_t n) { return vs_iota_i32 < (vs_i32)(int32_t)n; }
VS_INLINE vs_i64 vs_first_i64(ptrdiff_t n) { return vs_iota_i64 < (vs_i64)(int64_t)n; }

//===--- Tails: the first n lanes of memory, 0 <= n <= lanes ---------------===//
// Lanes from n on are `fill`; memory behind p[n-1] is never touched.

#if defined(__AVX512F__)
VS_INLINE vs_f32 vs_load_first_f32(const float *p, ptrdiff_t n, float fill) {
  return (vs_f32)_mm512_mask_loadu_ps((__m512)(vs_f32)(fill), (__mmask16)((1u << n) - 1), p);
}
VS_INLINE void vs_store_first_f32(float *p, ptrdiff_t n, vs_f32 v) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
VS_INLINE vs_f64 vs_load_first_f64(const double *p, ptrdiff_t n, double fill) {
  return (vs_f64)_mm512_mask_loadu_pd((__m512d)(vs_f64)(fill), (__mmask8)((1u << n) - 1), p);
}
VS_INLINE void vs_store_first_f64(double *p, ptrdiff_t n, vs_f64 v) {
  _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
}
#elif defined(__AVX2__)
VS_INLINE vs_f32 vs_load_first_f32(const float *p, ptrdiff_t n, float fill) {
  vs_i32 m = vs_first_i32(n);
  union { __m256 half[2]; vs_f32 v; } x;
  x.half[0] = _mm256_maskload_ps(p, (__m256i)m.lo);
  x.half[1] = _mm256_maskload_ps(p + 8, (__m256i)m.hi);
  return m ? x.v : (vs_f32)(fill);
}
VS_INLINE void vs_store_first_f32(float *p, ptrdiff_t n, vs_f32 v) {
  vs_i32 m = vs_first_i32(n);
  _mm256_maskstore_ps(p, (__m256i)m.lo, (__m256)v.lo);
  _mm256_maskstore_ps(p + 8, (__m256i)m.hi, (__m256)v.hi);
}
VS_INLINE vs_f64 vs_load_first_f64(const double *p, ptrdiff_t n, double fill) {
  vs_i64 m = vs_first_i64(n);
  union { __m256d half[2]; vs_f64 v; } x;
  x.half[0] = _mm256_maskload_pd(p, (__m256i)m.lo);
  x.half[1] = _mm256_maskload_pd(p + 4, (__m256i)m.hi);
  return m ? x.v : (vs_f64)(fill);
}
VS_INLINE void vs_store_first_f64(double *p, ptrdiff_t n, vs_f64 v) {
  vs_i64 m = vs_first_i64(n);
  _mm256_maskstore_pd(p, (__m256i)m.lo, (__m256d)v.lo);
  _mm256_maskstore_pd(p + 4, (__m256i)m.hi, (__m256d)v.hi);
}
#else
// Loops, and so out of line: they are met once for a row at the most.
#define VS_TAIL static __attribute__((noinline, unused))
VS_TAIL __attribute__((pure)) vs_f32 tail_load_f32(const float *p, ptrdiff_t n, float fill) {
  union { float lane[16]; vs_f32 v; } x = {.v = (vs_f32)(fill)};
  for (ptrdiff_t i = 0; i < n; i++) x.lane[i] = p[i];
  return x.v;
}
VS_TAIL void tail_store_f32(float *p, ptrdiff_t n, vs_f32 v) {
  union { float lane[16]; vs_f32 v; } x = {.v = v};
  for (ptrdiff_t i = 0; i < n; i++) p[i] = x.lane[i];
}
VS_TAIL __attribute__((pure)) vs_f64 tail_load_f64(const double *p, ptrdiff_t n, double fill) {
  union { double lane[8]; vs_f64 v; } x = {.v = (vs_f64)(fill)};
  for (ptrdiff_t i = 0; i < n; i++) x.lane[i] = p[i];
  return x.v;
}
VS_TAIL void tail_store_f64(double *p, ptrdiff_t n, vs_f64 v) {
  union { double lane[8]; vs_f64 v; } x = {.v = v};
  for (ptrdiff_t i = 0; i < n; i++) p[i] = x.lane[i];
}
#undef VS_TAIL
VS_INLINE vs_f32 vs_load_first_f32(const float *p, ptrdiff_t n, float fill) { return tail_load_f32(p, n, fill); }
VS_INLINE void vs_store_first_f32(float *p, ptrdiff_t n, vs_f32 v) { tail_store_f32(p, n, v); }
VS_INLINE vs_f64 vs_load_first_f64(const double *p, ptrdiff_t n, double fill) { return tail_load_f64(p, n, fill); }
VS_INLINE void vs_store_first_f64(double *p, ptrdiff_t n, vs_f64 v) { tail_store_f64(p, n, v); }
#endif

// The same for loops in which n is all lanes but at an end. Plain accesses wherever they do: processors neither fetch
// ahead of masked loads nor combine masked stores as well.
#define VS_DEFINE(T, I, S, N)                                                                      \
  VS_INLINE vs_##T vs_load_lanes_##T(const S *p, ptrdiff_t n, S fill) {                            \
    return n == N ? vs_load_##T(p) : vs_load_first_##T(p, n, fill);                                            \
  }                                                                                                \
  VS_INLINE void vs_store_lanes_##T(S *p, ptrdiff_t n, vs_##T v) {                                 \
    if (n == N) vs_store_##T(p, v);                                                                \
    else vs_store_first_##T(p, n, v);                                                              \
  }                                                                                                \
  VS_INLINE vs_##T vs_keep_lanes_##T(vs_##T v, ptrdiff_t n, S fill) {                              \
    return VS_KEEP_##T(v, n, (vs_##T)(fill));                                                      \
  }                                                                                                \
  VS_INLINE vs_##T vs_add_lanes_##T(vs_##T a, vs_##T b, ptrdiff_t n) {                             \
    return VS_KEEP_##T(a + b, n, a);                                                               \
  }
#if defined(__AVX512F__)
#define VS_KEEP_f32(v, n, other) \
  ((vs_f32)_mm512_mask_mov_ps((__m512)(other), (__mmask16)((1u << (n)) - 1), (__m512)(v)))
#define VS_KEEP_f64(v, n, other) \
  ((vs_f64)_mm512_mask_mov_pd((__m512d)(other), (__mmask8)((1u << (n)) - 1), (__m512d)(v)))
#else
#define VS_KEEP_f32(v, n, other) ((n) == 16 ? (v) : (vs_first_i32(n) ? (v) : (other)))
#define VS_KEEP_f64(v, n, other) ((n) == 8 ? (v) : (vs_first_i64(n) ? (v) : (other)))
#endif
VS_DEFINE(f32, i32, float, 16)
VS_DEFINE(f64, i64, double, 8)
#undef VS_DEFINE
#undef VS_KEEP_f32
#undef VS_KEEP_f64

//===--- Compaction: the lanes where a mask is true, one behind the other --===//
// p has room for a whole vector, whatever the mask. Returns how many there are.

#if defined(__AVX512F__)
// Not the form that stores: Zen runs it as microcode.
VS_INLINE ptrdiff_t vs_compress_f32(float *p, vs_i32 m, vs_f32 v) {
  __mmask16 k = _mm512_movepi32_mask((__m512i)m);
  _mm512_storeu_ps(p, _mm512_maskz_compress_ps(k, (__m512)v));
  return __builtin_popcount(k);
}
VS_INLINE ptrdiff_t vs_compress_f64(double *p, vs_i64 m, vs_f64 v) {
  __mmask8 k = _mm512_movepi64_mask((__m512i)m);
  _mm512_storeu_pd(p, _mm512_maskz_compress_pd(k, (__m512d)v));
  return __builtin_popcount(k);
}
#else
VS_INLINE ptrdiff_t vs_compress_f32(float *p, vs_i32 m, vs_f32 v) {
  union { vs_f32 v; float lane[16]; } x = {.v = v};
  ptrdiff_t n = 0;
  for (uint32_t bits = vs_mask_bits_i32(m); bits; bits &= bits - 1) p[n++] = x.lane[__builtin_ctz(bits)];
  return n;
}
VS_INLINE ptrdiff_t vs_compress_f64(double *p, vs_i64 m, vs_f64 v) {
  union { vs_f64 v; double lane[8]; } x = {.v = v};
  uint32_t bits = vs_mask_bits_i64(m);
  ptrdiff_t n = 0;
  if (bits & (bits - 1)) {  // Where they are many, nobody can foresee which.
    for (int i = 0; i < 8; i++) {
      p[n] = x.lane[i];
      n += bits >> i & 1;
    }
  } else if (bits) {
    p[n++] = x.lane[__builtin_ctz(bits)];
  }
  return n;
}
#endif

//===--- Reductions: one fixed tree, halves folded onto each other ---------===//

#define VS_FOLD(OP)                                                                                \
  vs_f32x8 a = OP(v.lo, v.hi);                                                                     \
  vs_f32x4 b = OP(a.lo, a.hi);                                                                     \
  vs_f32x2 c = OP(b.lo, b.hi);                                                                     \
  return OP(c.x, c.y);
typedef float vs_f32x8 __attribute__((ext_vector_type(8)));
typedef float vs_f32x4 __attribute__((ext_vector_type(4)));
typedef float vs_f32x2 __attribute__((ext_vector_type(2)));
typedef double vs_f64x4 __attribute__((ext_vector_type(4)));
typedef double vs_f64x2 __attribute__((ext_vector_type(2)));

#define VS_ADD(a, b) ((a) + (b))
#define VS_MAX(a, b) ((a) > (b) ? (a) : (b))
#define VS_MIN(a, b) ((a) < (b) ? (a) : (b))
VS_INLINE float vs_reduce_add_f32(vs_f32 v) { VS_FOLD(VS_ADD) }
VS_INLINE float vs_reduce_max_f32(vs_f32 v) { VS_FOLD(VS_MAX) }
VS_INLINE float vs_reduce_min_f32(vs_f32 v) { VS_FOLD(VS_MIN) }
#undef VS_FOLD
#define VS_FOLD(OP)                                                                                \
  vs_f64x4 a = OP(v.lo, v.hi);                                                                     \
  vs_f64x2 b = OP(a.lo, a.hi);                                                                     \
  return OP(b.x, b.y);
VS_INLINE double vs_reduce_add_f64(vs_f64 v) { VS_FOLD(VS_ADD) }
VS_INLINE double vs_reduce_max_f64(vs_f64 v) { VS_FOLD(VS_MAX) }
VS_INLINE double vs_reduce_min_f64(vs_f64 v) { VS_FOLD(VS_MIN) }
#undef VS_FOLD
#undef VS_ADD
#undef VS_MAX
#undef VS_MIN

//===--- Exponents ---------------------------------------------------------===//
// x·2^n for integral n with |n| <= 2200 (f64) or 300 (f32), rounded once, also
// into the subnormals: two factors, of which the first product is exact.

VS_INLINE vs_f32 vs_scale_f32(vs_f32 x, vs_f32 n) {
#if defined(__AVX512F__)
  return (vs_f32)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
  vs_i32 k = __builtin_convertvector(n, vs_i32);
  vs_i32 half = k >> 1;
  vs_f32 f = (vs_f32)((half + 127) << 23);
  vs_f32 g = (vs_f32)((k - half + 127) << 23);
  return x * f * g;
#endif
}
VS_INLINE vs_f64 vs_scale_f64(vs_f64 x, vs_f64 n) {
#if defined(__AVX512F__)
  return (vs_f64)_mm512_scalef_pd((__m512d)x, (__m512d)n);
#else
  // Adding 1.5·2^52 leaves the integer in the low bits: no 64-bit conversion,
  // which AVX2 and SSE2 lack.
  vs_i64 k = (vs_i64)(n + 0x1.8p52) - (vs_i64)(vs_f64)(0x1.8p52);
  // An arithmetic shift of a 64-bit lane is missing below AVX-512 as well:
  // halve through an offset that keeps the value positive.
  vs_i64 half = (vs_i64)((vs_u64)(k + 8192) >> 1) - 4096;
  vs_f64 f = (vs_f64)((half + 1023) << 52);
  vs_f64 g = (vs_f64)((k - half + 1023) << 52);
  return x * f * g;
#endif
}

//===--- Between the precisions --------------------------------------------===//

VS_INLINE vs_i64 vs_widen_lo_i32(vs_i32 v) { return __builtin_convertvector(v.lo, vs_i64); }
VS_INLINE vs_i64 vs_widen_hi_i32(vs_i32 v) { return __builtin_convertvector(v.hi, vs_i64); }

VS_INLINE vs_f64 vs_widen_lo_f32(vs_f32 v) { return __builtin_convertvector(v.lo, vs_f64); }
VS_INLINE vs_f64 vs_widen_hi_f32(vs_f32 v) { return __builtin_convertvector(v.hi, vs_f64); }
VS_INLINE vs_f32 vs_narrow_f64(vs_f64 lo, vs_f64 hi) {
  vs_f32 v;
  v.lo = __builtin_convertvector(lo, vs_f32x8);
  v.hi = __builtin_convertvector(hi, vs_f32x8);
  return v;
}

//===--- Transposes of square tiles ----------------------------------------===//
// Row i is what stands at p + i * stride; `tile` becomes an array of columns, and
// may be where the rows are. (A void pointer, because Swift imports pointers to
// vectors as opaque ones; and not aligned, because Swift aligns its own vectors
// to 16 bytes only.)

#define VS_UNPACK_LO_32(a, b)                                                                      \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define VS_UNPACK_HI_32(a, b)                                                                      \
  __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define VS_UNPACK_LO_64(a, b)                                                                      \
  __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define VS_UNPACK_HI_64(a, b)                                                                      \
  __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define VS_QUARTERS_EVEN(a, b)                                                                     \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define VS_QUARTERS_ODD(a, b)                                                                      \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)

VS_INLINE void vs_transpose_f32(const float *p, ptrdiff_t stride, void *tile) {
  vs_f32_unaligned *rows = tile;
  vs_f32 a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    vs_f32 even = vs_load_f32(p + i * stride), odd = vs_load_f32(p + (i + 1) * stride);
    a[i] = VS_UNPACK_LO_32(even, odd);
    a[i + 1] = VS_UNPACK_HI_32(even, odd);
  }
  for (int i = 0; i < 16; i += 4) {
    b[i] = VS_UNPACK_LO_64(a[i], a[i + 2]);
    b[i + 1] = VS_UNPACK_HI_64(a[i], a[i + 2]);
    b[i + 2] = VS_UNPACK_LO_64(a[i + 1], a[i + 3]);
    b[i + 3] = VS_UNPACK_HI_64(a[i + 1], a[i + 3]);
  }
  // b[4g + c] holds, in quarter q, column 4q + c of rows 4g .. 4g + 3.
  for (int c = 0; c < 4; c++) {
    vs_f32 even_lo = VS_QUARTERS_EVEN(b[c], b[4 + c]), odd_lo = VS_QUARTERS_ODD(b[c], b[4 + c]);
    vs_f32 even_hi = VS_QUARTERS_EVEN(b[8 + c], b[12 + c]), odd_hi = VS_QUARTERS_ODD(b[8 + c], b[12 + c]);
    rows[c] = VS_QUARTERS_EVEN(even_lo, even_hi);
    rows[4 + c] = VS_QUARTERS_EVEN(odd_lo, odd_hi);
    rows[8 + c] = VS_QUARTERS_ODD(even_lo, even_hi);
    rows[12 + c] = VS_QUARTERS_ODD(odd_lo, odd_hi);
  }
}
#undef VS_UNPACK_LO_32
#undef VS_UNPACK_HI_32
#undef VS_UNPACK_LO_64
#undef VS_UNPACK_HI_64
#undef VS_QUARTERS_EVEN
#undef VS_QUARTERS_ODD

VS_INLINE void vs_transpose_f64(const double *p, ptrdiff_t stride, void *tile) {
  vs_f64_unaligned *rows = tile;
  vs_f64 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    vs_f64 even = vs_load_f64(p + i * stride), odd = vs_load_f64(p + (i + 1) * stride);
    a[i] = __builtin_shufflevector(even, odd, 0, 8, 2, 10, 4, 12, 6, 14);
    a[i + 1] = __builtin_shufflevector(even, odd, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int c = 0; c < 2; c++) {
      b[i + c] = __builtin_shufflevector(a[i + c], a[i + 2 + c], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + 2 + c] = __builtin_shufflevector(a[i + c], a[i + 2 + c], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int c = 0; c < 4; c++) {
    vs_f64 top = b[c], bottom = b[4 + c];
    rows[c] = __builtin_shufflevector(top, bottom, 0, 1, 2, 3, 8, 9, 10, 11);
    rows[4 + c] = __builtin_shufflevector(top, bottom, 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

//===--- Sorting -----------------------------------------------------------===//
// Lane by lane, from the largest on: 16 vectors by Batcher's odd-even merges;
// and the 16 largest of two times 16 that are sorted, in place of the first.

#define VS_UNROLLED(I, END, DO) _Pragma("clang loop unroll(full)") for (int I = 0; I < END; I++) DO
#define VS_SORTING(T)                                                                              \
  VS_INLINE void vs_exchange_##T(vs_##T *a, vs_##T *b) {                                           \
    vs_##T larger = vs_max_##T(*a, *b);                                                            \
    *b = vs_min_##T(*a, *b);                                                                       \
    *a = larger;                                                                                   \
  }                                                                                                \
  VS_INLINE void vs_sort_stage_##T(vs_##T *v, int p, int k) {                                      \
    VS_UNROLLED(x, 16 - k, {                                                                       \
      bool is_pair = x >= k % p && (x - k % p) / k % 2 == 0 && x / (2 * p) == (x + k) / (2 * p);   \
      if (is_pair) vs_exchange_##T(v + x, v + x + k);                                              \
    })                                                                                             \
  }                                                                                                \
  VS_INLINE void vs_sort_##T(void *vectors) {                                                      \
    vs_##T##_unaligned *rows = vectors;                                                            \
    vs_##T v[16];                                                                                  \
    VS_UNROLLED(i, 16, v[i] = rows[i];)                                                            \
    vs_sort_stage_##T(v, 1, 1);                                                                    \
    vs_sort_stage_##T(v, 2, 2), vs_sort_stage_##T(v, 2, 1);                                        \
    vs_sort_stage_##T(v, 4, 4), vs_sort_stage_##T(v, 4, 2), vs_sort_stage_##T(v, 4, 1);            \
    vs_sort_stage_##T(v, 8, 8), vs_sort_stage_##T(v, 8, 4), vs_sort_stage_##T(v, 8, 2);            \
    vs_sort_stage_##T(v, 8, 1);                                                                    \
    VS_UNROLLED(i, 16, rows[i] = v[i];)                                                            \
  }                                                                                                \
  VS_INLINE void vs_merge_##T(void *vectors, const void *others) {                                 \
    vs_##T##_unaligned *rows = vectors;                                                            \
    const vs_##T##_unaligned *other = others;                                                      \
    vs_##T v[16];                                                                                  \
    VS_UNROLLED(i, 16, v[i] = vs_max_##T(rows[i], other[15 - i]);)                                 \
    VS_UNROLLED(i, 8, vs_exchange_##T(v + i, v + i + 8);)                                          \
    VS_UNROLLED(i, 8, vs_exchange_##T(v + i / 4 * 8 + i % 4, v + i / 4 * 8 + i % 4 + 4);)          \
    VS_UNROLLED(i, 8, vs_exchange_##T(v + i / 2 * 4 + i % 2, v + i / 2 * 4 + i % 2 + 2);)          \
    VS_UNROLLED(i, 8, vs_exchange_##T(v + i * 2, v + i * 2 + 1);)                                  \
    VS_UNROLLED(i, 16, rows[i] = v[i];)                                                            \
  }
VS_SORTING(f32)
VS_SORTING(f64)
#undef VS_SORTING
#undef VS_UNROLLED

//===--- Interleaving ------------------------------------------------------===//
// The lanes of two vectors, seen as one row: those at even and at odd places;
// and back, the lower and the upper half of the row a0 b0 a1 b1 …

VS_INLINE vs_f32 vs_evens_f32(vs_f32 a, vs_f32 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
VS_INLINE vs_f32 vs_odds_f32(vs_f32 a, vs_f32 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
VS_INLINE vs_f32 vs_zip_low_f32(vs_f32 a, vs_f32 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
VS_INLINE vs_f32 vs_zip_high_f32(vs_f32 a, vs_f32 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
VS_INLINE vs_f64 vs_evens_f64(vs_f64 a, vs_f64 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
VS_INLINE vs_f64 vs_odds_f64(vs_f64 a, vs_f64 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
VS_INLINE vs_f64 vs_zip_low_f64(vs_f64 a, vs_f64 b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
VS_INLINE vs_f64 vs_zip_high_f64(vs_f64 a, vs_f64 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

//===--- Matrix products: one tile, held in registers ----------------------===//
// out(i, j) (+)= sum over k of left(i, k) * right(k, j), for 8 rows i and two vectors of columns j. left(i, k) is at
// left[k * step + i], right(k, j) at right[k * columns + j], out(i, j) at out[i * stride + j]. Each element is one chain
// of fused multiply-adds in the order of k, beginning at 0, so how many of them a processor's registers hold at a time
// (VS_TILE_ROWS by VS_TILE_VECTORS) shows in no bit. C, because Swift does not keep arrays of vectors in registers.

#if defined(__AVX512F__)
#define VS_TILE_ROWS 8
#define VS_TILE_VECTORS 2
#elif defined(__AVX2__) || defined(__aarch64__)
#define VS_TILE_ROWS 4
#define VS_TILE_VECTORS 1
#else
#define VS_TILE_ROWS 2
#define VS_TILE_VECTORS 1
#endif
#define VS_UNROLL _Pragma("clang loop unroll(full)")

#define VS_DEFINE(T, S, N)                                                                         \
  VS_INLINE void vs_multiply_tile_##T(const S *left, ptrdiff_t step, const S *right,               \
                                      ptrdiff_t depth, S *out, ptrdiff_t stride, bool adding) {    \
    VS_UNROLL for (int row = 0; row < 8; row += VS_TILE_ROWS)                                      \
    VS_UNROLL for (int column = 0; column < 2; column += VS_TILE_VECTORS) {                        \
      vs_##T sum[VS_TILE_ROWS][VS_TILE_VECTORS];                                                   \
      VS_UNROLL for (int i = 0; i < VS_TILE_ROWS; i++)                                             \
      VS_UNROLL for (int j = 0; j < VS_TILE_VECTORS; j++) sum[i][j] = (vs_##T)(S)0;                \
      const S *a = left + row, *b = right + column * N;                                            \
      for (ptrdiff_t k = 0; k < depth; k++, a += step, b += 2 * N) {                               \
        vs_##T y[VS_TILE_VECTORS];                                                                 \
        VS_UNROLL for (int j = 0; j < VS_TILE_VECTORS; j++) y[j] = vs_load_##T(b + j * N);         \
        VS_UNROLL for (int i = 0; i < VS_TILE_ROWS; i++)                                           \
        VS_UNROLL for (int j = 0; j < VS_TILE_VECTORS; j++)                                        \
          sum[i][j] = VS_FMA((vs_##T)(a[i]), y[j], sum[i][j]);                                     \
      }                                                                                            \
      VS_UNROLL for (int i = 0; i < VS_TILE_ROWS; i++)                                             \
      VS_UNROLL for (int j = 0; j < VS_TILE_VECTORS; j++) {                                        \
        S *p = out + (row + i) * stride + (column + j) * N;                                        \
        vs_store_##T(p, adding ? vs_load_##T(p) + sum[i][j] : sum[i][j]);                          \
      }                                                                                            \
    }                                                                                              \
  }
VS_DEFINE(f32, float, 16)
VS_DEFINE(f64, double, 8)
#undef VS_DEFINE
#undef VS_UNROLL
#undef VS_TILE_ROWS
#undef VS_TILE_VECTORS

//===--- The cache ---------------------------------------------------------===//

VS_INLINE void vs_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

#endif
