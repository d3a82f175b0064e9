using Microsoft.CodeAnalysis;

namespace Hyperlight.Plugins.Generators;

/// <summary>A method of an interface.</summary>
/// <param name="symbol">The method.</param>
internal sealed class ContractMethod(IMethodSymbol symbol)
{
    private static readonly SymbolDisplayFormat Format = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    public string Name { get; } = symbol.Name;

    /// <summary>The type of the task.</summary>
    public string ReturnType { get; } = symbol.ReturnType.ToDisplayString(Format);

    public bool IsValueTask { get; } = symbol.ReturnType.Name == "ValueTask";

    /// <summary>The type of the result; <see langword="null"/> if there is none.</summary>
    public string? ResultType { get; } = (symbol.ReturnType as INamedTypeSymbol)?.TypeArguments.FirstOrDefault()?.ToDisplayString(Format);

    /// <summary>Whether the result may be null, as the interface declares it.</summary>
    public bool CanBeNull { get; } =
        (symbol.ReturnType as INamedTypeSymbol)?.TypeArguments.FirstOrDefault() is { } result &&
        result.NullableAnnotation != NullableAnnotation.NotAnnotated;

    /// <summary>The parameters that are arguments of the call.</summary>
    public (string Type, string Name)[] Arguments { get; } =
        [.. symbol.Parameters.Where(static parameter => !IsCancellationToken(parameter.Type)).Select(static parameter => (parameter.Type.ToDisplayString(Format), NameOf(parameter)))];

    /// <summary>All parameters, as they are declared.</summary>
    public (string Type, string Name)[] Parameters { get; } =
        [.. symbol.Parameters.Select(static parameter => (parameter.Type.ToDisplayString(Format), NameOf(parameter)))];

    /// <summary>The parameter with the token, or <see langword="null"/>.</summary>
    public string? Token { get; } = symbol.Parameters.Where(static parameter => IsCancellationToken(parameter.Type)).Select(NameOf).FirstOrDefault();

    public static bool IsCancellationToken(ITypeSymbol type) => type.ToDisplayString() == "System.Threading.CancellationToken";

    private static string NameOf(IParameterSymbol parameter) => "@" + parameter.Name;
}
