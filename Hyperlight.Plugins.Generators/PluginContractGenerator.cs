using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Hyperlight.Plugins.Generators;

/// <summary>Makes the code of both sides of interfaces with <c>[PluginContract]</c>.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class PluginContractGenerator : IIncrementalGenerator
{
    private const string AttributeName = "Hyperlight.Plugins.PluginContractAttribute";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ContractOutput> outputs = context.SyntaxProvider.ForAttributeWithMetadataName(
            AttributeName,
            static (node, _) => node is InterfaceDeclarationSyntax,
            static (attributed, cancellationToken) => Create(attributed, cancellationToken));
        context.RegisterSourceOutput(outputs, static (production, output) =>
        {
            foreach (ContractProblem problem in output.Problems)
            {
                production.ReportDiagnostic(problem.ToDiagnostic());
            }

            if (output.Source is not null)
            {
                production.AddSource(output.FileName, SourceText.From(output.Source, Encoding.UTF8));
            }
        });
    }

    private static ContractOutput Create(GeneratorAttributeSyntaxContext attributed, CancellationToken cancellationToken)
    {
        var contract = (INamedTypeSymbol)attributed.TargetSymbol;
        var context = attributed.Attributes[0].ConstructorArguments[0].Value as INamedTypeSymbol;
        var model = new ContractModel(contract, context, cancellationToken);
        string fileName = contract.ToDisplayString().Replace('<', '_').Replace('>', '_') + ".g.cs";
        return new ContractOutput(fileName, model.Problems.Count == 0 ? ContractSource.Write(model) : null, [.. model.Problems]);
    }
}
