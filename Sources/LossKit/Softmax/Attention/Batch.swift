/// One kernel for each item of a batch, with scratch arrays of its own.
protocol BatchKernel {
  associatedtype Memory
  func memory(_ arena: inout Arena) -> Memory
  func run(_ item: Int, _ memory: Memory)
}

/// Items are cut into so many parts at most: each has its scratch memory.
private let mostParts = 8

extension BatchKernel {
  /// Runs for all items of a batch. A single one has the threads for itself.
  @inline(__always)
  func run(batch count: Int) -> Status {
    let split = Split(count, smallest: (count &+ mostParts &- 1) / mostParts)
    let bytes = bytesTaken { memory(&$0) }
    return withWorkspace { $0.take(UInt8.self, bytes &* split.parts) } _: { memory in
      parallel(split.parts, BatchJob(kernel: self, split: split, memory: memory, bytes: bytes))
      return .ok
    }
  }
}

private struct BatchJob<K: BatchKernel>: ParallelJob {
  let kernel: K
  let split: Split
  let memory: UnsafeMutablePointer<UInt8>
  let bytes: Int

  @inline(__always) func run(part: Int) {
    var arena = Arena(UnsafeMutableRawPointer(memory + part &* bytes))
    let arrays = kernel.memory(&arena)
    for item in split.range(part) { kernel.run(item, arrays) }
  }
}
