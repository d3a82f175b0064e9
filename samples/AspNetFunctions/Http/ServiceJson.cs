using System.Text.Json.Serialization;
using Hyperlight.Samples.AspNetFunctions.Live;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>The JSON of the answers, generated at compile time, so that it works after ahead-of-time compilation.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GuestAnswer))]
[JsonSerializable(typeof(IEnumerable<GuestAnswer>))]
[JsonSerializable(typeof(FunctionsAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(LiveEvent))]
internal sealed partial class ServiceJson : JsonSerializerContext;
