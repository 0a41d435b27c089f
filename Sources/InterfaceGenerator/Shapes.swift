import Foundation

/// What a parameter's documentation says of it.
struct ParameterNote {
  /// The array's dimensions: numbers and names of parameters. Nil where the text does not state them in these terms.
  var shape: [String]?
  /// May it be null?
  var isOptional = false
}

extension ExportedFunction {
  /// Reads the `- name: …` items of the documentation: `[a, b, 4]` in backticks is a shape, "like `x`" or "shaped as
  /// `x`" that of another parameter, "optional" or "null" says that a pointer may be null.
  var notes: [String: ParameterNote] {
    var texts: [String: String] = [:]
    var current: String?
    for line in documentation {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      if let name = parameters.map(\.name).first(where: { trimmed.hasPrefix("- \($0):") }) {
        current = name
        texts[name] = trimmed
      } else if let name = current, line.hasPrefix("    ") {
        texts[name]! += " " + trimmed
      } else {
        current = nil
      }
    }
    var notes: [String: ParameterNote] = [:]
    for parameter in parameters {
      let text = texts[parameter.name] ?? ""
      var note = ParameterNote()
      note.isOptional = text.contains("optional") || text.contains("null") || text.contains("NULL")
      let quoted = text.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }
      if let first = quoted.first(where: { $0.element.hasPrefix("[") && $0.element.hasSuffix("]") })?.element {
        let dimensions = first.dropFirst().dropLast().components(separatedBy: ",").flatMap {
          $0.components(separatedBy: " · ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let isKnown = { (name: String) in
          Int(name) != nil || parameters.contains { $0.name == name && $0.type == "Int" }
        }
        if dimensions.allSatisfy(isKnown) { note.shape = dimensions }
      } else if let like = quoted.first(where: { item in
        ["like ", "shaped as ", "shape of "].contains { word in text.contains(word + "`\(item.element)`") }
      })?.element {
        note.shape = notes[like]?.shape
      }
      notes[parameter.name] = note
    }
    return notes
  }
}
