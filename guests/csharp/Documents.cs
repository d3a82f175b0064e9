using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Hyperlight.Guests.CSharp;

/// <summary>JSON with generated serializers.</summary>
internal static class Documents
{
    public static int Run()
    {
        var order = new Order(7, [new("a", 1.25m, Unit.Piece), new("b \"quoted\" ü", 100, Unit.Kilogram)], new() { ["x"] = [1, 2, 3] }, null);
        string json = JsonSerializer.Serialize(order, OrderContext.Default.Order);
        Console.WriteLine(json);
        Order back = JsonSerializer.Deserialize(json, OrderContext.Default.Order)!;
        Console.WriteLine($"{back.Id} {back.Lines.Length} {back.Lines[1]} {back.Tags["x"].Sum()} {back.Due is null}");
        JsonNode node = JsonNode.Parse(json)!;
        Console.WriteLine(node["lines"]![0]!["price"]!.GetValue<decimal>() * 4);
        try
        {
            JsonSerializer.Deserialize("{\"id\":\"no number\"}", OrderContext.Default.Order);
        }
        catch (JsonException exception)
        {
            Console.WriteLine($"{exception.Path} {exception.LineNumber}");
        }

        return 0;
    }
}

internal enum Unit
{
    Piece,
    Kilogram,
}

internal sealed record Line(string Name, decimal Price, Unit Unit);

internal sealed record Order(int Id, Line[] Lines, Dictionary<string, int[]> Tags, DateTime? Due);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Order))]
internal sealed partial class OrderContext : JsonSerializerContext;
