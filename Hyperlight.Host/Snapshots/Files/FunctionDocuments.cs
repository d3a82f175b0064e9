namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Translates signatures of host functions between the library's types and the configuration's fields.</summary>
internal static class FunctionDocuments
{
    private static readonly (GuestValueType Type, string Name)[] Types =
    [
        (GuestValueType.Void, "void"),
        (GuestValueType.Int, "int"),
        (GuestValueType.UInt, "u_int"),
        (GuestValueType.Long, "long"),
        (GuestValueType.ULong, "u_long"),
        (GuestValueType.Float, "float"),
        (GuestValueType.Double, "double"),
        (GuestValueType.Bool, "bool"),
        (GuestValueType.String, "string"),
        (GuestValueType.Bytes, "vec_bytes"),
    ];

    public static HostFunctionDocument From(HostFunctionSignature signature) =>
        new(signature.Name, [.. signature.ParameterTypes.Select(NameOf)], NameOf(signature.ResultType));

    /// <summary>The signature, or <see langword="null"/> if there is no such type.</summary>
    public static HostFunctionSignature? ToSignature(HostFunctionDocument document)
    {
        if (TypeOf(document.ReturnType) is not { } result)
        {
            return null;
        }

        var parameters = new List<GuestValueType>();
        foreach (string name in document.ParameterTypes)
        {
            if (TypeOf(name) is not { } type || type == GuestValueType.Void)
            {
                return null;
            }

            parameters.Add(type);
        }

        return new HostFunctionSignature(document.FunctionName, result, parameters);
    }

    private static string NameOf(GuestValueType type) => Array.Find(Types, t => t.Type == type).Name;

    private static GuestValueType? TypeOf(string name)
    {
        int index = Array.FindIndex(Types, t => t.Name == name);
        return index < 0 ? null : Types[index].Type;
    }
}
