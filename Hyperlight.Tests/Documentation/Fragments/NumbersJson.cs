using System.Text.Json.Serialization;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The arguments of a tool.</summary>
internal sealed record Numbers(int A, int B);

/// <summary>How they are read.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Numbers))]
[JsonSerializable(typeof(int))]
internal sealed partial class NumbersJson : JsonSerializerContext;
