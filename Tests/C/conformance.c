// Calls every function on the same data everywhere and prints a hash of all results: tiers, thread counts and
// architectures are compared by comparing the output. Arrays end (or begin) at unmapped pages and inputs are read-only,
// so that an access outside is a crash.
//
//   conformance [threads] [quick]
#define _DEFAULT_SOURCE
#include "calls.h"

// NaNs differ between architectures in sign and payload: they count as one value.
static uint64_t hash_array(uint64_t hash, const void *data, content_kind content, size_t bytes) {
  const unsigned char *p = data;
  if (content == FLOATS) {
    for (size_t i = 0; i < bytes / 4; i++) {
      float x;
      memcpy(&x, p + 4 * i, 4);
      uint32_t word = 0x7fc00000;
      if (x == x) memcpy(&word, &x, 4);
      hash = hash_word(hash, word);
    }
    return hash;
  }
  if (content == DOUBLES) {
    for (size_t i = 0; i < bytes / 8; i++) {
      double x;
      memcpy(&x, p + 8 * i, 8);
      uint64_t word = 0x7ff8000000000000;
      if (x == x) memcpy(&word, &x, 8);
      hash = hash_word(hash, word);
    }
    return hash;
  }
  for (size_t i = 0; i < bytes; i++) hash = hash_word(hash, p[i]);
  return hash;
}

static uint64_t run(const function *f, const plan *plan, uint64_t hash, int *succeeded) {
  static prepared c;
  prepare(f, plan, &c);
  const losskit_status status = f->call(c.arguments);
  if (!keeps_its_promise(f, &c, status)) {
    fprintf(stderr, "%s: status %d, but outputs changed\n", f->name, status);
    checks_failed++;
  }
  *succeeded += status == LOSSKIT_OK;
  hash = hash_word(hash, (uint64_t)status);
  for (int i = 0; i < f->count; i++)
    if (c.before[i])  // an output, not scratch
      hash = hash_array(hash, c.arrays[i].data, f->parameters[i].content, c.arrays[i].bytes);
  discard(f, &c);
  return hash;
}

// A state that another function must have made first: these are called, but refuse.
static bool needs_state(const function *f) { return strstr(f->name, "accumulator_") != NULL; }

int main(int argument_count, char **arguments) {
  const int threads = argument_count > 1 ? atoi(arguments[1]) : 1;
  const bool quick = argument_count > 2;
  CHECK(losskit_set_num_threads(threads) == LOSSKIT_OK);
  setvbuf(stdout, NULL, _IOLBF, 0);  // after a crash the last line tells which function came before
  static const ptrdiff_t totals[] = {10, 1000, 100000};
  static const double reals[] = {0.5, 1, 2};
  for (int i = 0; i < FUNCTIONS; i++) {
    const function *f = &functions[i];
    uint64_t hash = HASH_START;
    int succeeded = 0, side = 0;
    for (int size = 0; size < (quick ? 2 : 3); size++) {
      // The large size is for threads: fewer combinations.
      const int modes = mode_count(f), most = size == 2 || quick ? 2 : 5;
      // Steps of a large prime: where only some combinations are tried, every parameter varies among them.
      for (int m = 0; m < (modes < most ? modes : most); m++)
        for (int data = size == 2 ? (i + m) % DATA_KINDS : 0; data < DATA_KINDS; data += size == 2 ? DATA_KINDS : 1)
          for (int real = 0; real < (size == 2 ? 1 : 3); real++) {
            const ptrdiff_t most_elements = largest_total(f);
            const plan plan = {totals[size] < most_elements ? totals[size] : most_elements, (data_kind)data,
                               m * 37 % modes, reals[real], side % 2, size < 2 && side % 4 < 2};
            side++;
            hash = run(f, &plan, hash, &succeeded);
          }
    }
    printf("%-48s %016llx  %d calls done\n", f->name, (unsigned long long)hash, succeeded);
    if (succeeded == 0 && !needs_state(f)) {
      fprintf(stderr, "%s: no call was accepted: see choose_scalars\n", f->name);
      checks_failed++;
    }
  }
  return finish("conformance");
}
