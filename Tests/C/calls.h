// Every function of the library, through one table. The generator writes the table from the Swift declarations, so
// that a new function is tested without anyone listing it.
#ifndef LOSSKIT_TESTS_CALLS_H
#define LOSSKIT_TESTS_CALLS_H

#include <losskit/losskit.h>

#include "check.h"

typedef union {
  void *p;
  ptrdiff_t n;
  int32_t i;
  int64_t l;
  uint64_t u;
  double d;
  bool b;
} argument;

typedef enum { SIZE, INT32, INT64, UINT64, REAL, BOOLEAN, ENUMERATION, INPUT, OUTPUT } parameter_kind;
typedef enum { NOTHING, FLOATS, DOUBLES, INT64S, INT32S, SIZES, BYTES, SCRATCH } content_kind;

typedef struct {
  const char *name;
  parameter_kind kind;
  const int32_t *values;  // of an enumeration
  int value_count;
  content_kind content;  // of an array
  size_t element_size;
  bool flag;  // of a pointer: may be null; of a size: is a dimension of some array
} parameter;

typedef struct {
  const char *name;
  losskit_status (*call)(const argument *);
  // Sets the number of elements of the arrays whose documentation states it.
  void (*shapes)(const argument *, ptrdiff_t *elements);
  const parameter *parameters;
  int count;
} function;

#define PLAIN NULL, 0, NOTHING, 0
#define ENUM(type) values_##type, sizeof values_##type / sizeof *values_##type, NOTHING, 0
#define ELEMENT(content, type) NULL, 0, content, sizeof(type)
#define FUNCTION(name)                                                                                                 \
  {#name, call_##name, shapes_##name, parameters_##name, sizeof parameters_##name / sizeof *parameters_##name}

#include "generated_calls.inc"

enum { MOST_PARAMETERS = 40, FUNCTIONS = sizeof functions / sizeof *functions };

static inline bool is_array(const parameter *p) { return p->kind == INPUT || p->kind == OUTPUT; }

static inline bool is_scratch(const parameter *p) { return p->content == SCRATCH; }

// Room for results or scratch, rather than a size of the data.
static inline bool is_capacity(const parameter *p) {
  const size_t length = strlen(p->name);
  return p->kind == SIZE && (strstr(p->name, "capacity") || strstr(p->name, "bytes") ||
                             strcmp(p->name, "size") == 0 || (length > 5 && strcmp(p->name + length - 5, "_size") == 0));
}

// A size that arrays have: as documented, or any but capacities where nothing is.
static inline bool is_dimension(const function *f, const parameter *p) {
  bool documented = false;
  for (int i = 0; i < f->count; i++) documented |= f->parameters[i].kind == SIZE && f->parameters[i].flag;
  return p->kind == SIZE && !is_capacity(p) && (p->flag || !documented);
}

//===--- Data, the same on every machine -------------------------------------------------------------------------===//

typedef enum { LOGITS, PROBABILITIES, BOXES, DATA_KINDS } data_kind;

static inline uint32_t random_bits(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

// Whole multiples of 2^-16: exact in both precisions.
static inline double element_of(data_kind kind, ptrdiff_t i, uint64_t *state) {
  const double unit = ((random_bits(state) & 0xffff) + 0.5) / 65536;
  if (kind == LOGITS) return 12 * unit - 6;
  if (kind == PROBABILITIES) return unit;
  return i % 4 < 2 ? 100 * unit : 100 + 60 * unit;  // x1, y1, x2, y2
}

static inline void fill(void *array, content_kind content, ptrdiff_t count, data_kind kind, uint64_t seed) {
  uint64_t state = seed * 2654435761u + 1;
  for (ptrdiff_t i = 0; i < count; i++) {
    if (content == FLOATS) ((float *)array)[i] = (float)element_of(kind, i, &state);
    if (content == DOUBLES) ((double *)array)[i] = element_of(kind, i, &state);
    const int label = (int)(random_bits(&state) % (kind == PROBABILITIES ? 2 : 7));
    if (content == INT64S) ((int64_t *)array)[i] = label;
    if (content == INT32S) ((int32_t *)array)[i] = label;
    if (content == SIZES) ((ptrdiff_t *)array)[i] = label;
    if (content == BYTES) ((unsigned char *)array)[i] = (unsigned char)label;
  }
}

// Real targets as labels, where the other arrays hold what is not negative: of `y` signs in the data of boxes, else, as of
// `t`, 0 and 1.
static inline void make_labels(void *array, const parameter *p, ptrdiff_t count, data_kind kind) {
  const int is_y = strcmp(p->name, "y") == 0;
  if (!(is_y && kind != LOGITS) && !(strcmp(p->name, "t") == 0 && kind == BOXES)) return;
  const double middle = kind == BOXES ? 100 : 0.5;
  const int negative = is_y && kind == BOXES ? -1 : 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    if (p->content == FLOATS) ((float *)array)[i] = ((float *)array)[i] < middle ? (float)negative : 1;
    if (p->content == DOUBLES) ((double *)array)[i] = ((double *)array)[i] < middle ? negative : 1;
  }
}

// Sizes of the parts that the size named `whole` is divided into: the first part has all.
static inline void make_parts(int64_t *sizes, const function *f, const argument *a, ptrdiff_t count,
                              const char *whole) {
  for (int i = 0; i < f->count; i++)
    if (strcmp(f->parameters[i].name, whole) == 0)
      for (ptrdiff_t part = 0; part < count; part++) sizes[part] = part == 0 ? a[i].n : 0;
}

// What is to be searched: edges of bins, knots.
static inline void make_ascending(void *array, const parameter *p, ptrdiff_t count) {
  if (p->kind != INPUT || (strcmp(p->name, "edges") && strcmp(p->name, "knots_x"))) return;
  for (ptrdiff_t i = 0; i < count; i++) {
    if (p->content == FLOATS) ((float *)array)[i] = (float)i / (float)count;
    if (p->content == DOUBLES) ((double *)array)[i] = (double)i / (double)count;
  }
}

// Numbers of bins.
static inline void make_counts(void *array, const parameter *p, ptrdiff_t count) {
  if (p->kind != INPUT || p->content != INT64S || strcmp(p->name, "bins")) return;
  for (ptrdiff_t i = 0; i < count; i++) ((int64_t *)array)[i] = 1 + i % 20;
}

//===--- One call ------------------------------------------------------------------------------------------------===//

// What a call is made from: everything about it is chosen by these numbers.
typedef struct {
  ptrdiff_t total;  // about as many elements in an array with all dimensions
  data_kind data;
  int modes;  // which values enumerations and booleans have, in mixed radix
  double real;
  int side;  // of the arrays where memory ends
  bool scratch;  // given by the caller, rather than null
} plan;

typedef struct {
  argument arguments[MOST_PARAMETERS];
  guarded arrays[MOST_PARAMETERS];
  ptrdiff_t elements[MOST_PARAMETERS];
  void *before[MOST_PARAMETERS];  // what the outputs held
} prepared;

// The number of combinations of enumerations and booleans.
static inline int mode_count(const function *f) {
  int count = 1;
  for (int i = 0; i < f->count; i++) {
    if (f->parameters[i].kind == ENUMERATION) count *= f->parameters[i].value_count;
    if (f->parameters[i].kind == BOOLEAN) count *= 2;
  }
  return count;
}

// Enough for results, and for scratch in bytes.
static inline ptrdiff_t capacity(const plan *plan, const parameter *p) {
  const bool of_scratch = is_scratch(p) || !strstr(p->name, "capacity");
  return of_scratch && plan->scratch ? 512 * plan->total + 65536 : plan->total + (of_scratch ? 4096 : 64);
}

// Functions whose work grows faster than their arrays: their large size is smaller.
static inline ptrdiff_t largest_total(const function *f) {
  static const char *const squares[] = {"soft_nms", "neuralsort", "softsort", "newton_inverse", "symmetric_normalize",
                                        "linear_cross_entropy", "topk_gating", "nms_rotated", "isotonic_regression",
                                        "matrix_nms"};
  for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
    if (strstr(f->name, squares[i])) return 3000;
  // Fits of as many parameters as there are pairs of classes, which a Hessian squares.
  if (strstr(f->name, "matrix_scaling") || strstr(f->name, "dirichlet_calibration")) return 100;
  return 100000;
}

static inline void choose_scalars(const function *f, const plan *plan, argument *a) {
  int dimensions = 0, modes = plan->modes;
  for (int i = 0; i < f->count; i++) dimensions += is_dimension(f, &f->parameters[i]);
  ptrdiff_t side = dimensions > 5 ? 3 : 9, volume = 0;  // an array of so many dimensions would be huge
  while (dimensions > 0) {  // the largest side whose power stays within the total
    volume = 1;
    for (int d = 0; d < dimensions; d++) volume *= side + 1;
    if (volume > plan->total) break;
    side++;
  }
  ptrdiff_t next = side;
  for (int i = 0; i < f->count; i++) {
    const parameter *p = &f->parameters[i];
    switch (p->kind) {
      case SIZE: a[i].n = is_capacity(p) ? capacity(plan, p) : is_dimension(f, p) ? next++ : 9; break;

      case INT32: a[i].i = strcmp(p->name, "order") == 0 ? 4 : 3; break;
      case INT64: a[i].l = strcmp(p->name, "ignore_index") == 0 ? -100 : 3; break;
      case UINT64: a[i].u = 12345; break;
      case REAL:  // what stands for log 0 is negative, and clamps are narrow
        a[i].d = strcmp(p->name, "log_zero") == 0 ? -plan->real
                 : strcmp(p->name, "eps") == 0    ? plan->real / 16
                                                  : plan->real;
        break;
      case BOOLEAN: a[i].b = modes % 2; modes /= 2; break;
      case ENUMERATION: a[i].i = p->values[modes % p->value_count]; modes /= p->value_count; break;
      default: a[i].p = NULL;
    }
  }
}

// Allocates arrays for the sizes that are set: exactly as large as documented, or amply where no shape is.
static inline void choose_arrays(const function *f, const plan *plan, prepared *c) {
  for (int i = 0; i < f->count; i++) c->elements[i] = -1;
  f->shapes(c->arguments, c->elements);
  ptrdiff_t ample = 1, others = 1;
  for (int i = 0; i < f->count; i++)
    if (is_dimension(f, &f->parameters[i]))
      ample *= c->arguments[i].n + 1;
    else if (f->parameters[i].kind == SIZE && !is_capacity(&f->parameters[i]))
      others = 16;  // one of them may be a factor of a shape that is documented in other words
  ample = 4 * ample * others + plan->total + 4096;
  for (int i = 0; i < f->count; i++) {
    const parameter *p = &f->parameters[i];
    if (!is_array(p) || (is_scratch(p) && p->flag && !plan->scratch)) continue;
    if (is_scratch(p)) c->elements[i] = capacity(plan, p);
    if (c->elements[i] < 0) c->elements[i] = p->kind == OUTPUT && p->content == SIZES ? 64 : ample;
    const size_t bytes = (size_t)c->elements[i] * p->element_size;
    c->arrays[i] = guarded_allocate(bytes, plan->side);
    if (!is_scratch(p)) fill(c->arrays[i].data, p->content, c->elements[i], plan->data, (uint64_t)i + 1);
    if (p->kind == INPUT) make_labels(c->arrays[i].data, p, c->elements[i], plan->data);
    make_ascending(c->arrays[i].data, p, c->elements[i]);
    make_counts(c->arrays[i].data, p, c->elements[i]);
    c->arguments[i].p = c->arrays[i].data;
    const char *whole = strcmp(p->name, "block_sizes") == 0   ? "parameters"
                        : strcmp(p->name, "level_sizes") == 0 ? "anchors"
                                                              : NULL;
    if (whole) make_parts((int64_t *)c->arguments[i].p, f, c->arguments, c->elements[i], whole);
    if (p->kind == INPUT) {
      guarded_freeze(&c->arrays[i]);
    } else if (!is_scratch(p)) {
      c->before[i] = malloc(bytes + 1);
      memcpy(c->before[i], c->arrays[i].data, bytes);
    }
  }
}

static inline void prepare(const function *f, const plan *plan, prepared *c) {
  memset(c, 0, sizeof *c);
  choose_scalars(f, plan, c->arguments);
  choose_arrays(f, plan, c);
}

static inline bool outputs_untouched(const function *f, const prepared *c) {
  for (int i = 0; i < f->count; i++)
    if (c->before[i] && memcmp(c->before[i], c->arrays[i].data, c->arrays[i].bytes) != 0) return false;
  return true;
}

static inline void restore_outputs(const function *f, prepared *c) {
  for (int i = 0; i < f->count; i++)
    if (c->before[i]) memcpy(c->arrays[i].data, c->before[i], c->arrays[i].bytes);
}

// Refused calls leave outputs alone, except for the count that goes with BUFFER_TOO_SMALL. Scratch is no output.
static inline bool keeps_its_promise(const function *f, const prepared *c, losskit_status status) {
  if (status < LOSSKIT_OK || status > LOSSKIT_UNSUPPORTED) return false;
  return status == LOSSKIT_OK || status == LOSSKIT_BUFFER_TOO_SMALL || outputs_untouched(f, c);
}

static inline void discard(const function *f, prepared *c) {
  for (int i = 0; i < f->count; i++) {
    if (!c->arrays[i].mapping) continue;
    guarded_free(&c->arrays[i]);
    free(c->before[i]);
  }
}

#endif
