// Measures the elementary functions of LossKit in units in the last place, and hashes their results.
//
//   exhaustive f32 <stride> [function]            every stride-th of all 2^32 inputs (and the neighbourhoods of edges, if
//                                                 the stride is not 1), against libm's double functions
//   exhaustive f64 <function> <reference file>    the points of the file, which reference.py made with mpmath
//
// One line a function: largest error, where, the hash. The exit code is 1 if an error is over its bound, except on a
// tier without FMA, for which the bounds are not meant: there it is 1 if an error is not finite.
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void unary_f32(const float *, float *, ptrdiff_t);
typedef void unary_f64(const double *, double *, ptrdiff_t);
typedef void binary_f32(const float *, const float *, float *, ptrdiff_t);
typedef void binary_f64(const double *, const double *, double *, ptrdiff_t);

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
// log(1 + e^x); the maximum that propagates NaN.
static double softplus(double x) { return (x < 0 ? 0 : x) + log1p(exp(-fabs(x))); }
static double log_sigmoid(double x) { return (x > 0 ? 0 : x) - log1p(exp(-fabs(x))); }
// cos 2πx: whole turns taken off exactly, then the nearest quarter.
static double cosine_of_turns(double x) {
  const double rest = fabs(remainder(x, 1)), pi = 3.14159265358979323846;
  return rest <= 0.125 ? cos(2 * pi * rest) : rest <= 0.375 ? sin(2 * pi * (0.25 - rest)) : -cos(2 * pi * (0.5 - rest));
}

// name, reference, domain (other inputs are not in the contract), bound in ulp for f32
#define FUNCTIONS(F)                                                                                                   \
  F(exp, exp, true, 1)                                                                                                 \
  F(exp_of_non_positive, exp, !(x > 0), 1)                                                                             \
  F(expm1, expm1, true, 1)                                                                                             \
  F(log, log, true, 1)                                                                                                 \
  F(log1p, log1p, true, 1)                                                                                             \
  F(log1p_of_fraction, log1p, !signbit(x) && !(x > 1), 2)                                                              \
  F(sigmoid, sigmoid, true, 1)                                                                                         \
  F(shared_sigmoid, sigmoid, true, 3)                                                                                  \
  F(log_sigmoid, log_sigmoid, true, 2)                                                                                 \
  F(softplus, softplus, true, 2)                                                                                       \
  F(exp2, exp2, true, 2)                                                                                               \
  F(log2, log2, true, 2)                                                                                               \
  F(cosine_of_turns, cosine_of_turns, true, 1)                                                                         \
  F(tanh, tanh, true, 2)                                                                                               \
  F(atan, atan, true, 2)                                                                                               \
  F(erf, erf, true, 2)

#define DECLARE(name, reference, domain, bound)                                                                        \
  unary_f32 test_##name##_f32;                                                                                         \
  unary_f64 test_##name##_f64;                                                                                         \
  static double reference_##name(double x) { return reference(x); }                                                    \
  static bool domain_##name(double x) { (void)x; return domain; }
FUNCTIONS(DECLARE)
binary_f32 test_pow_f32;
binary_f64 test_pow_f64;

static const struct function {
  const char *name;
  unary_f32 *f32;
  unary_f64 *f64;
  double (*reference)(double);
  bool (*in_domain)(double);
  double bound;
} functions[] = {
#define ROW(name, reference, domain, bound) {#name, test_##name##_f32, test_##name##_f64, reference_##name, domain_##name, bound},
    FUNCTIONS(ROW)};
enum { function_count = sizeof functions / sizeof *functions };
static const double bound_f64 = 2;

//--- Errors and hashes -------------------------------------------------------------------------------------------

struct outcome {
  double worst;       // ulp; infinity for a wrong special value
  uint64_t where[2];  // bit patterns of the arguments
  uint64_t hash;      // independent of the order in which blocks are added
  uint64_t points;
};

static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static uint64_t to_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static float float_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

// |result − exact| in units of the last place of a float of the magnitude of `exact`; inf counts as 2^128.
static double float_error(float result, double exact) {
  if (isnan(exact) || isnan(result)) return isnan(exact) && isnan(result) ? 0 : INFINITY;
  if (isinf(exact)) return (double)result == exact ? 0 : INFINITY;
  if (exact == 0) return float_bits(result) == float_bits((float)exact) ? 0 : INFINITY;
  double value = isinf(result) ? copysign(0x1p128, result) : (double)result;
  int64_t exponent = (int64_t)(to_bits(exact) >> 52 & 0x7ff) - 1023;
  if (exponent > 127) return isinf(result) && !signbit(result) == !signbit(exact) ? 0 : INFINITY;
  if (exponent < -126) exponent = -126;
  return fabs(value - exact) * from_bits((uint64_t)(1023 + 23 - exponent) << 52);
}

static uint64_t mix(uint64_t hash, uint64_t bits) {
  hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static void merge(struct outcome *into, const struct outcome *part) {
  if (part->worst > into->worst) {
    into->worst = part->worst;
    memcpy(into->where, part->where, sizeof part->where);
  }
  into->hash += part->hash;
  into->points += part->points;
}

static bool report(const char *name, const char *precision, const struct outcome *outcome, double bound) {
#ifdef NO_FMA
  bool good = outcome->worst < INFINITY;
#else
  bool good = outcome->worst <= bound;
#endif
  char where[64];
  if (precision[1] == '3') snprintf(where, sizeof where, "%-15.9g", float_from_bits((uint32_t)outcome->where[0]));
  else snprintf(where, sizeof where, "%-24.17g", from_bits(outcome->where[0]));
  printf("%-20s %s %8.4f ulp (bound %g) at %s", name, precision, outcome->worst, bound, where);
  if (outcome->where[1]) {
    if (precision[1] == '3') printf(" %-15.9g", float_from_bits((uint32_t)outcome->where[1]));
    else printf(" %-24.17g", from_bits(outcome->where[1]));
  }
  printf(" %11" PRIu64 " points  hash %016" PRIx64 "%s\n", outcome->points, outcome->hash, good ? "" : "  OVER THE BOUND");
  fflush(stdout);
  return good;
}

//--- Single precision: blocks of inputs, spread over threads ------------------------------------------------------

enum { block = 1 << 14, threads = 2 };

// Inputs near which something happens: binade and range edges, cuts of the argument reductions.
static const float edges[] = {0,       0x1p-149f, 0x1p-126f, 0x1p-25f, 0x1p-24f, 0x1p-23f, 0x1p-12f, 0.25f,   0.34657359f,
                              0.5f,    0.6931472f, 0.75f,    0.5493061f, 0.9375f, 1,       1.0397208f, 1.25f,   1.5f,
                              2,       2.75f,     3.9192059f, 4,        8.5f,    9.0109f, 10,       16.6355f, 17.32868f,
                              18,      23,        24,        25,        87.33655f, 88,    88.37626f, 88.72284f, 89,
                              103.2789f, 103.97208f, 104,    126,       127,     128,     149,      150,      151,
                              0x1p22f, 0x1p23f,   0x1p24f,   0x1p25f,   0x1p126f, 0x1.8p126f, 0x1p127f, 0x1.8p127f, INFINITY};
enum { edge_count = sizeof edges / sizeof *edges, around = 512 };

struct task {
  const struct function *function;
  uint64_t stride;
  atomic_uint_fast64_t next;
  uint64_t blocks;
  bool show;
};

// Whole blocks, so that vectors are full.
static uint64_t strided_count(uint64_t stride) { return (UINT64_C(1) << 32) / stride / block * block; }

static uint32_t input_bits(const struct task *task, uint64_t i) {
  if (i < strided_count(task->stride)) return (uint32_t)(i * task->stride);
  i -= strided_count(task->stride);
  uint64_t edge = i / (2 * around) % edge_count, sign = i / (2 * around) / edge_count & 1;
  return (float_bits(edges[edge]) + (uint32_t)(i % (2 * around)) - around) ^ (uint32_t)sign << 31;
}

static void *work(void *context) {
  struct task *task = context;
  struct outcome *total = calloc(1, sizeof *total);
  static _Thread_local float x[block], y[block];
  for (;;) {
    uint64_t index = atomic_fetch_add(&task->next, 1);
    if (index >= task->blocks) return total;
    if (task->show && index % (1 << 14) == 0) fprintf(stderr, "\r%s %3d %%", task->function->name, (int)(100 * index / task->blocks));
    for (int i = 0; i < block; i++) x[i] = float_from_bits(input_bits(task, index * block + (uint64_t)i));
    task->function->f32(x, y, block);
    struct outcome part = {.hash = index};
    for (int i = 0; i < block; i++) {
      if (!task->function->in_domain(x[i])) continue;
      double error = float_error(y[i], task->function->reference(x[i]));
      if (error > part.worst) {
        part.worst = error;
        part.where[0] = float_bits(x[i]);
      }
      part.hash = mix(part.hash, isnan(y[i]) ? 0x7fc00000 : float_bits(y[i]));
      part.points++;
    }
    merge(total, &part);
  }
}

static bool measure_f32(const struct function *function, uint64_t stride) {
  struct task task = {.function = function, .stride = stride, .show = stride == 1};
  task.blocks = strided_count(stride) / block;
  if (stride > 1) task.blocks += 2 * edge_count * 2 * around / block;
  pthread_t thread[threads];
  struct outcome total = {0};
  for (int t = 0; t < threads; t++) pthread_create(&thread[t], NULL, work, &task);
  for (int t = 0; t < threads; t++) {
    void *part;
    pthread_join(thread[t], &part);
    merge(&total, part);
    free(part);
  }
  if (task.show) fprintf(stderr, "\r                              \r");
  return report(function->name, "f32", &total, function->bound);
}
//--- Single precision, pow: random arguments of several distributions, and all pairs of special values --------------

static const float special[] = {0,     0x1p-149f, 0x1.8p-140f, 0x1p-126f, 0x1p-24f, 0x1.fffffep-2f, 0.5f,  0.75f,      1 - 0x1p-24f,
                                1,     1 + 0x1p-23f, 1.5f,     2,         3,        4,              5,     7.5f,       31,
                                127,   128,       149,         150,       8388607,  8388607.5f,     16777215, 16777216, 0x1.000002p24f,
                                1e10f, 0x1.fffffep127f, INFINITY, NAN,    -0.333f};
enum { special_count = sizeof special / sizeof *special };

static uint64_t random_bits(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void pow_arguments(uint64_t i, float *x, float *y) {
  uint64_t pairs = 4 * (uint64_t)special_count * special_count;
  if (i < pairs) {
    *x = copysignf(special[i / 4 % special_count], i & 1 ? -1 : 1);
    *y = copysignf(special[i / 4 / special_count], i & 2 ? -1 : 1);
    return;
  }
  uint64_t state = i, a = random_bits(&state), b = random_bits(&state);
  double u = (double)(b >> 11) * 0x1p-53;
  switch (i % 5) {
  case 0:  // any bit patterns
    *x = float_from_bits((uint32_t)a), *y = float_from_bits((uint32_t)(a >> 32));
    break;
  case 1:  // any positive base, a result anywhere in range and a little beyond it
    *x = float_from_bits((uint32_t)a & 0x7fffffff), *y = (float)((u * 290 - 155) / log2(*x));
    break;
  case 2:  // a base near 1
    *x = float_from_bits(0x3f800000 + (uint32_t)(a % 20000000) - 10000000), *y = (float)((u * 290 - 155) / log2(*x));
    break;
  case 3:  // a probability to a small power, as losses need it
    *x = (float)((double)(a >> 11) * 0x1p-53), *y = (float)(u * 5);
    break;
  default:  // a negative base to an integral power
    *x = -(float)((double)(a >> 11) * 0x1p-50), *y = (float)floor(u * 64 - 32);
  }
}

static bool measure_pow_f32(uint64_t stride) {
  struct outcome total = {0};
  static float x[block], y[block], z[block];
  for (uint64_t index = 0; index < (stride == 1 ? 16384 : stride < 1000 ? 256 : 8); index++) {
    for (int i = 0; i < block; i++) pow_arguments(index * block + (uint64_t)i, &x[i], &y[i]);
    test_pow_f32(x, y, z, block);
    struct outcome part = {.hash = index};
    for (int i = 0; i < block; i++) {
      double error = float_error(z[i], pow(x[i], y[i]));
      if (error > part.worst) {
        part.worst = error;
        part.where[0] = float_bits(x[i]), part.where[1] = float_bits(y[i]);
      }
      part.hash = mix(part.hash, isnan(z[i]) ? 0x7fc00000 : float_bits(z[i]));
      part.points++;
    }
    merge(&total, &part);
  }
  return report("pow", "f32", &total, 2);
}

//--- Double precision: points with their results from a file ------------------------------------------------------

// A record: argument(s), the exact result rounded to double, (exact − rounded) in ulps of rounded.
static bool measure_f64(const char *path, const char *name) {
  FILE *file = fopen(path, "rb");
  if (!file) return perror(path), false;
  const struct function *function = NULL;
  for (int i = 0; i < function_count; i++)
    if (!strcmp(functions[i].name, name)) function = &functions[i];
  bool binary = !strcmp(name, "pow");
  if (!function && !binary) return fprintf(stderr, "no function %s\n", name), false;

  struct outcome total = {0};
  size_t width = binary ? 4 : 3, n;
  static double record[4 * block], x[block], y[block], result[block];
  for (uint64_t index = 0; (n = fread(record, width * sizeof(double), block, file)) > 0; index++) {
    memset(x, 0, sizeof x), memset(y, 0, sizeof y);
    for (size_t i = 0; i < n; i++) x[i] = record[width * i], y[i] = record[width * i + 1];
    if (binary) test_pow_f64(x, y, result, block);
    else function->f64(x, result, block);
    struct outcome part = {.hash = index};
    for (size_t i = 0; i < n; i++) {
      double exact = record[width * i + width - 2], rest = record[width * i + width - 1], error;
      if (isnan(exact)) error = isnan(result[i]) ? 0 : INFINITY;
      else if (isinf(exact) || (exact == 0 && rest == 0)) error = to_bits(exact) == to_bits(result[i]) ? 0 : INFINITY;
      else if (isnan(result[i])) error = INFINITY;
      else {
        double magnitude = fabs(exact), ulp = magnitude < 0x1p-1022 ? 0x1p-1074 : ldexp(1, ilogb(magnitude) - 52);
        long double value = isinf(result[i]) ? copysignl(0x1p1024L, result[i]) : (long double)result[i];
        error = fabs((double)((value - exact) / ulp) - rest);
      }
      if (error > part.worst) {
        part.worst = error;
        part.where[0] = to_bits(x[i]), part.where[1] = binary ? to_bits(y[i]) : 0;
      }
      part.hash = mix(part.hash, isnan(result[i]) ? 0 : to_bits(result[i]));
      part.points++;
    }
    merge(&total, &part);
  }
  fclose(file);
  return report(name, "f64", &total, function ? fmax(bound_f64, function->bound) : bound_f64);
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "f64")) return measure_f64(argv[3], argv[2]) ? 0 : 1;
  if (argc < 3 || strcmp(argv[1], "f32") || atoll(argv[2]) < 1) {
    fprintf(stderr, "usage: exhaustive f32 <stride> [function] | f64 <function> <reference file>\n");
    return 2;
  }
  uint64_t stride = (uint64_t)atoll(argv[2]);
  const char *only = argc > 3 ? argv[3] : NULL;
  bool good = true;
  for (int i = 0; i < function_count; i++)
    if (!only || !strcmp(only, functions[i].name)) good &= measure_f32(&functions[i], stride);
  if (!only || !strcmp(only, "pow")) good &= measure_pow_f32(stride);
  return good ? 0 : 1;
}
