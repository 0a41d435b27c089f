import Foundation

private let cxxKeywords: Set = [
  "and", "auto", "bool", "break", "case", "catch", "char", "class", "const", "continue", "default", "delete", "do",
  "double", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
  "int", "long", "new", "not", "operator", "or", "private", "protected", "public", "register", "return", "short",
  "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "union",
  "unsigned", "using", "virtual", "void", "volatile", "while", "xor",
]

private func cxxName(_ name: String) -> String { cxxKeywords.contains(name) ? name + "_" : name }

/// `losskit_overloads.hpp`: enumerations with scopes, and for each function overloads that throw: one on the pointers
/// that C takes, and one on spans, which finds sizes in the spans and checks the others.
func cxxOverloads(_ declarations: Declarations) throws -> String {
  var out = """
    // \(generatedNote)
    //
    // Included by losskit.hpp, which says how these are used. The documentation of parameters is in losskit.h.
    #ifndef LOSSKIT_OVERLOADS_HPP
    #define LOSSKIT_OVERLOADS_HPP

    namespace losskit {


    """
  for type in declarations.enums where type.name != "Status" {
    out += type.documentation.map { "/// \($0)\n" }.joined()
    out += "enum class \(cxxName(snakeCase(type.name))) : std::int32_t {\n"
    for item in type.cases {
      out += item.documentation.map { "  /// \($0)\n" }.joined()
      out += "  \(cxxName(snakeCase(item.name))) = LOSSKIT_\(snakeCase(type.name).uppercased())_\(snakeCase(item.name).uppercased()),\n"
    }
    out += "};\n\n"
  }
  for function in declarations.functions {
    let hasScalar = function.parameters.contains { $0.type.contains("<S>") }
    for precision in function.precisions {
      // Overloads tell the precisions apart, if any argument can.
      let name = String(function.cName.dropFirst(8)) + (hasScalar ? "" : precision.suffix)
      let summary = function.documentation.prefix { !$0.isEmpty }.map { "/// \($0)\n" }.joined()
      out += summary + "/// See \(function.cName)\(precision.suffix).\n"
      out += try overload(function, precision, name, declarations.enums) + "\n"
      if let spans = try spanOverload(function, precision, name, declarations.enums) { out += "/// The same on spans.\n" + spans + "\n" }
    }
  }
  return out + "}  // namespace losskit\n\n#endif\n"
}

private func isEnum(_ type: String, _ enums: [ExportedEnum]) -> Bool { enums.contains { $0.name == type } }

private func cxxParameter(_ parameter: Parameter, _ scalar: String, _ enums: [ExportedEnum]) throws -> String {
  let name = cxxName(snakeCase(parameter.name))
  if isEnum(parameter.type, enums) { return "losskit::\(cxxName(snakeCase(parameter.type))) \(name)" }
  let type = try cxxType(parameter.type, scalar, enums)
  return type + (type.hasSuffix("*") ? "" : " ") + name
}

private func cxxType(_ type: String, _ scalar: String, _ enums: [ExportedEnum]) throws -> String {
  var result = try cType(type, scalar: scalar, enums: enums)
  for fixed in ["ptrdiff_t", "int32_t", "uint64_t", "int64_t", "uint8_t"] where result.contains(fixed) {
    result = result.replacingOccurrences(of: fixed, with: "std::" + fixed)
    break
  }
  return result
}

private func cArgument(_ parameter: Parameter, _ enums: [ExportedEnum]) -> String {
  let name = cxxName(snakeCase(parameter.name))
  return isEnum(parameter.type, enums) ? "static_cast<losskit_\(snakeCase(parameter.type))>(\(name))" : name
}

private func overload(
  _ function: ExportedFunction, _ precision: (suffix: String, c: String, swift: String), _ name: String,
  _ enums: [ExportedEnum]
) throws -> String {
  let parameters = try function.parameters.map { try cxxParameter($0, precision.c, enums) }
  let arguments = function.parameters.map { cArgument($0, enums) }
  return wrapped("inline void \(cxxName(name))", parameters, " {") + "\n  "
    + wrapped("check", ["\(function.cName)\(precision.suffix)(" + arguments.joined(separator: ", ") + ")"], ";") + "\n}\n"
}

/// Every pointer with a documented shape becomes a span. A size that is some required span's only dimension is not a
/// parameter but that span's size; all other spans are checked. Nil where no shape is documented.
private func spanOverload(
  _ function: ExportedFunction, _ precision: (suffix: String, c: String, swift: String), _ name: String,
  _ enums: [ExportedEnum]
) throws -> String? {
  let notes = function.notes
  let spans = function.parameters.filter { $0.type.hasPrefix("Unsafe") && !$0.type.contains("Raw") && notes[$0.name]!.shape != nil }
  if spans.isEmpty { return nil }
  var source: [String: String] = [:]  // size → the span that has it
  for span in spans where !notes[span.name]!.isOptional {
    let shape = notes[span.name]!.shape!
    if shape.count == 1, Int(shape[0]) == nil, source[shape[0]] == nil { source[shape[0]] = span.name }
  }
  let isSpan = { (parameter: Parameter) in spans.contains { $0.name == parameter.name } }

  let parameters = try function.parameters.filter { source[$0.name] == nil }.map { parameter -> String in
    guard isSpan(parameter) else { return try cxxParameter(parameter, precision.c, enums) }
    let element = try cxxType(parameter.type, precision.c, enums).dropLast(2)  // without " *"
    return "span<\(element)> \(cxxName(snakeCase(parameter.name)))"
  }
  var body = ""
  for parameter in function.parameters {
    if let span = source[parameter.name] {
      body += "  const std::ptrdiff_t \(cxxName(snakeCase(parameter.name))) = \(cxxName(snakeCase(span))).ssize();\n"
    }
  }
  for span in spans where !source.values.contains(span.name) {
    let dimensions = notes[span.name]!.shape!.map { cxxName(snakeCase($0)) }.joined(separator: ", ")
    body += "  detail::expect(\(cxxName(snakeCase(span.name))), \(notes[span.name]!.isOptional), {\(dimensions)});\n"
  }
  let arguments = function.parameters.map { isSpan($0) ? cxxName(snakeCase($0.name)) + ".data()" : cArgument($0, enums) }
  return wrapped("inline void \(cxxName(name))", parameters, " {") + "\n" + body + "  "
    + wrapped("check", ["\(function.cName)\(precision.suffix)(" + arguments.joined(separator: ", ") + ")"], ";") + "\n}\n"
}
