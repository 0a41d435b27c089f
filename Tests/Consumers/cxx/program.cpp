#include <losskit/losskit.hpp>

#include <cstdio>
#include <vector>

int main() {
  const std::vector<double> x{-2, 0, 3};
  std::vector<double> y(x.size());
  losskit::sigmoid(x, y);
  try {
    losskit::set_num_threads(0);
    return 1;
  } catch (const losskit::error &) {
  }
  std::printf("%.4f %.4f %.4f\n", y[0], y[1], y[2]);
}
