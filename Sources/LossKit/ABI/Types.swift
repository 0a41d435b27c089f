/// What every function of the library returns.
enum Status: Int32 {
  /// Done.
  case ok = 0
  /// A required pointer is null.
  case nullPointer = 1
  /// A size is negative, zero where it must not be, too large, or does not match another array.
  case invalidShape = 2
  /// A label, index or dense target outside its range (and not `ignore_index`).
  case invalidTarget = 3
  /// A parameter outside its range, or an unknown mode.
  case invalidParameter = 4
  /// Bad data: NaN in scores to be sorted or binned, a probability outside [0, 1], a negative weight, a singular matrix.
  case invalidValue = 5
  /// An output or workspace capacity is too small; the needed count is reported.
  case bufferTooSmall = 6
  /// A documented allocation failed.
  case outOfMemory = 7
  /// A combination of arguments that the function excludes.
  case unsupported = 8
}

/// How the losses of rows or elements are joined.
enum Reduction: Int32 {
  /// One loss for each row or element, weighted.
  case none = 0
  /// The weighted mean.
  case mean = 1
  /// The weighted sum.
  case sum = 2
}

/// How confidences are divided into bins.
enum Binning: Int32 {
  /// Equal width: the edges are `b / n_bins`.
  case uniform = 0
  /// Equal mass: the edges are the quantiles of the confidences at `b / n_bins`, linearly interpolated.
  case quantile = 1
  /// Equal mass: the sorted confidences are cut into runs of equal length, the edges lie midway between two runs.
  case midpoint = 2
  /// Equal mass: element k of the sorted confidences goes to bin ⌊k · n_bins / count⌋; no edges are compared.
  case rank = 3
}

/// The side on which a bin owns its edge.
enum BinEdge: Int32 {
  /// Bin b = (e_b, e_{b+1}]; 0 falls in the first bin.
  case right = 0
  /// Bin b = [e_b, e_{b+1}); 1 falls in the last bin.
  case left = 1
  /// As `left`, but confidence 1 has a bin of its own, index n_bins: there is one bin more.
  case leftExtra = 2
}

/// How Soft-NMS treats the score s of a box that overlaps a selected one by o = IoU.
enum SoftNmsMethod: Int32 {
  /// s (1 − o) where o exceeds the IoU threshold.
  case linear = 0
  /// s e^{−o²/σ}.
  case gaussian = 1
  /// The box is dropped where o exceeds the IoU threshold: ordinary suppression.
  case hard = 2
}
