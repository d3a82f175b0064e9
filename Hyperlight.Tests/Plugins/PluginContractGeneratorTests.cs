using System.Globalization;
using Hyperlight.Plugins;
using Hyperlight.Plugins.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Hyperlight.Tests.Plugins;

/// <summary>What the generator accepts, and what it says about the rest.</summary>
[TestFixture]
internal sealed class PluginContractGeneratorTests
{
    private const string Context =
        """
        using System;
        using System.Threading;
        using System.Threading.Tasks;
        using System.Text.Json.Serialization;
        using Hyperlight.Plugins;
        [JsonSerializable(typeof(int))]
        [JsonSerializable(typeof(string))]
        class Json : JsonSerializerContext
        {
            public static Json Default => null!;
            Json() : base(null) { }
            protected override System.Text.Json.JsonSerializerOptions? GeneratedSerializerOptions => null;
            public override System.Text.Json.Serialization.Metadata.JsonTypeInfo? GetTypeInfo(Type type) => null;
        }

        """;

    [TestCase("Task M(); Task<int> N(int a, string b); ValueTask O(string? c, CancellationToken d); ValueTask<string?> P(int @class);")]
    [TestCase("")]
    public void Generated_code_compiles(string members)
    {
        (GeneratorDriverRunResult result, Compilation compilation) = Generate($"namespace Some.Where {{ [PluginContract(typeof(Json))] public interface IPart {{ {members} }} }}");

        Assert.That(result.Diagnostics, Is.Empty);
        Assert.That(compilation.GetDiagnostics().Where(static d => d.Severity >= DiagnosticSeverity.Warning && !d.Id.StartsWith("CS05", StringComparison.Ordinal)), Is.Empty);
        Assert.That(compilation.GetTypeByMetadataName("Some.Where.PartContract"), Is.Not.Null);
    }

    [Test]
    public void Methods_of_base_interfaces_are_part_of_the_interface()
    {
        (GeneratorDriverRunResult result, Compilation compilation) = Generate("interface IBase { Task M(); } [PluginContract(typeof(Json))] interface IPart : IBase { Task N(); }");

        Assert.That(result.Diagnostics, Is.Empty);
        Assert.That(compilation.GetDiagnostics().Where(static d => d.Severity == DiagnosticSeverity.Error), Is.Empty);
    }

    [TestCase("int M();", "HLP2001", "'M' cannot be part of a plugin's interface: it does not return a Task or ValueTask")]
    [TestCase("void M();", "HLP2001", "'M' cannot be part of a plugin's interface: it does not return a Task or ValueTask")]
    [TestCase("Task M(); Task M(int a);", "HLP2001", "'M' cannot be part of a plugin's interface: there is another method of this name")]
    [TestCase("Task M<T>();", "HLP2001", "'M' cannot be part of a plugin's interface: it is generic")]
    [TestCase("Task M(ref int a);", "HLP2001", "'M' cannot be part of a plugin's interface: its parameter 'a' is passed by reference")]
    [TestCase("Task M(in int a);", "HLP2001", "'M' cannot be part of a plugin's interface: its parameter 'a' is passed by reference")]
    [TestCase("Task M(CancellationToken a, int b);", "HLP2001", "'M' cannot be part of a plugin's interface: its CancellationToken is not the last parameter")]
    [TestCase("int P { get; set; }", "HLP2001", "'P' cannot be part of a plugin's interface: it is not a method of an instance")]
    [TestCase("event Action E;", "HLP2001", "'E' cannot be part of a plugin's interface: it is not a method of an instance")]
    [TestCase("Task M(long a);", "HLP2002", "'M' uses the type 'long': add [JsonSerializable(typeof(long))] to the JSON context of the interface")]
    [TestCase("Task<int[]> M();", "HLP2002", "'M' uses the type 'int[]': add [JsonSerializable(typeof(int[]))] to the JSON context of the interface")]
    public void Members_that_cannot_be_called_are_errors(string members, string id, string message)
    {
        (GeneratorDriverRunResult result, _) = Generate($"[PluginContract(typeof(Json))] interface IPart {{ {members} }}");

        Assert.That(result.Diagnostics.Select(static d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture))), Is.EqualTo(new[] { (id, message) }));
        Assert.That(result.GeneratedTrees, Is.Empty);
    }

    [TestCase("[PluginContract(typeof(Json))] interface IPart<T> { }")]
    [TestCase("class Outer { [PluginContract(typeof(Json))] public interface IPart { } }")]
    public void Interfaces_that_are_generic_or_nested_are_errors(string source) =>
        Assert.That(Generate(source).Result.Diagnostics.Select(static d => d.Id), Is.EqualTo(new[] { "HLP2001" }));

    [Test]
    public void Other_changes_do_not_generate_again()
    {
        CSharpCompilation compilation = Compile("[PluginContract(typeof(Json))] interface IPart { Task M(); }");
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new PluginContractGenerator().AsSourceGenerator()], driverOptions: new GeneratorDriverOptions(default, trackIncrementalGeneratorSteps: true));
        driver = driver.RunGenerators(compilation);

        driver = driver.RunGenerators(compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Other { }")));

        Assert.That(
            driver.GetRunResult().Results[0].TrackedOutputSteps.SelectMany(static step => step.Value).SelectMany(static run => run.Outputs).Select(static output => output.Reason),
            Is.All.EqualTo(IncrementalStepRunReason.Cached));
    }

    private static (GeneratorDriverRunResult Result, Compilation Compilation) Generate(string source)
    {
        GeneratorDriver driver = CSharpGeneratorDriver.Create(new PluginContractGenerator())
            .RunGeneratorsAndUpdateCompilation(Compile(source), out Compilation compilation, out _);
        return (driver.GetRunResult(), compilation);
    }

    private static CSharpCompilation Compile(string source)
    {
        IEnumerable<string> assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Append(typeof(PluginContractAttribute).Assembly.Location).Distinct();
        return CSharpCompilation.Create(
            "Contract",
            [CSharpSyntaxTree.ParseText(Context + source)],
            assemblies.Select(static path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }
}
