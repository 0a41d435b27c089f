// Every function, called wrongly in every way that its declaration allows: no call may crash, and a refused call
// leaves its outputs as they were.
#define _DEFAULT_SOURCE
#include <math.h>

#include "calls.h"

static const char *name;

#define EXPECT(condition, ...)                                                                                         \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      checks_failed++;                                                                                                 \
      fprintf(stderr, "%s: ", name);                                                                                   \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fprintf(stderr, "\n");                                                                                           \
    }                                                                                                                  \
  } while (0)

static losskit_status call(const function *f, prepared *c, const char *how, const char *parameter) {
  const losskit_status status = f->call(c->arguments);
  EXPECT(keeps_its_promise(f, c, status), "%s %s: status %d, but outputs changed", parameter, how, status);
  restore_outputs(f, c);
  return status;
}

static void null_pointers(const function *f, const plan *plan) {
  prepared c;
  prepare(f, plan, &c);
  for (int i = 0; i < f->count; i++) {
    if (!is_array(&f->parameters[i])) continue;
    void *array = c.arguments[i].p;
    c.arguments[i].p = NULL;
    const losskit_status status = call(f, &c, "null", f->parameters[i].name);
    EXPECT(f->parameters[i].flag || f->parameters[i].kind == OUTPUT || status != LOSSKIT_OK, "%s null: accepted",
           f->parameters[i].name);
    c.arguments[i].p = array;
  }
  for (int i = 0; i < f->count; i++)
    if (is_array(&f->parameters[i])) c.arguments[i].p = NULL;
  EXPECT(f->call(c.arguments) != LOSSKIT_OK, "all pointers null: accepted");
  for (int i = 0; i < f->count; i++)
    if (f->parameters[i].kind == SIZE) c.arguments[i].n = 0;
  const losskit_status status = f->call(c.arguments);
  EXPECT(status >= LOSSKIT_OK && status <= LOSSKIT_UNSUPPORTED, "all null and zero: status %d", status);
  discard(f, &c);
}

static void sizes(const function *f, const plan *plan) {
  static const ptrdiff_t wrong[] = {-1, PTRDIFF_MIN, PTRDIFF_MAX, PTRDIFF_MAX / 16 + 1};
  prepared c;
  prepare(f, plan, &c);
  for (int i = 0; i < f->count; i++) {
    if (f->parameters[i].kind != SIZE) continue;
    const ptrdiff_t right = c.arguments[i].n;
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
      // A dimension must be refused; the promise of a huge buffer is no fault. What else is a number may have its own
      // sense of -1 and more.
      const bool must_fail = f->parameters[i].flag && (wrong[w] < 0 || !is_capacity(&f->parameters[i]));
      c.arguments[i].n = wrong[w];
      const losskit_status status = call(f, &c, "of a wrong size", f->parameters[i].name);
      EXPECT(!must_fail || status != LOSSKIT_OK, "%s = %td: accepted", f->parameters[i].name, wrong[w]);
    }
    c.arguments[i].n = 0;
    call(f, &c, "= 0", f->parameters[i].name);
    c.arguments[i].n = right;
  }
  // All at once: products overflow, and nothing may be read where one size is 0 and the others are huge.
  for (int zero = -1; zero < f->count; zero++) {
    if (zero >= 0 && (f->parameters[zero].kind != SIZE || is_capacity(&f->parameters[zero]))) continue;
    bool any = false;
    for (int i = 0; i < f->count; i++)
      if (f->parameters[i].kind == SIZE && !is_capacity(&f->parameters[i])) {
        c.arguments[i].n = i == zero ? 0 : PTRDIFF_MAX;
        any |= f->parameters[i].flag;
      }
    const losskit_status status = call(f, &c, "and the others huge", zero < 0 ? "all" : f->parameters[zero].name);
    EXPECT(zero >= 0 || !any || status != LOSSKIT_OK, "all sizes huge: accepted");
  }
  discard(f, &c);
  prepare(f, plan, &c);
  for (int i = 0; i < f->count; i++)
    if (f->parameters[i].kind == SIZE) c.arguments[i].n = 0;
  call(f, &c, "= 0", "all sizes");
  discard(f, &c);
}

// Whether a NaN was refused: a mode need not read every parameter, but some mode does.
static bool refused_nan[MOST_PARAMETERS];

static void parameters(const function *f, const plan *plan) {
  static const double reals[] = {NAN, INFINITY, -INFINITY, -1e300, 1e300, -0.0, 5e-324};
  static const int32_t values[] = {-1, 99, INT32_MAX, INT32_MIN};
  static const int64_t longs[] = {INT64_MIN, INT64_MAX, -1};
  prepared c;
  prepare(f, plan, &c);
  for (int i = 0; i < f->count; i++) {
    const parameter *p = &f->parameters[i];
    const argument right = c.arguments[i];
    if (p->kind == REAL)
      for (size_t k = 0; k < sizeof reals / sizeof *reals; k++) {
        c.arguments[i].d = reals[k];
        const losskit_status status = call(f, &c, "out of range", p->name);
        refused_nan[i] |= isnan(reals[k]) && status != LOSSKIT_OK;
      }
    if (p->kind == ENUMERATION || p->kind == INT32)
      for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        c.arguments[i].i = values[k];
        const losskit_status status = call(f, &c, "out of range", p->name);
        EXPECT(p->kind == INT32 || status == LOSSKIT_INVALID_PARAMETER, "%s = %d: status %d", p->name, values[k], status);
      }
    if (p->kind == INT64)
      for (size_t k = 0; k < sizeof longs / sizeof *longs; k++) {
        c.arguments[i].l = longs[k];
        call(f, &c, "out of range", p->name);
      }
    c.arguments[i] = right;
  }
  discard(f, &c);
}

// One bad element at the start, middle or end of one input: refused or computed, never a crash.
static void values(const function *f, const plan *plan) {
  static const double bad[] = {NAN, INFINITY, -INFINITY, -1, 2, 1e300};
  static const int64_t labels[] = {-1, INT64_MIN, INT64_MAX, 1000, -100};
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  prepared c;
  prepare(f, plan, &c);
  for (int i = 0; i < f->count; i++) {
    const parameter *p = &f->parameters[i];
    if (p->kind != INPUT || c.elements[i] == 0 || is_scratch(p)) continue;
    mprotect(c.arrays[i].mapping + page, c.arrays[i].pages, PROT_READ | PROT_WRITE);
    const ptrdiff_t places[] = {0, c.elements[i] / 2, c.elements[i] - 1};
    for (int k = 0; k < 6; k++)
      for (int place = 0; place < 3; place++) {
        unsigned char *element = c.arrays[i].data + (size_t)places[place] * p->element_size, saved[8];
        memcpy(saved, element, p->element_size);
        const double real = bad[k];
        const float single = k == 5 ? 1e38f : (float)bad[k];
        const int64_t label = labels[k % 5];
        const int32_t narrow = (int32_t)label;
        memcpy(element, p->content == DOUBLES ? (const void *)&real : p->content == FLOATS ? (const void *)&single
                        : p->content == INT32S ? (const void *)&narrow : (const void *)&label, p->element_size);
        call(f, &c, "with a bad element", p->name);
        memcpy(element, saved, p->element_size);
      }
  }
  discard(f, &c);
}

//   errors [quick]
// Quickly: one combination of modes and data for each function, as valgrind has it, fifty times slower.
int main(int argument_count, char **arguments) {
  (void)arguments;
  const bool quick = argument_count > 1;
  CHECK(strcmp(losskit_status_string(LOSSKIT_OK), "done") == 0);
  for (int status = -3; status < 20; status++) CHECK(losskit_status_string((losskit_status)status)[0] != 0);
  for (int i = 0; i < FUNCTIONS; i++) {
    const function *f = &functions[i];
    name = f->name;
    const int most = quick ? 1 : 6, modes = mode_count(f) < most ? mode_count(f) : most;
    const ptrdiff_t total = largest_total(f) < 300 ? largest_total(f) : 300;
    memset(refused_nan, 0, sizeof refused_nan);
    for (int m = 0; m < modes; m++)
      for (int data = quick ? i % DATA_KINDS : 0; data < DATA_KINDS; data += quick ? DATA_KINDS : 1) {
        const plan plan = {total, (data_kind)data, m * 37 % mode_count(f), 0.5, m % 2, data % 2};
        null_pointers(f, &plan);
        sizes(f, &plan);
        parameters(f, &plan);
        values(f, &plan);
      }
    for (int p = 0; p < f->count; p++)
      EXPECT(quick || f->parameters[p].kind != REAL || refused_nan[p], "%s = NaN: accepted", f->parameters[p].name);
  }
  return finish("errors");
}
