/// The points of a grid head's anchors, level after level and row after row.
///
///     point = (column + offset, row + offset), times the stride of the level if `inPixels`
///
/// - Parameters:
///   - rows: `[levels]`, height of each level's grid, ≥ 0.
///   - columns: `[levels]`, width of each level's grid, ≥ 0.
///   - levelStrides: `[levels]`.
///   - levels: ≥ 0.
///   - offset: 1/2 for centres of cells, 0 for their corners. Any finite number.
///   - inPixels: false gives numbers of cells, as YOLO heads want them with offset 0.
///   - points: output, `[capacity, 2]`, x, y.
///   - strides: optional output, `[capacity]`, the stride of each point's level.
///   - capacity: points that the outputs have room for. If there are more: BUFFER_TOO_SMALL, and `count` is the number
///     needed. With a capacity of 0 `points` may be null.
///   - count: output, the number of points.
/// - Errors: INVALID_SHAPE, INVALID_PARAMETER, NULL_POINTER, BUFFER_TOO_SMALL.
func gridPoints<S: Scalar>(
  _ rows: UnsafePointer<Int64>?, _ columns: UnsafePointer<Int64>?, _ levelStrides: UnsafePointer<S>?, _ levels: Int,
  _ offset: Double, _ inPixels: Bool, _ points: UnsafeMutablePointer<S>?, _ strides: UnsafeMutablePointer<S>?,
  _ capacity: Int, _ count: UnsafeMutablePointer<Int>?
) -> Status {
  guard elementCount(levels, 1) != nil, elementCount(capacity, 2) != nil else { return .invalidShape }
  guard offset.magnitude < .infinity else { return .invalidParameter }
  guard let count, points != nil || capacity == 0 else { return .nullPointer }
  if levels == 0 {
    count.pointee = 0
    return .ok
  }
  guard let rows, let columns, let levelStrides else { return .nullPointer }
  var total = 0
  for level in 0..<levels {
    guard let cells = elementCount(Int(rows[level]), Int(columns[level])), cells <= largestCount &- total else {
      return .invalidShape
    }
    total &+= cells
  }
  count.pointee = total
  guard total <= capacity else { return .bufferTooSmall }
  var i = 0
  for level in 0..<levels {
    if columns[level] == 0 { continue }  // of however many rows
    let stride = levelStrides[level]
    let unit = inPixels ? stride : 1
    for row in 0..<Int(rows[level]) {
      for column in 0..<Int(columns[level]) {
        if let points {
          points[2 &* i] = (S(Double(column)) + S(offset)) * unit
          points[2 &* i &+ 1] = (S(Double(row)) + S(offset)) * unit
        }
        strides?[i] = stride
        i &+= 1
      }
    }
  }
  return .ok
}
