import Testing

@testable import LossKit

@Suite(.serialized) struct ParallelTests {
  @Test(arguments: [0, 1, 7, 63, 64, 65, 1000, 32768, 100_003, 10_000_019])
  func splitsCoverEverythingOnce(count: Int) {
    for smallest in [1, 16, 1000] {
      for multiple in [1, 8, 16] {
        let split = Split(count, smallest: smallest, multiple: multiple)
        #expect(split.parts <= Split.limit)
        var next = 0
        for part in 0..<split.parts {
          let range = split.range(part)
          #expect(range.lowerBound == next && !range.isEmpty)
          #expect(range.lowerBound % multiple == 0)
          #expect(range.count >= smallest || part == split.parts - 1)
          next = range.upperBound
        }
        #expect(next == count)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 8] as [Int32])
  func everyIndexRunsOnce(threads: Int32) {
    #expect(losskitSetNumThreads(threads) == Status.ok.rawValue)
    defer { _ = losskitSetNumThreads(1) }
    for count in [0, 1, 2, 5, 64, 500] {
      var runs = [Int32](repeating: 0, count: count)
      runs.withUnsafeMutableBufferPointer { runs in
        let runs = Unchecked(runs)
        parallel(count) { runs.value[$0] += 1 }
      }
      #expect(runs.allSatisfy { $0 == 1 })
    }
  }

  @Test func nestedCallsRunInline() {
    #expect(losskitSetNumThreads(4) == Status.ok.rawValue)
    defer { _ = losskitSetNumThreads(1) }
    var runs = [Int32](repeating: 0, count: 20 * 30)
    runs.withUnsafeMutableBufferPointer { runs in
      let runs = Unchecked(runs)
      parallel(20) { outer in
        parallel(30) { inner in runs.value[outer * 30 + inner] += 1 }
      }
    }
    #expect(runs.allSatisfy { $0 == 1 })
  }

  @Test func threadCountsOutsideTheRangeAreRefused() {
    for count in [Int32.min, -1, 0, 257, .max] {
      #expect(losskitSetNumThreads(count) == Status.invalidParameter.rawValue)
    }
    #expect(losskitGetNumThreads() == 1)
  }
}

/// Bodies of `parallel` write to places of their own.
private struct Unchecked<T>: @unchecked Sendable {
  let value: T
  init(_ value: T) { self.value = value }
}
