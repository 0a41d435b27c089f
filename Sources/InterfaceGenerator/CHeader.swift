import Foundation

/// Swift types to C, for one precision. Enums become their C name.
func cType(_ swift: String, scalar: String, enums: [ExportedEnum]) throws -> String {
  let known = [
    "Int": "ptrdiff_t", "Int32": "int32_t", "Int64": "int64_t", "UInt64": "uint64_t", "UInt8": "uint8_t",
    "Bool": "bool", "Double": "double", "Float": "float", "S": scalar,
  ]
  if let type = known[swift] { return type }
  if enums.contains(where: { $0.name == swift }) { return "losskit_" + snakeCase(swift) }
  for (prefix, qualifier) in [("UnsafePointer<", "const "), ("UnsafeMutablePointer<", "")] {
    if swift.hasPrefix(prefix), swift.hasSuffix(">?"), let pointee = known[String(swift.dropFirst(prefix.count).dropLast(2))] {
      return "\(qualifier)\(pointee) *"
    }
  }
  if swift == "UnsafeRawPointer?" { return "const void *" }
  if swift == "UnsafeMutableRawPointer?" { return "void *" }
  throw GeneratorError(description: "no C type for \(swift)")
}

extension ExportedFunction {
  /// The precisions the function is exported in: (suffix, C scalar, Swift scalar).
  var precisions: [(suffix: String, c: String, swift: String)] {
    isGeneric ? [("_f32", "float", "Float"), ("_f64", "double", "Double")] : [("", "", "")]
  }

  func cParameters(_ scalar: String, _ enums: [ExportedEnum]) throws -> [String] {
    try parameters.map {
      let type = try cType($0.type, scalar: scalar, enums: enums)
      return type + (type.hasSuffix("*") ? "" : " ") + snakeCase($0.name)
    }
  }

  /// The documentation with the names that C and Python use: functions (`like this`) and parameters, in formulas too, in
  /// snake case.
  func documentation(knownNames: [String: String]) -> [String] {
    documentation.map { line in
      var result = line
      for (swift, known) in knownNames where swift != known {
        result = result.replacingOccurrences(of: "`\(swift)`", with: "`\(known)`")
      }
      for name in parameters.map(\.name) where name != snakeCase(name) {
        result = result.replacingOccurrences(of: "\\b\(name)\\b", with: snakeCase(name), options: .regularExpression)
      }
      return result
    }
  }
}

/// Breaks `head(a, b, c)tail` into lines of at most 120 columns.
func wrapped(_ head: String, _ items: [String], _ tail: String) -> String {
  let oneLine = head + "(" + items.joined(separator: ", ") + ")" + tail
  if oneLine.count <= 120 { return oneLine }
  var lines = [head + "("]
  var current = "    "
  for (index, item) in items.enumerated() {
    let piece = item + (index + 1 < items.count ? "," : ")" + tail)
    if current.count + piece.count + 1 > 120 {
      lines.append(current)
      current = "    "
    }
    current += (current == "    " ? "" : " ") + piece
  }
  return (lines + [current]).joined(separator: "\n")
}

func cHeader(_ declarations: Declarations, families: [(folder: String, title: String)], version: String) throws -> String {
  var out = headerPreamble.replacingOccurrences(of: "@VERSION@", with: version)
  let parts = version.split(separator: ".")
  out = out.replacingOccurrences(of: "@MAJOR@", with: parts[0]).replacingOccurrences(of: "@MINOR@", with: parts[1])
    .replacingOccurrences(of: "@PATCH@", with: parts[2])
  let knownNames = Dictionary(uniqueKeysWithValues: declarations.functions.map { ($0.name, $0.cName) })

  func comment(_ lines: [String], _ indent: String = "") -> String {
    if lines.count == 1 { return "\(indent)/** \(lines[0]) */\n" }
    return "\(indent)/**\n" + lines.map { "\(indent) *" + ($0.isEmpty ? "" : " " + $0) + "\n" }.joined() + "\(indent) */\n"
  }

  var types = ""
  for type in declarations.enums {
    let prefix = type.name == "Status" ? "LOSSKIT_" : "LOSSKIT_" + snakeCase(type.name).uppercased() + "_"
    types += comment(type.documentation) + "typedef enum losskit_\(snakeCase(type.name)) {\n"
    for item in type.cases {
      types += comment(item.documentation, "  ") + "  \(prefix)\(snakeCase(item.name).uppercased()) = \(item.value),\n"
    }
    types += "} losskit_\(snakeCase(type.name));\n\n"
  }
  out = out.replacingOccurrences(of: "@TYPES@\n", with: types)

  var functions = ""
  for family in families {
    let members = declarations.functions.filter { $0.family == family.folder }
    if members.isEmpty { continue }
    let rule = String(repeating: "=", count: 100)
    functions += "/* \(rule)\n * \(family.title)\n * \(rule) */\n\n"
    for function in members {
      functions += comment(function.documentation(knownNames: knownNames))
      for precision in function.precisions {
        functions += wrapped(
          "LOSSKIT_API losskit_status \(function.cName)\(precision.suffix)",
          try function.cParameters(precision.c, declarations.enums), ";") + "\n"
      }
      functions += "\n"
    }
  }
  return out.replacingOccurrences(of: "@FUNCTIONS@\n", with: functions)
}
