import RuntimeShims

/// Work that is split into parts: everything a part needs is in the job.
protocol ParallelJob {
  func run(part: Int)
}

/// Runs `job.run(part: 0) … job.run(part: count − 1)`.
///
/// Generic code takes this form, not a closure: a closure that captures generic values is compiled behind a thunk, and
/// calls in thunks (all the vector primitives) are not inlined. A pointer to the job is safe to capture.
@inline(__always)
func parallel<Job: ParallelJob>(_ count: Int, _ job: Job) {
  withUnsafePointer(to: job) { job in
    parallel(count) { part in job.pointee.run(part: part) }
  }
}

/// Runs `body(0) … body(count − 1)`, on several threads if the caller has set so. The work behind an index must not
/// depend on the thread it runs on; results that are joined are joined in index order by the caller.
///
/// Not inlined, so that a body's machine code exists once; on one thread nothing is allocated.
@inline(never)
func parallel(_ count: Int, _ body: (Int) -> Void) {
  if count <= 1 || losskit_runtime_threads() <= 1 {
    for index in 0..<count { body(index) }
    return
  }
  withoutActuallyEscaping(body) { body in
    var box = ParallelBody(run: body)
    withUnsafeMutablePointer(to: &box) { context in
      losskit_runtime_parallel(
        count,
        { context, index in context!.assumingMemoryBound(to: ParallelBody.self).pointee.run(index) },
        context)
    }
  }
}

private struct ParallelBody {
  let run: (Int) -> Void
}

/// A split of `count` units of work into at most `Split.limit` parts, by size alone: never by the number of threads,
/// so that sums over the parts have the same bits however many threads there are.
struct Split {
  static let limit = 64
  let count: Int
  /// Units in each part but the last.
  let length: Int
  let parts: Int

  /// - Parameters:
  ///   - count: units of work.
  ///   - smallest: the fewest units that are worth a thread's while.
  ///   - multiple: parts start at multiples of this.
  init(_ count: Int, smallest: Int, multiple: Int = 1) {
    let even = (count + Split.limit - 1) / Split.limit
    let wanted = Swift.max(even, smallest, 1)
    self.count = count
    length = (wanted + multiple - 1) / multiple * multiple
    parts = (count + length - 1) / length
  }

  @inline(__always) func range(_ part: Int) -> Range<Int> {
    let start = part &* length
    return start..<Swift.min(start &+ length, count)
  }
}
