using Microsoft.CodeAnalysis;

namespace Hyperlight.Plugins.Generators;

/// <summary>An interface, checked.</summary>
internal sealed class ContractModel
{
    private const string SerializableAttribute = "System.Text.Json.Serialization.JsonSerializableAttribute";

    private static readonly string[] Tasks =
        ["System.Threading.Tasks.Task", "System.Threading.Tasks.Task<TResult>", "System.Threading.Tasks.ValueTask", "System.Threading.Tasks.ValueTask<TResult>"];

    private readonly HashSet<string> _names = [];
    private readonly HashSet<ITypeSymbol> _serializable;

    public ContractModel(INamedTypeSymbol contract, INamedTypeSymbol? context, CancellationToken cancellationToken)
    {
        Contract = contract;
        Context = context?.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) ?? "";
        _serializable = new HashSet<ITypeSymbol>(SerializableTypes(context), SymbolEqualityComparer.Default);
        if (contract.IsGenericType || contract.ContainingType is not null)
        {
            Add(ContractProblem.UnsupportedMember, contract, "the interface is generic, or inside another type");
        }

        foreach (ISymbol member in contract.GetMembers().Concat(contract.AllInterfaces.SelectMany(static inherited => inherited.GetMembers())))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (member is IMethodSymbol { MethodKind: MethodKind.Ordinary, IsStatic: false } method)
            {
                Check(method);
                Methods.Add(new ContractMethod(method));
            }
            else if (member is not IMethodSymbol { MethodKind: MethodKind.PropertyGet or MethodKind.PropertySet or MethodKind.EventAdd or MethodKind.EventRemove })
            {
                Add(ContractProblem.UnsupportedMember, member, "it is not a method of an instance");
            }
        }
    }

    public INamedTypeSymbol Contract { get; }

    public string Context { get; }

    public List<ContractMethod> Methods { get; } = [];

    public List<ContractProblem> Problems { get; } = [];

    private static IEnumerable<ITypeSymbol> SerializableTypes(INamedTypeSymbol? context) =>
        context?.GetAttributes()
            .Where(static attribute => attribute.AttributeClass?.ToDisplayString() == SerializableAttribute && attribute.ConstructorArguments.Length > 0)
            .Select(static attribute => attribute.ConstructorArguments[0].Value).OfType<ITypeSymbol>() ?? [];

    private void Check(IMethodSymbol method)
    {
        if (!Tasks.Contains(method.ReturnType.OriginalDefinition.ToDisplayString()))
        {
            Add(ContractProblem.UnsupportedMember, method, "it does not return a Task or ValueTask");
        }
        else if (method.ReturnType is INamedTypeSymbol { TypeArguments.Length: 1 } task)
        {
            CheckType(method, task.TypeArguments[0]);
        }

        if (!_names.Add(method.Name))
        {
            Add(ContractProblem.UnsupportedMember, method, "there is another method of this name");
        }

        if (method.IsGenericMethod)
        {
            Add(ContractProblem.UnsupportedMember, method, "it is generic");
        }

        for (int i = 0; i < method.Parameters.Length; i++)
        {
            CheckParameter(method, method.Parameters[i], i == method.Parameters.Length - 1);
        }
    }

    private void CheckParameter(IMethodSymbol method, IParameterSymbol parameter, bool isLast)
    {
        if (parameter.RefKind != RefKind.None)
        {
            Add(ContractProblem.UnsupportedMember, method, $"its parameter '{parameter.Name}' is passed by reference");
        }
        else if (!ContractMethod.IsCancellationToken(parameter.Type))
        {
            CheckType(method, parameter.Type);
        }
        else if (!isLast)
        {
            Add(ContractProblem.UnsupportedMember, method, "its CancellationToken is not the last parameter");
        }
    }

    private void CheckType(IMethodSymbol method, ITypeSymbol type)
    {
        if (!_serializable.Contains(type))
        {
            Add(ContractProblem.MissingType, method, type.ToDisplayString(NullableFlowState.NotNull));
        }
    }

    private void Add(DiagnosticDescriptor descriptor, ISymbol member, string detail) => Problems.Add(new ContractProblem(descriptor, member, detail));
}
