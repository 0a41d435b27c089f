// Turns the raw heads of a document detector into boxes: document_layout <heads file> <hard|soft_gaussian>
//
// What document_layout.py does with NumPy and losskit, in a program that needs nothing but LossKit's static library.
// Input: for each level int32 stride, rows, columns, then float32 scores [rows · columns][10] and distances
// [rows · columns][4 · 8]. Output: the boxes as JSON, with digits enough to tell every float32 from its neighbours.
#include <losskit/losskit.hpp>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr float kWidth = 608, kHeight = 800;
constexpr std::ptrdiff_t kClasses = 10, kLastBin = 7, kMaxDetections = 300;

struct Candidates {
  std::vector<float> scores, boxes;
};

struct Detections {
  std::vector<float> boxes, scores;
  std::vector<std::int64_t> labels, anchors;
  std::ptrdiff_t count;
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
    losskit::dfl_decode(logits.data(), cells, kLastBin, distances.data());
    for (float& distance : distances) distance *= stride;
    losskit::distance_to_box(centres, distances, cells, /* has_image_size */ false, 0, 0, boxes);
    all.scores.insert(all.scores.end(), scores.begin(), scores.end());
    all.boxes.insert(all.boxes.end(), boxes.begin(), boxes.end());
  }
  return all;
}

// The same choices as in document_layout.py.
Detections detect(const Candidates& candidates, losskit::detection_suppression suppression) {
  Detections found{std::vector<float>(kMaxDetections * 4), std::vector<float>(kMaxDetections),
                   std::vector<std::int64_t>(kMaxDetections), std::vector<std::int64_t>(kMaxDetections), 0};
  const double score_threshold = 0.3, iou_threshold = 0.5, sigma = 0.5, soft_score_threshold = 0.25, min_size = 0;
  const bool class_agnostic = false, multi_label = true, has_image_size = true;
  const std::ptrdiff_t anchors = candidates.boxes.size() / 4, pre_nms_top_k = 1000, background_index = -1;
  losskit::detection_postprocess(
      candidates.scores, candidates.boxes, {}, anchors, kClasses, losskit::detection_activation::none,
      losskit::objectness_mode::product, score_threshold, pre_nms_top_k, suppression, iou_threshold, sigma,
      soft_score_threshold, class_agnostic, multi_label, background_index, kMaxDetections, has_image_size, kHeight,
      kWidth, min_size, found.boxes, found.scores, found.labels, found.anchors, kMaxDetections, &found.count, nullptr, 0);
  return found;
}

void write_json(const Detections& found) {
  for (std::ptrdiff_t i = 0; i < found.count; ++i) {
    const float* box = &found.boxes[i * 4];
    std::printf("%s{\"label\": %" PRId64 ", \"score\": %.9g, \"box\": [%.9g, %.9g, %.9g, %.9g], ", i == 0 ? "[\n  " : ",\n  ",
                found.labels[i], found.scores[i], box[0], box[1], box[2], box[3]);
    std::printf("\"anchor\": %" PRId64 "}", found.anchors[i]);
  }
  std::puts(found.count == 0 ? "[]" : "\n]");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: document_layout <heads file> <hard|soft_gaussian>");
  std::ifstream file(argv[1], std::ios::binary);
  if (!file) throw std::runtime_error("cannot open the heads file");
  const bool is_soft = std::string(argv[2]) == "soft_gaussian";
  using suppression = losskit::detection_suppression;
  write_json(detect(decode(file), is_soft ? suppression::soft_gaussian : suppression::hard));
} catch (const std::exception& error) {
  std::fprintf(stderr, "document_layout: %s\n", error.what());
  return 1;
}
