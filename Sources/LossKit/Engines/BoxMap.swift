/// A map of boxes one by one.
protocol BoxMap {
  associatedtype V: Lanes
  func value(_ box: Quads<V>) -> Quads<V>
}

/// `output[i] = map.value(boxes[i])` with the checks that every exported map makes; `output` may be `boxes`.
@inline(__always)
func mapBoxes<M: BoxMap>(
  _ map: M, _ boxes: UnsafePointer<M.V.Element>?, _ count: Int, _ output: UnsafeMutablePointer<M.V.Element>?
) -> Status {
  guard elementCount(count, 4) != nil else { return .invalidShape }
  if count == 0 { return .ok }
  guard let boxes, let output else { return .nullPointer }
  forEachRowVector(M.V.self, count) { row, n in
    map.value(Quads(boxes + 4 &* row, rows: n)).store(output + 4 &* row, rows: n)
  }
  return .ok
}
