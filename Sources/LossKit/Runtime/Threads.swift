import RuntimeShims

// A pool of workers that sleep between calls. One parallel call owns the pool at a time; others, and calls from inside
// a body, run on their own thread, so that there are never more threads than asked for. The pool is state, but none
// that a result could depend on.

private let largestThreadCount: Int32 = 256
nonisolated(unsafe) private var threadCount = losskit_shim_atomic_int32(value: 1)

@c(losskit_set_num_threads)
public func losskitSetNumThreads(_ count: Int32) -> Int32 {
  guard count >= 1, count <= largestThreadCount else { return Status.invalidParameter.rawValue }
  losskit_shim_store(&threadCount, count)
  return Status.ok.rawValue
}

@c(losskit_get_num_threads)
public func losskitGetNumThreads() -> Int32 { losskit_shim_load(&threadCount) }

@c(losskit_runtime_threads)
public func losskitRuntimeThreads() -> Int32 { losskit_shim_load(&threadCount) }

@c(losskit_runtime_parallel)
public func losskitRuntimeParallel(_ count: Int, _ body: losskit_runtime_body?, _ context: UnsafeMutableRawPointer?) {
  guard let body else { return }
  for index in 0..<count { body(context, index) }
}
