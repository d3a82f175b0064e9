using System.Text.Json;

namespace Hyperlight.Plugins;

/// <summary>
/// The names of the protocol. A request is <c>{"id":1,"method":"Name","arguments":[...]}</c>; its answer is <c>{"id":1,"result":...}</c>,
/// where a call without a result has none, or <c>{"id":1,"error":{"type":"System.Exception","message":"..."}}</c>. Each is one line.
/// </summary>
internal static class PluginProtocol
{
    public static readonly JsonEncodedText Id = JsonEncodedText.Encode("id");
    public static readonly JsonEncodedText Method = JsonEncodedText.Encode("method");
    public static readonly JsonEncodedText Arguments = JsonEncodedText.Encode("arguments");
    public static readonly JsonEncodedText Result = JsonEncodedText.Encode("result");
    public static readonly JsonEncodedText Error = JsonEncodedText.Encode("error");
    public static readonly JsonEncodedText Type = JsonEncodedText.Encode("type");
    public static readonly JsonEncodedText Message = JsonEncodedText.Encode("message");
}
