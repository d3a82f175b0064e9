using System.Text.Json;

namespace Hyperlight.Extensions.AI;

/// <summary>The JSON schemas of the function.</summary>
internal static class CodeSchema
{
    /// <summary>The schema of what <see cref="CodeResultJson"/> writes.</summary>
    public static JsonElement OfResult { get; } = JsonElement.Parse(
        """
        {
          "type": "object",
          "properties": {
            "status": {
              "type": "string",
              "enum": ["exited", "signaled", "memory_limit", "output_limit", "time_limit", "cpu_time_limit", "instruction_limit", "system_call_limit", "deadlock", "not_approved", "invalid_arguments"]
            },
            "message": { "type": "string", "description": "Why the code was not executed." },
            "exit_code": { "type": "integer" },
            "output": { "type": "string", "description": "The standard output." },
            "error": { "type": "string", "description": "The standard error." },
            "truncated": { "type": "boolean", "description": "Whether there was more output, or more files." },
            "files": {
              "type": "array",
              "items": {
                "type": "object",
                "properties": {
                  "path": { "type": "string" },
                  "size": { "type": "integer" },
                  "text": { "type": "string" },
                  "base64": { "type": "string" }
                },
                "required": ["path", "size"]
              }
            }
          },
          "required": ["status"]
        }
        """);

    public static JsonElement OfArguments(CodeExecutionOptions options) => JsonElement.Parse(
        $$"""
        {
          "type": "object",
          "properties": {
            "{{CodeArguments.Code}}": { "type": "string", "description": "The code to execute." },
            "{{CodeArguments.Files}}": {
              "type": "array",
              "description": {{CodeDescription.Quote($"Files that the code finds in {options.FilesDirectory}.")}},
              "items": {
                "type": "object",
                "properties": {
                  "{{CodeArguments.Path}}": { "type": "string", "description": "A relative path." },
                  "{{CodeArguments.Text}}": { "type": "string", "description": "The content of a text file." },
                  "{{CodeArguments.Base64}}": { "type": "string", "description": "The content of another file." }
                },
                "required": ["{{CodeArguments.Path}}"]
              }
            }
          },
          "required": ["{{CodeArguments.Code}}"]
        }
        """);
}
