// An ordinary Swift program with liblosskit.a inside: its own runtime must stay its own, so objects, strings,
// dictionaries, generics, errors and casts are put to use beside the calls.
import CLossKit

struct Refused: Error, CustomStringConvertible {
  let status: losskit_status
  var description: String { String(cString: losskit_status_string(status)) }
}

class Scores {
  var values: [Float]
  init(_ values: [Float]) { self.values = values }

  func squash() throws -> Scores {
    var result = [Float](repeating: 0, count: values.count)
    let status = losskit_sigmoid_f32(values, values.count, &result)
    if status != LOSSKIT_OK { throw Refused(status: status) }
    return Scores(result)
  }
}

final class NamedScores: Scores {
  let name: String
  init(_ name: String, _ values: [Float]) {
    self.name = name
    super.init(values)
  }
}

var table: [String: Any] = [:]
for round in 0..<1000 {
  let scores: Scores = NamedScores("round \(round)", [-2, 0, 3])
  table[(scores as! NamedScores).name] = try scores.squash()
  if round % 10 != 0 { table["round \(round)"] = nil }
}
guard table.count == 100, let last = table["round 990"] as? Scores else { fatalError("the runtime is not itself") }
do {
  var y: Float = 0
  let status = losskit_sigmoid_f32(nil, 1, &y)
  if status != LOSSKIT_OK { throw Refused(status: status) }
} catch let error as Refused where error.description == "a required pointer is null" {
} catch { fatalError("\(error)") }

_ = losskit_set_num_threads(3)
let many = try Scores([Float](repeating: 1, count: 500_000)).squash()
guard Set(many.values).count == 1 else { fatalError("threads disagree") }
print(last.values.map { String(Double(Int($0 * 10000 + 0.5)) / 10000) }.joined(separator: " "))
