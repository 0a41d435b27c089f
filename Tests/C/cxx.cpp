// losskit.hpp: spans, overloads, exceptions.
#include <losskit/losskit.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <vector>

static int failures = 0;
#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      failures++;                                                                                                      \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                   \
    }                                                                                                                  \
  } while (0)

static_assert(std::is_convertible_v<std::vector<float> &, losskit::span<float>>);
static_assert(std::is_convertible_v<std::vector<float> &, losskit::span<const float>>);
static_assert(std::is_convertible_v<const std::vector<float> &, losskit::span<const float>>);
static_assert(!std::is_convertible_v<const std::vector<float> &, losskit::span<float>>);
static_assert(!std::is_convertible_v<std::vector<double> &, losskit::span<const float>>);
static_assert(std::is_convertible_v<double (&)[3], losskit::span<const double>>);
static_assert(std::is_trivially_copyable_v<losskit::span<const float>>);

template <typename T>
static void sigmoids() {
  const std::vector<T> x{-2, 0, 3};
  std::array<T, 3> y{}, again{};
  losskit::sigmoid(x, y);
  losskit::sigmoid(x.data(), 3, again.data());
  for (std::size_t i = 0; i < x.size(); i++) {
    CHECK(std::fabs(y[i] - 1 / (1 + std::exp(-x[i]))) < T(1e-6));
    CHECK(y[i] == again[i]);
  }
  losskit::sigmoid(losskit::span<const T>{}, losskit::span<T>{});
}

int main() {
  sigmoids<float>();
  sigmoids<double>();

  std::vector<float> x(3), small(2);
  try {
    losskit::sigmoid(x, small);
    CHECK(!"a small span was accepted");
  } catch (const losskit::error &error) {
    CHECK(error.code() == LOSSKIT_INVALID_SHAPE);
    CHECK(std::strcmp(error.what(), losskit_status_string(LOSSKIT_INVALID_SHAPE)) == 0);
  }
  try {
    losskit::sigmoid(static_cast<const float *>(nullptr), 3, x.data());
    CHECK(!"a null pointer was accepted");
  } catch (const std::runtime_error &error) {
    CHECK(std::strcmp(error.what(), losskit_status_string(LOSSKIT_NULL_POINTER)) == 0);
  }

  {
    losskit::thread_scope two(2);
    CHECK(losskit::num_threads() == 2);
  }
  CHECK(losskit::num_threads() == 1);
  CHECK(std::strcmp(losskit::version(), losskit_version()) == 0);
  CHECK(losskit::isa_name() != nullptr);
  return failures != 0;
}
