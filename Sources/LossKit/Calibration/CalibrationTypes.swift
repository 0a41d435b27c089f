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

/// What all functions on probabilities with labels check first: nil if the arguments are in order.
@inline(__always) func faultOf<S>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int
) -> Status? {
  guard classes >= 0, classes <= Int(Int32.max), elementCount(count, max(classes, 1)) != nil else {
    return .invalidShape
  }
  return count > 0 && (probs == nil || y == nil) ? .nullPointer : nil
}
