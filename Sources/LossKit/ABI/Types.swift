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
