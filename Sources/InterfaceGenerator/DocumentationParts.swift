import Foundation

/// A documentation comment taken apart: summary, body (formulas, remarks), `- Parameters:`, and the other `- Name:` items
/// of its end, such as `- Errors:` and `- Reference:`.
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
          let name = item.name.lowercased()
          let earlier = sections.firstIndex { $0.name == name }.map { sections.remove(at: $0).text + " " } ?? ""
          sections.append((name, earlier + item.text))
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
    self.body = body.joined(separator: "\n").trimmingCharacters(in: .newlines)
  }

  /// `- name: text`, without indentation.
  private static func item(_ line: String) -> (name: String, text: String)? {
    guard line.hasPrefix("- "), let colon = line.firstIndex(of: ":") else { return nil }
    let name = line[line.index(line.startIndex, offsetBy: 2)..<colon]
    guard let first = name.first, first.isLetter, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
    return (String(name), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
  }
}
