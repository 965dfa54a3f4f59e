import Foundation
import PackagePlugin

/// Turns the `SQL` folder of a target (a symlink into `sql/`) into one Swift file of string literals.
@main
struct EmbedSQLPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "SQL").resolvingSymlinksInPath()
        let output = context.pluginWorkDirectoryURL.appending(path: "SQL.swift")
        let inputs = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".sql") }
            .sorted()
            .map { folder.appending(path: $0) }
        return [
            .buildCommand(
                displayName: "Embedding the SQL of \(target.name)",
                executable: try context.tool(named: "EmbedSQL").url,
                arguments: [output.path] + inputs.map(\.path),
                inputFiles: inputs,
                outputFiles: [output])
        ]
    }
}
