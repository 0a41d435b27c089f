import Foundation

/// A documentation comment taken apart: summary, body (formulas, remarks), `- Parameters:`, and the other `- Name:` items
/// of its end, such as `- Errors:` and `- Reference:`. Errors and references may also be paragraphs or sentences of the
/// body, which begin with a status or with `Reference:`.
struct DocumentationParts {
  private(set) var summary = ""
  private(set) var body = ""
  private(set) var parameters: [(name: String, text: String)] = []
  private(set) var sections: [(name: String, text: String)] = []

  init(_ lines: [String]) {
    enum Place { case summary, body, parameters, section }
    var place = Place.summary
    var body: [String] = []
    for line in lines {
      let text = line.trimmingCharacters(in: .whitespaces)
      if let item = Self.item(line), item.name.first!.isUppercase {
        if item.name == "Parameters" {
          place = .parameters
        } else {
          place = .section
          append(item.text, to: item.name.lowercased())
        }
        continue
      }
      if !text.isEmpty, !line.hasPrefix(" "), place == .parameters || place == .section { place = .body }
      switch place {
      case .summary where text.isEmpty: place = .body
      case .summary: summary += (summary.isEmpty ? "" : " ") + text
      case .body: body.append(line)
      case .parameters:
        if let item = Self.item(text) {
          parameters.append((item.name, item.text))
        } else if !text.isEmpty, let last = parameters.indices.last {
          parameters[last].text += (parameters[last].text.isEmpty ? "" : " ") + text
        }
      case .section:
        if !text.isEmpty, let last = sections.indices.last {
          sections[last].text += (sections[last].text.isEmpty ? "" : " ") + text
        }
      }
    }
    let paragraphs = body.joined(separator: "\n").trimmingCharacters(in: .newlines).components(separatedBy: "\n\n")
    self.body = paragraphs.compactMap { sorted($0) }.joined(separator: "\n\n")
  }

  /// What of a paragraph stays in the body.
  private mutating func sorted(_ paragraph: String) -> String? {
    var rest = paragraph
    if let reference = rest.range(of: "(^|(?<=[.)] )|(?<=\\n))References?: ", options: .regularExpression) {
      append(rest[reference.upperBound...].replacingOccurrences(of: "\n", with: " "), to: "reference")
      rest = rest[..<reference.lowerBound].trimmingCharacters(in: .whitespaces)
    }
    if rest.range(of: "^`?(LOSSKIT_)?(INVALID|UNSUPPORTED)", options: .regularExpression) != nil {
      append(rest.replacingOccurrences(of: "\n", with: " "), to: "errors")
      return nil
    }
    return rest.isEmpty ? nil : rest
  }

  private mutating func append(_ text: String, to name: String) {
    let earlier = sections.firstIndex { $0.name == name }.map { sections.remove(at: $0).text + " " } ?? ""
    sections.append((name, earlier + text))
  }

  /// `- name: text`, without indentation.
  private static func item(_ line: String) -> (name: String, text: String)? {
    guard line.hasPrefix("- "), let colon = line.firstIndex(of: ":") else { return nil }
    let name = line[line.index(line.startIndex, offsetBy: 2)..<colon]
    guard let first = name.first, first.isLetter, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
    return (String(name), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
  }
}
