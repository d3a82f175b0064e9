using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Hyperlight.Plugins.Generators;

/// <summary>What is wrong with an interface, and where.</summary>
internal sealed class ContractProblem : IEquatable<ContractProblem>
{
    private const string Category = "Hyperlight.Plugins";

    public static readonly DiagnosticDescriptor UnsupportedMember = new(
        "HLP2001", "Unsupported member of a plugin's interface", "'{0}' cannot be part of a plugin's interface: {1}", Category, DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor MissingType = new(
        "HLP2002", "Type without a serializer", "'{0}' uses the type '{1}': add [JsonSerializable(typeof({1}))] to the JSON context of the interface", Category,
        DiagnosticSeverity.Error, true);

    private readonly DiagnosticDescriptor _descriptor;
    private readonly string _member;
    private readonly string _detail;
    private readonly string _path;
    private readonly TextSpan _span;
    private readonly LinePositionSpan _lines;

    public ContractProblem(DiagnosticDescriptor descriptor, ISymbol member, string detail)
    {
        _descriptor = descriptor;
        _member = member.Name;
        _detail = detail;
        FileLinePositionSpan place = member.Locations[0].GetLineSpan();
        _path = place.Path;
        _span = member.Locations[0].SourceSpan;
        _lines = place.Span;
    }

    public Diagnostic ToDiagnostic() => Diagnostic.Create(_descriptor, Location.Create(_path, _span, _lines), _member, _detail);

    public bool Equals(ContractProblem? other) =>
        other is not null && _descriptor.Equals(other._descriptor) && _member == other._member && _detail == other._detail && _path == other._path && _span == other._span;

    public override bool Equals(object? obj) => Equals(obj as ContractProblem);

    public override int GetHashCode() => _member.GetHashCode();
}
