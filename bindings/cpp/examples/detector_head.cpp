// A detector in a loop: raw outputs of a PicoDet-style head to boxes, frame after frame, without touching the heap.
//
//     g++ -std=c++17 -Os -static -s -pthread -Wl,--gc-sections -Iinclude detector_head.cpp liblosskit.a
//
// The network is a stand-in that draws a few squares which wander about. All memory is taken before the first frame.
#include <losskit/losskit.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::ptrdiff_t kClasses = 10, kLastBin = 7, kBins = 4 * (kLastBin + 1), kTopK = 1000, kMost = 100;
constexpr double kHeight = 800, kWidth = 608;
const std::vector<std::int64_t> kRows{100, 50, 25, 13}, kColumns{76, 38, 19, 10};
const std::vector<float> kStrides{8, 16, 32, 64};

// What a network would write: scores of [anchors, 10], distributions of [anchors, 4 · 8].
void run_network(int frame, std::vector<float>& scores, std::vector<float>& distributions) {
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = 0.001f * static_cast<float>((i * 2654435761u >> 20) % 80);
  for (float& logit : distributions) logit = 0;
  for (int square = 0; square < 6; ++square) {
    const std::size_t row = 10 + (frame + 7 * square) % 80, column = 5 + 11 * square;
    for (std::size_t anchor : {row * 76 + column, row * 76 + column + 1, row * 76 + 76 + column}) {
      scores[anchor * kClasses + square] = 0.9f - 0.01f * static_cast<float>(anchor % 7);
      for (int side = 0; side < 4; ++side) distributions[anchor * kBins + side * (kLastBin + 1) + 5] = 9;
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const int frames = argc > 1 ? std::atoi(argv[1]) : 100;
  std::ptrdiff_t anchors = 0, bytes = 0, found = 0, total = 0;
  for (std::size_t level = 0; level < kRows.size(); ++level) anchors += kRows[level] * kColumns[level];
  std::vector<float> scores(anchors * kClasses), distributions(anchors * kBins), points(anchors * 2), strides(anchors);
  losskit::grid_points(kRows, kColumns, kStrides, 0.5, /* in_pixels */ true, points, strides, anchors, &anchors);
  losskit::gfl_postprocess_workspace_size(anchors, kClasses, /* levels */ 0, kLastBin, kTopK, &bytes);
  std::vector<std::uint8_t> workspace(bytes);
  std::vector<float> boxes(kMost * 4), best(kMost);
  std::vector<std::int64_t> labels(kMost);
  for (int frame = 0; frame < frames; ++frame) {
    run_network(frame, scores, distributions);
    const double score_threshold = 0.4, iou_threshold = 0.5, sigma = 0.5, soft_score_threshold = 0.001, min_size = 0;
    losskit::gfl_postprocess(
        scores, distributions.data(), points, strides, kClasses, kLastBin, {}, /* levels */ 0,
        losskit::detection_activation::none, score_threshold, kTopK, losskit::detection_suppression::hard,
        iou_threshold, sigma, soft_score_threshold, /* class_agnostic */ false, /* multi_label */ true, kMost,
        /* has_image_size */ true, kHeight, kWidth, min_size, boxes, best, labels, {}, kMost, &found,
        workspace.data(), bytes);
    total += found;
  }
  std::printf("%td boxes in %d frames; the last of the last: label %d at (%.1f, %.1f, %.1f, %.1f)\n", total, frames,
              static_cast<int>(labels[found - 1]), boxes[4 * found - 4], boxes[4 * found - 3], boxes[4 * found - 2],
              boxes[4 * found - 1]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "detector_head: %s\n", error.what());
  return 1;
}
