import RuntimeShims

@c(losskit_runtime_allocate)
public func losskitRuntimeAllocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
  var memory: UnsafeMutableRawPointer?
  return posix_memalign(&memory, 64, max(bytes, 1)) == 0 ? memory : nil
}

@c(losskit_runtime_free)
public func losskitRuntimeFree(_ memory: UnsafeMutableRawPointer?) { free(memory) }
