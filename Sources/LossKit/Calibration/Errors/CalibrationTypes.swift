/// How the gaps of the bins are joined.
enum CalibrationNorm: Int32 {
  /// Mean absolute gap, weighted by the bins' counts: the expected calibration error.
  case l1 = 0
  /// Root of the weighted mean square gap.
  case l2 = 1
  /// The largest gap: the maximum calibration error.
  case max = 2
}

/// Which confidences of a row are looked at.
enum CalibrationMode: Int32 {
  /// The largest probability alone.
  case top = 0
  /// Every class on its own; the classes' errors are joined by the norm.
  case classwise = 1
}

/// The error of bins that come one by one.
struct JoinedGaps {
  private let norm: CalibrationNorm
  private let samples: Double
  private var absolute = 0.0
  private var square = 0.0
  private var largest = 0.0

  /// - Parameter samples: what sums are divided by; if 0, the error is NaN.
  init(_ norm: CalibrationNorm, samples: Double) {
    self.norm = norm
    self.samples = samples
  }

  mutating func add(_ bin: Bin) {
    absolute += bin.excess.magnitude
    square += bin.excess * bin.gap
    largest = Swift.max(largest, bin.gap.magnitude)
  }

  var error: Double {
    switch norm {
    case .l1: return absolute / samples
    case .l2: return (square / samples).squareRoot()
    case .max: return samples == 0 ? .nan : largest
    }
  }
}
