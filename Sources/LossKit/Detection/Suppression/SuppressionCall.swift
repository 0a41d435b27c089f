/// The arguments that all suppression has: boxes with scores, room for results, how many there are, and scratch.
struct SuppressionCall<S: Scalar> {
  let boxes, scores: UnsafePointer<S>?
  let count: Int
  let capacity: Int
  let resultCount: UnsafeMutablePointer<Int>?
  let workspace: UnsafeMutableRawPointer?
  let workspaceSize: Int

  init(
    _ boxes: UnsafePointer<S>?, _ scores: UnsafePointer<S>?, _ count: Int, _ capacity: Int,
    _ resultCount: UnsafeMutablePointer<Int>?, _ workspace: UnsafeMutableRawPointer?, _ workspaceSize: Int
  ) {
    self.boxes = boxes
    self.scores = scores
    self.count = count
    self.capacity = capacity
    self.resultCount = resultCount
    self.workspace = workspace
    self.workspaceSize = workspaceSize
  }

  /// Checks the arguments, lays out the scratch and lets `run(state, boxes, scores)` suppress: it returns how many
  /// results there are, which `write(state, results)` then puts into the outputs, if there is room.
  ///
  /// - Parameters:
  ///   - isValid: whether the parameters are in their ranges.
  ///   - hasOutput: whether there is what is written to.
  ///   - hasInput: whether there is what else is read, if there are boxes.
  @inline(__always)
  func callAsFunction<State>(
    isValid: Bool, hasOutput: Bool = true, hasInput: Bool = true, layout: (inout Arena) -> State,
    run: (inout State, UnsafePointer<S>, UnsafePointer<S>) -> Int, write: (State, Int) -> Void
  ) -> Status {
    guard count >= 0, count <= largestSortCount, capacity >= 0 else { return .invalidShape }
    guard let resultCount, hasOutput else { return .nullPointer }
    guard isValid else { return .invalidParameter }
    if count == 0 {
      resultCount.pointee = 0
      return .ok
    }
    guard let boxes, let scores, hasInput else { return .nullPointer }
    guard !hasNaN(scores, count) else { return .invalidValue }
    return withWorkspace(workspace, workspaceSize, layout: layout) { state in
      let results = run(&state, boxes, scores)
      resultCount.pointee = results
      guard results <= capacity else { return .bufferTooSmall }
      write(state, results)
      return .ok
    }
  }

  /// The same where the results are the boxes that `ranked(state)` keeps.
  @inline(__always)
  func callAsFunction<State, Measure: OverlapMeasure>(
    _ keep: UnsafeMutablePointer<Int64>?, isValid: Bool, hasInput: Bool = true, layout: (inout Arena) -> State,
    ranked: (State) -> RankedSuppression<S, Measure>,
    run: (inout State, UnsafePointer<S>, UnsafePointer<S>) -> Int
  ) -> Status where Measure.V == S.Vector {
    self(
      isValid: isValid, hasOutput: keep != nil || capacity == 0, hasInput: hasInput, layout: layout, run: run,
      write: { state, _ in ranked(state).forEachKept { place, box in keep?[place] = Int64(box) } })
  }

  /// The same where the results are what `suppressor(state)` selects.
  @inline(__always)
  func callAsFunction<State>(
    _ rule: SoftNmsRule, _ indices: UnsafeMutablePointer<Int64>?, _ newScores: UnsafeMutablePointer<S>?,
    hasInput: Bool = true, layout: (inout Arena) -> State, suppressor: (State) -> SoftSuppressor<S>,
    run: (inout State, UnsafePointer<S>, UnsafePointer<S>) -> Int
  ) -> Status {
    self(isValid: rule.isValid, hasInput: hasInput, layout: layout, run: run) { state, selected in
      let suppressor = suppressor(state)
      for i in 0..<selected {
        indices?[i] = Int64(suppressor.selected[i])
        newScores?[i] = suppressor.selectedScores[i]
      }
    }
  }
}
