// losskit.hpp - the C interface for C++17: overloads on the precision, spans, scoped enumerations, exceptions.
//
//     #include <losskit/losskit.hpp>
//
//     std::vector<float> x{-2, 0, 3}, y(x.size());
//     losskit::sigmoid(x, y);                          // throws losskit::error if the call is refused
//
// Header-only and thin: each call is one call of the C function of the same name, whose documentation in losskit.h
// holds. For losskit_<name>_f32 and _f64 there is losskit::<name>, twice:
//
//   * with the C function's parameters, pointers and sizes;
//   * with spans in the place of pointers whose shape is documented. A size that is a span's whole shape is left out,
//     since the span knows it; the other spans must be large enough, else the call throws invalid_shape. An optional
//     array that is not wanted is an empty span: {}.
//
// Anything contiguous converts to a span: std::vector, std::array, C arrays, std::span, Eigen vectors. Input spans are
// of const elements.
#ifndef LOSSKIT_HPP
#define LOSSKIT_HPP

#include <losskit/losskit.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace losskit {

/// A refused call. Its outputs are untouched; `code()` is the C function's status, `what()` says what it means.
class error : public std::runtime_error {
 public:
  explicit error(losskit_status code) : std::runtime_error(losskit_status_string(code)), code_(code) {}
  losskit_status code() const noexcept { return code_; }

 private:
  losskit_status code_;
};

/// Throws `error` unless the status is LOSSKIT_OK.
inline void check(losskit_status status) {
  if (status != LOSSKIT_OK) throw error(status);
}

/// A view of contiguous elements that somebody else owns: the part of C++20's std::span that C++17 needs.
template <typename T>
class span {
  template <typename Container>
  using pointer_of = decltype(std::data(std::declval<Container &>()));
  // As std::span: only adding const is a conversion, so that floats never pass for doubles.
  template <typename Container>
  using if_convertible = std::enable_if_t<
      std::is_convertible_v<std::remove_pointer_t<pointer_of<Container>> (*)[], T (*)[]> &&
      std::is_convertible_v<decltype(std::size(std::declval<Container &>())), std::size_t>>;

 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;

  constexpr span() noexcept = default;
  constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <typename Container, typename = if_convertible<Container>>
  constexpr span(Container &container) : data_(std::data(container)), size_(std::size(container)) {}
  /// Temporaries may be read from for the duration of a call.
  template <typename Container, typename = if_convertible<const Container>>
  constexpr span(const Container &container) : data_(std::data(container)), size_(std::size(container)) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr std::ptrdiff_t ssize() const noexcept { return static_cast<std::ptrdiff_t>(size_); }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T &operator[](std::size_t index) const { return data_[index]; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr span subspan(std::size_t offset, std::size_t count) const { return {data_ + offset, count}; }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/// "1.0.0" of the library that is linked, which need not be the header's.
inline const char *version() { return losskit_version(); }

/// The instruction set in use.
inline const char *isa_name() { return losskit_isa_name(); }

/// How many threads a call may use: 1 to 256.
inline void set_num_threads(std::int32_t count) { check(losskit_set_num_threads(count)); }
inline std::int32_t num_threads() { return losskit_get_num_threads(); }

/// Sets the number of threads for a scope. (The setting is the process's, not the thread's.)
class thread_scope {
 public:
  explicit thread_scope(std::int32_t count) : before_(num_threads()) { set_num_threads(count); }
  ~thread_scope() { losskit_set_num_threads(before_); }
  thread_scope(const thread_scope &) = delete;
  thread_scope &operator=(const thread_scope &) = delete;

 private:
  std::int32_t before_;
};

namespace detail {

/// A span must hold the product of these sizes, unless it is optional and empty. Sizes that C refuses are left to C.
template <typename T>
void expect(span<T> elements, bool is_optional, std::initializer_list<std::ptrdiff_t> sizes) {
  if (is_optional && elements.empty()) return;
  std::size_t needed = 1;
  for (const std::ptrdiff_t size : sizes) {
    if (size < 0) return;
    const auto factor = static_cast<std::size_t>(size);
    if (factor != 0 && needed > std::numeric_limits<std::size_t>::max() / factor) throw error(LOSSKIT_INVALID_SHAPE);
    needed *= factor;
  }
  if (elements.size() < needed) throw error(LOSSKIT_INVALID_SHAPE);
}

}  // namespace detail
}  // namespace losskit

#include <losskit/losskit_overloads.hpp>

#endif
