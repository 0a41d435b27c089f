import RuntimeShims

/// Lays arrays out behind one another in a block of memory, each at a multiple of 64 bytes.
///
/// A kernel states its layout once, as an `init(_ arena: inout Arena, …)`: run on an arena without memory it measures
/// how much is needed, run on a real one it hands out the arrays. So the two cannot disagree.
struct Arena {
  private var address: UInt
  private let start: UInt

  /// An arena that only measures.
  init() {
    start = 64
    address = 64
  }

  init(_ memory: UnsafeMutableRawPointer) {
    start = UInt(bitPattern: memory)
    address = start
  }

  /// An array of `count` elements, not initialised.
  mutating func take<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
    address = (address &+ 63) & ~63
    let array = UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    address &+= UInt(bitPattern: count &* MemoryLayout<T>.stride)
    return array.assumingMemoryBound(to: T.self)
  }

  /// Bytes that a block needs for what was taken, wherever it begins.
  var bytes: Int { Int(bitPattern: address &- start) &+ 64 }
}

/// Runs `body` with what `layout` takes from an arena: in the caller's workspace, or, if that is null, in memory
/// allocated for this call.
///
/// `bufferTooSmall` where the workspace has fewer bytes than the layout, `outOfMemory` where the allocation fails.
@inline(__always)
func withWorkspace<Layout>(
  _ workspace: UnsafeMutableRawPointer? = nil, _ workspaceSize: Int = 0, layout: (inout Arena) -> Layout,
  _ body: (inout Layout) -> Status
) -> Status {
  let bytes = bytesTaken(by: layout)
  if workspace != nil, workspaceSize < bytes { return .bufferTooSmall }
  guard let memory = workspace ?? losskit_runtime_allocate(bytes) else { return .outOfMemory }
  defer { if workspace == nil { losskit_runtime_free(memory) } }
  var arena = Arena(memory)
  var arrays = layout(&arena)
  return body(&arrays)
}

/// Bytes of workspace that a layout needs.
@inline(__always)
func bytesTaken<Layout>(by layout: (inout Arena) -> Layout) -> Int {
  var arena = Arena()
  _ = layout(&arena)
  return arena.bytes
}
