// What the library says of itself.

@c(losskit_version)
public func losskitVersion() -> UnsafePointer<CChar> { cString(libraryVersion) }

@c(losskit_status_string)
public func losskitStatusString(_ status: Int32) -> UnsafePointer<CChar> {
  guard let status = Status(rawValue: status) else { return cString("unknown status") }
  switch status {
  case .ok: return cString("done")
  case .nullPointer: return cString("a required pointer is null")
  case .invalidShape:
    return cString("a size is negative, zero where it must not be, too large, or does not match another array")
  case .invalidTarget: return cString("a label, index or dense target is outside its range")
  case .invalidParameter: return cString("a parameter is outside its range, or a mode is unknown")
  case .invalidValue:
    return cString(
      "bad data: NaN where values are ordered or binned, a probability outside [0, 1], a negative weight or the like")
  case .bufferTooSmall: return cString("an output or workspace is too small; the needed count is reported")
  case .outOfMemory: return cString("an allocation failed")
  case .unsupported: return cString("the function excludes this combination of arguments")
  }
}

private func cString(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
