// Writes everything that is derived from the kernels' Swift declarations:
//
//   Sources/LossKit/ABI/Exports+<Folder>.swift   the C entry points, one per precision
//   Sources/LossKit/Runtime/Version.swift        the version, from Sources/LossKit/VERSION
//   include/losskit/losskit.h                    the C header
//   include/losskit/losskit_overloads.hpp        what losskit.hpp has for each function
//   Sources/Dispatcher/entries.c                 which instruction set runs them
//   Sources/Dispatcher/exports.txt               their names: a test compares them with what the library exports
//   Tests/C/generated_calls.inc                  a table through which tests call every function
//   bindings/python/src/losskit/_prototypes.py   ctypes prototypes and documentation
//
// Usage: interface-generator ROOT [OUTPUT]. With OUTPUT another folder than ROOT, the files go there: a test compares.
import Foundation

/// The folders of kernels, each compiled by itself, and their sections of the header.
let families: [(folder: String, title: String)] = [
  ("Softmax", "Softmax: normalising maps and their vector-Jacobian products"),
  ("Softmax/Sparse", "Sparse maps: sparsemax, entmax, top-k"),
  ("Softmax/Relaxed", "Random numbers; relaxed top-k, sorting and sampling"),
  ("Softmax/Attention", "Softmax-free attention, mixtures of experts, diagnostics"),
  ("Classification", "Classification losses of softmax probabilities"),
  ("Classification/Robust", "Robust, normalized and substitute losses of rows"),
  ("Classification/Elementwise", "Classification losses of single scores"),
  ("Classification/Margin", "Margin losses of rows"),
  ("Classification/FenchelYoung", "Fenchel-Young losses"),
  ("Classification/Classwise", "Losses of embeddings and a class matrix"),
  ("Classification/Harmonic", "Harmonic losses"),
  ("Classification/Boosting", "Boosting objectives: gradients and diagonal Hessians"),
  ("Classification/Utilities", "Classification utilities and scores"),
  ("Multilabel", "Multi-label losses"),
  ("Detection/Boxes", "Detection: box and mask arithmetic"),
  ("Detection/Losses", "Detection: losses of boxes"),
  ("Detection/Decoding", "Detection: encoding, decoding and whole heads"),
  ("Detection/Suppression", "Detection: suppression"),
  ("Detection/Fusion", "Detection: fusion of several models' boxes"),
  ("Detection/Evaluation", "Detection: evaluation"),
  ("Calibration/Errors", "Calibration errors and reliability"),
  ("Calibration/Scores", "Proper scores, selective prediction and regression intervals"),
  ("Calibration/Calibrators", "Post-hoc calibrators"),
  ("Calibration/Conformal", "Conformal prediction"),
  ("Calibration/OpenSet", "Confidence, out-of-distribution and open-set scores"),
  ("Calibration/Diagnostics", "Language-model, model-set and neural-collapse measures"),
  ("Metrics", "Classification and ranking metrics"),
]

func run() throws {
  let arguments = CommandLine.arguments
  guard arguments.count >= 2 else { throw GeneratorError(description: "usage: interface-generator ROOT [OUTPUT]") }
  let root = URL(fileURLWithPath: arguments[1])
  let output = URL(fileURLWithPath: arguments.count > 2 ? arguments[2] : arguments[1])
  let declarations = try Declarations(
    root: root.appendingPathComponent("Sources/LossKit"), families: families.map(\.folder))
  let version = try String(contentsOf: root.appendingPathComponent("Sources/LossKit/VERSION"), encoding: .utf8)
    .trimmingCharacters(in: .whitespacesAndNewlines)

  var files: [(path: String, text: String)] = [
    ("Sources/LossKit/Runtime/Version.swift", swiftVersion(version)),
    ("include/losskit/losskit.h", try cHeader(declarations, families: families, version: version)),
    ("include/losskit/losskit_overloads.hpp", try cxxOverloads(declarations)),
    ("Tests/C/generated_calls.inc", try callTable(declarations)),
    ("Sources/Dispatcher/entries.c", try dispatcherEntries(declarations)),
    ("Sources/Dispatcher/exports.txt", exportNames(declarations).map { $0 + "\n" }.joined()),
    ("bindings/python/src/losskit/_prototypes.py", try pythonPrototypes(declarations, version: version)),
  ]
  for family in families {
    let functions = declarations.functions.filter { $0.family == family.folder }
    if functions.isEmpty { continue }
    let name = family.folder.replacingOccurrences(of: "/", with: "")
    files.append(("Sources/LossKit/ABI/Exports+\(name).swift", try swiftExports(functions, declarations.enums)))
  }
  for file in files {
    let url = output.appendingPathComponent(file.path)
    if (try? String(contentsOf: url, encoding: .utf8)) == file.text { continue }  // keep its date: nothing to rebuild
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try file.text.write(to: url, atomically: true, encoding: .utf8)
    print("wrote \(file.path)")
  }
}

do { try run() } catch {
  FileHandle.standardError.write("interface-generator: \(error)\n".data(using: .utf8)!)
  exit(1)
}
