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
