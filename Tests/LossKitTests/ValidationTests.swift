import Testing

@testable import LossKit

@Suite struct ValidationTests {
  @Test func elementCountsRefuseWhatNoArrayHas() {
    #expect(elementCount(3, 4) == 12)
    #expect(elementCount(0, .max) == 0)
    #expect(elementCount(-1, 4) == nil)
    #expect(elementCount(4, -1) == nil)
    #expect(elementCount(.max, 2) == nil)
    #expect(elementCount(1 << 32, 1 << 31) == nil)
    #expect(elementCount(.max / 16, 1) == .max / 16)
    #expect(elementCount(.max / 16 + 1, 1) == nil)
    #expect(elementCount(2, 3, 4) == 24)
    #expect(elementCount(1 << 21, 1 << 21, 1 << 21) == nil)
    #expect(elementCount(0, -1, 4) == nil)
  }

  @Test func positiveMeansFiniteToo() {
    #expect(isPositive(0.5) && isPositive(5e-324))
    for x in [0, -0.0, -1, .infinity, -.infinity, .nan] { #expect(!isPositive(x)) }
  }

  @Test func everyStatusHasAText() {
    for status in Int32(-1)...9 { #expect(!String(cString: losskitStatusString(status)).isEmpty) }
  }
}
