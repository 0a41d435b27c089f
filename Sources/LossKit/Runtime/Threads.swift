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
  let threads = losskit_shim_load(&threadCount)
  let process = losskit_shim_process_id()
  guard count > 1, threads > 1, takePool(process) else {
    for index in 0..<count { body(context, index) }
    return
  }
  job = Job(count: count, body: body, context: context)
  losskit_shim_store_int(&nextIndex, 0)
  let helpers = Int32(truncatingIfNeeded: min(count &- 1, Int(availableWorkers(threads &- 1))))
  if helpers > 0 { admit(helpers) }
  runJob()
  if helpers > 0 { dismiss(helpers) }
  _ = losskit_shim_replace(&owner, process, 0)
}

private struct Job {
  var count = 0
  var body: losskit_runtime_body?
  var context: UnsafeMutableRawPointer?
}

/// The process whose thread owns the pool, or 0. After a fork the child finds its parent's number here, at most: a
/// pool whose workers, and perhaps owner, do not exist in the child. Whoever takes it then starts afresh.
nonisolated(unsafe) private var owner = losskit_shim_atomic_int32(value: 0)

// Only the owner touches these two.
nonisolated(unsafe) private var workersProcess: Int32 = 0
nonisolated(unsafe) private var workers: Int32 = 0

/// What the owner wants done. A worker reads it between taking a seat and counting itself as gone, no other time.
nonisolated(unsafe) private var job = Job()
nonisolated(unsafe) private var nextIndex = losskit_shim_atomic_int(value: 0)
/// How many workers may still join in. Workers without work sleep on its being 0.
nonisolated(unsafe) private var seats = losskit_shim_atomic_int32(value: 0)
/// How many workers that took a seat are done, and how many the owner waits for (−1 while it is busy itself).
nonisolated(unsafe) private var gone = losskit_shim_atomic_int32(value: 0)
nonisolated(unsafe) private var awaited = losskit_shim_atomic_int32(value: -1)

/// Tries to become the pool's owner; on success the pool is this process' own.
private func takePool(_ process: Int32) -> Bool {
  let current = losskit_shim_load_ordered(&owner)
  guard current != process, losskit_shim_replace(&owner, current, process) else { return false }
  if workersProcess != process {
    workersProcess = process
    workers = 0
    _ = losskit_shim_exchange(&seats, 0)
  }
  return true
}

/// How many workers there are for a call that could use `wanted`. Threads that cannot be started are done without.
private func availableWorkers(_ wanted: Int32) -> Int32 {
  while workers < wanted, losskit_shim_start_thread({ _ in work() }) { workers &+= 1 }
  return min(workers, wanted)
}

/// Offers the job to that many workers.
private func admit(_ helpers: Int32) {
  _ = losskit_shim_exchange(&gone, 0)
  _ = losskit_shim_exchange(&awaited, -1)
  _ = losskit_shim_exchange(&seats, helpers)
  losskit_shim_wake(&seats, helpers)
}

/// Takes back the seats that nobody took, and waits for the workers that did.
private func dismiss(_ helpers: Int32) {
  let entered = helpers &- losskit_shim_exchange(&seats, 0)
  _ = losskit_shim_exchange(&awaited, entered)
  while true {
    let count = losskit_shim_load_ordered(&gone)
    if count == entered { return }
    losskit_shim_sleep_while(&gone, count)
  }
}

/// Takes the next index and runs it, until there are none.
private func runJob() {
  let current = job
  guard let body = current.body else { return }
  while true {
    let index = losskit_shim_take_next(&nextIndex)
    if index >= current.count { return }
    body(current.context, index)
  }
}

/// A worker's life.
private func work() -> UnsafeMutableRawPointer? {
  while true {
    let free = losskit_shim_load_ordered(&seats)
    if free == 0 {
      losskit_shim_sleep_while(&seats, 0)
    } else if losskit_shim_replace(&seats, free, free &- 1) {
      runJob()
      // The last one wakes the owner, if it sleeps already.
      if losskit_shim_add(&gone, 1) == losskit_shim_load_ordered(&awaited) { losskit_shim_wake(&gone, 1) }
    }
  }
}
