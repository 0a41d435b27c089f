import Foundation

/// A parameter of an exported function, as the Swift source spells it.
struct Parameter {
  let name: String
  let type: String
}

/// An exported function: a documented, file-level function of a kernel family that returns `Status`.
struct ExportedFunction {
  let name: String
  let isGeneric: Bool
  let parameters: [Parameter]
  let documentation: [String]
  let family: String

  /// `sigmoidFocalLoss` → `losskit_sigmoid_focal_loss`.
  var cName: String { "losskit_" + snakeCase(name) }
}

/// An `enum X: Int32` that exported functions take.
struct ExportedEnum {
  struct Case {
    let name: String
    let value: Int
    let documentation: [String]
  }
  let name: String
  let documentation: [String]
  let cases: [Case]
}

struct GeneratorError: Error, CustomStringConvertible {
  let description: String
}

/// `sigmoidFocalLoss` → `sigmoid_focal_loss`, `boxIoU` → `box_iou`, `boxes1` → `boxes1`, `polyNLoss` → `poly_n_loss`.
func snakeCase(_ name: String) -> String {
  var result = ""
  var previous: Character = "_"
  let characters = Array(name.replacingOccurrences(of: "IoU", with: "Iou"))
  for (place, character) in characters.enumerated() {
    // The last of several capitals begins a word if small letters follow: routerZLoss is router_z_loss.
    let isFollowed = place + 1 < characters.count && characters[place + 1].isLowercase
    let beginsWord = previous.isLowercase || previous.isNumber || (previous.isUppercase && isFollowed)
    if character.isUppercase, beginsWord { result.append("_") }
    result.append(Character(character.lowercased()))
    previous = character
  }
  return result
}

/// Everything the kernels' sources declare for the outside.
struct Declarations {
  var functions: [ExportedFunction] = []
  var enums: [ExportedEnum] = []

  /// - Parameter root: `Sources/LossKit`. Families are its folders, in the order of `families`.
  init(root: URL, families: [String]) throws {
    for family in ["ABI"] + families {
      let folder = root.appendingPathComponent(family)
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for file in files.sorted() where file.hasSuffix(".swift") && !file.hasPrefix("Exports+") {
        let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
        do { try scan(text, family: family) } catch let error as GeneratorError {
          throw GeneratorError(description: "\(family)/\(file): \(error)")
        }
      }
    }
    let names = functions.map(\.cName)
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      throw GeneratorError(description: "\(name) is declared twice")
    }
  }

  private mutating func scan(_ text: String, family: String) throws {
    let lines = text.components(separatedBy: "\n")
    var documentation: [String] = []
    var index = 0
    while index < lines.count {
      let line = lines[index]
      if line.hasPrefix("///") {
        documentation.append(String(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3)))
      } else if line.hasPrefix("@") {
        // an attribute between the documentation and the declaration
      } else {
        if line.hasPrefix("func ") {
          var declaration = line
          while !declaration.contains("{"), index + 1 < lines.count {
            index += 1
            declaration += " " + lines[index].trimmingCharacters(in: .whitespaces)
          }
          if let function = try parseFunction(declaration, documentation, family) { functions.append(function) }
        } else if line.hasPrefix("enum "), line.contains(": Int32 {") {
          enums.append(try parseEnum(lines, &index, documentation))
        }
        documentation = []
      }
      index += 1
    }
  }

  private func parseFunction(_ text: String, _ documentation: [String], _ family: String) throws -> ExportedFunction? {
    guard let open = text.firstIndex(of: "("), let arrow = text.range(of: ") -> Status {") else { return nil }
    var head = String(text[text.index(text.startIndex, offsetBy: 5)..<open])
    var isGeneric = false
    if let angle = head.firstIndex(of: "<") {
      guard head.hasSuffix("<S: Scalar>") else {
        throw GeneratorError(description: "\(head): an exported function is generic over <S: Scalar> or not at all")
      }
      isGeneric = true
      head = String(head[..<angle])
    }
    guard !documentation.isEmpty else { throw GeneratorError(description: "\(head) has no documentation") }
    let list = text[text.index(after: open)..<arrow.lowerBound]
    let parameters = try list.split(separator: ",").map { item -> Parameter in
      let parts = item.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2, parts[0].hasPrefix("_ ") else {
        throw GeneratorError(description: "\(head): cannot read the parameter '\(item)' (want '_ name: Type')")
      }
      return Parameter(name: String(parts[0].dropFirst(2)), type: parts[1])
    }
    return ExportedFunction(
      name: head, isGeneric: isGeneric, parameters: parameters, documentation: documentation, family: family)
  }

  private func parseEnum(_ lines: [String], _ index: inout Int, _ documentation: [String]) throws -> ExportedEnum {
    let name = lines[index].dropFirst(5).prefix { $0 != ":" }
    var cases: [ExportedEnum.Case] = []
    var caseDocumentation: [String] = []
    index += 1
    while index < lines.count, !lines[index].hasPrefix("}") {
      let line = lines[index].trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("///") {
        caseDocumentation.append(String(line.dropFirst(4)))
      } else if line.hasPrefix("case ") {
        let parts = line.dropFirst(5).components(separatedBy: " = ")
        guard parts.count == 2, let value = Int(parts[1]) else {
          throw GeneratorError(description: "\(name): write 'case name = number' (\(line))")
        }
        let caseName = parts[0].trimmingCharacters(in: ["`"])  // `true` is no keyword elsewhere
        cases.append(.init(name: caseName, value: value, documentation: caseDocumentation))
        caseDocumentation = []
      }
      index += 1
    }
    return ExportedEnum(name: String(name), documentation: documentation, cases: cases)
  }
}
