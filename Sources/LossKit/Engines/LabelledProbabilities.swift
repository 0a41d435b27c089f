/// What all functions on probabilities with labels check first: nil if the arguments are in order.
@inline(__always) func faultOf<S>(
  _ probs: UnsafePointer<S>?, _ y: UnsafePointer<Int64>?, _ count: Int, _ classes: Int
) -> Status? {
  guard classes >= 0, classes <= Int(Int32.max), elementCount(count, max(classes, 1)) != nil else {
    return .invalidShape
  }
  return count > 0 && (probs == nil || y == nil) ? .nullPointer : nil
}
