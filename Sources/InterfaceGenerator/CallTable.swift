import Foundation

/// `Tests/C/generated_calls.inc`: a table of all functions, through which the C tests call each in the same way. What
/// its macros and types mean is in Tests/C/calls.h.
func callTable(_ declarations: Declarations) throws -> String {
  var out = "// \(generatedNote)\n"
  for type in declarations.enums where declarations.functions.contains(where: { $0.parameters.contains { $0.type == type.name } }) {
    out += "static const int32_t values_\(snakeCase(type.name))[] = {"
    out += type.cases.map { String($0.value) }.joined(separator: ", ") + "};\n"
  }
  var table = "\nstatic const function functions[] = {\n"
  for function in declarations.functions {
    let notes = function.notes
    let dimensions = Set(notes.values.flatMap { $0.shape ?? [] })
    let position = Dictionary(uniqueKeysWithValues: function.parameters.enumerated().map { ($0.element.name, $0.offset) })
    for precision in function.precisions {
      let name = function.cName + precision.suffix
      var arguments: [String] = []
      var shapes: [String] = []
      out += "\nstatic const parameter parameters_\(name)[] = {\n"
      for (index, parameter) in function.parameters.enumerated() {
        let (kind, member, detail) = try callKind(parameter.type, precision.c, declarations.enums)
        let note = notes[parameter.name]!
        arguments.append((detail.hasPrefix("ENUM") ? "(losskit_\(snakeCase(parameter.type)))" : "") + "a[\(index)].\(member)")
        let flag = kind == "SIZE" ? dimensions.contains(parameter.name) : note.isOptional
        out += "    {\"\(snakeCase(parameter.name))\", \(kind), \(detail), \(flag)},\n"
        if member == "p", let shape = note.shape {
          let factors = shape.map { dimension in position[dimension].map { "a[\($0)].n" } ?? dimension }
          shapes.append("    elements[\(index)] = \(factors.joined(separator: " * "));\n")
        }
      }
      out += "};\n"
      out += wrapped("static losskit_status call_\(name)", ["const argument *a"], " {") + "\n"
      out += "  " + wrapped("return \(name)", arguments, ";") + "\n}\n"
      out += "static void shapes_\(name)(const argument *a, ptrdiff_t *elements) {\n  (void)a, (void)elements;\n"
      out += shapes.map { $0.dropFirst(2) }.joined() + "}\n"
      table += "    FUNCTION(\(name)),\n"
    }
  }
  return out + table + "};\n"
}

/// A Swift type's kind, member of the argument union, and enum values or element size.
private func callKind(
  _ type: String, _ scalar: String, _ enums: [ExportedEnum]
) throws -> (kind: String, member: String, detail: String) {
  if enums.contains(where: { $0.name == type }) { return ("ENUMERATION", "i", "ENUM(\(snakeCase(type)))") }
  let scalars = [
    "Int": ("SIZE", "n"), "Int32": ("INT32", "i"), "Int64": ("INT64", "l"), "UInt64": ("UINT64", "u"),
    "Double": ("REAL", "d"), "Bool": ("BOOLEAN", "b"),
  ]
  if let (kind, member) = scalars[type] { return (kind, member, "PLAIN") }
  let direction = type.contains("Mutable") ? "OUTPUT" : "INPUT"
  if type.contains("RawPointer") { return (direction, "p", "ELEMENT(SCRATCH, unsigned char)") }
  let c = try cType(type, scalar: scalar, enums: enums)
  let element = c.replacingOccurrences(of: "const ", with: "").replacingOccurrences(of: " *", with: "")
  let content = ["float": "FLOATS", "double": "DOUBLES", "int64_t": "INT64S", "int32_t": "INT32S", "ptrdiff_t": "SIZES"]
  return (direction, "p", "ELEMENT(\(content[element] ?? "BYTES"), \(element))")
}
