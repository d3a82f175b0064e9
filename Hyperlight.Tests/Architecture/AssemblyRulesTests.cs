using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ArchUnitNET.NUnit;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Extensions.AI;
using Hyperlight.Kvm;
using Hyperlight.Mshv;
using Hyperlight.Plugins;
using Hyperlight.Programs;
using Hyperlight.Tests.Documentation;
using Hyperlight.Whp;
using OpenTelemetry.Trace;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Assembly = System.Reflection.Assembly;

namespace Hyperlight.Tests.Architecture;

/// <summary>Which assembly may know which.</summary>
[TestFixture]
internal sealed class AssemblyRulesTests
{
    private static readonly Assembly Abstractions = typeof(IHypervisor).Assembly;
    private static readonly Assembly Linux = typeof(Hyperlight.Linux.ILinuxKernel).Assembly;
    private static readonly Assembly Host = typeof(SandboxBuilder).Assembly;
    private static readonly Assembly[] Drivers =
    [
        typeof(KvmHypervisor).Assembly, typeof(MshvHypervisor).Assembly, typeof(WhpHypervisor).Assembly,
        typeof(EmulatorHypervisor).Assembly,
    ];

    private static readonly ArchUnitNET.Domain.Architecture Architecture =
        new ArchLoader().LoadAssemblies([Abstractions, Linux, Host, .. Drivers]).Build();

    [Test]
    public void The_contracts_reference_no_other_assembly_of_the_library() =>
        Assert.That(References(Abstractions), Is.Empty);

    [Test]
    public void The_linux_floor_knows_only_the_contracts() =>
        Assert.That(References(Linux), Is.SubsetOf(new[] { "Hyperlight.Abstractions" }));

    [Test]
    public void A_driver_knows_only_the_contracts_and_the_linux_floor([ValueSource(nameof(Drivers))] Assembly driver) =>
        Assert.That(References(driver), Is.SubsetOf(new[] { "Hyperlight.Abstractions", "Hyperlight.Linux" }));

    [Test]
    public void The_package_for_opentelemetry_knows_only_the_host() => Assert.That(
        References(typeof(HyperlightTracerProviderBuilderExtensions).Assembly), Is.SubsetOf(new[] { "Hyperlight.Host" }));

    [Test]
    public void Programs_know_only_the_host_the_contracts_and_plugins() => Assert.That(
        References(typeof(ProgramRunner).Assembly), Is.SubsetOf(new[] { "Hyperlight.Host", "Hyperlight.Abstractions", "Hyperlight.Plugins" }));

    /// <summary>It is part of the plugin's program.</summary>
    [Test]
    public void What_plugins_and_applications_share_references_no_other_assembly_of_the_library() =>
        Assert.That(References(typeof(PluginCall).Assembly), Is.Empty);

    [Test]
    public void The_functions_for_language_models_know_only_programs() => Assert.That(
        References(typeof(CodeExecutionFunction).Assembly), Is.SubsetOf(new[] { "Hyperlight.Programs" }));

    [Test]
    public void The_host_does_not_know_opentelemetry() => Assert.That(
        Host.GetReferencedAssemblies().Select(r => r.Name), Has.None.StartsWith("OpenTelemetry"));

    [Test]
    public void Only_one_type_of_the_host_knows_the_drivers()
    {
        IObjectProvider<IType> drivers = Types().That().ResideInAssembly(Drivers[0], Drivers[1..]).As("the drivers");
        Types().That().ResideInAssembly(Host)
            .And().DoNotHaveFullName("Hyperlight.Host.Hypervisors.Drivers")
            .And().DoNotHaveFullNameContaining("Hyperlight.Host.Hypervisors.Drivers+")
            .Should().NotDependOnAny(drivers)
            .Check(Architecture);
    }

    [Test]
    public void Native_calls_live_in_interop_namespaces()
    {
        string[] outside = [.. new[] { Abstractions, Linux, Host }.Concat(Drivers)
            .SelectMany(a => a.GetTypes())
            .Where(t => t.GetMethods((System.Reflection.BindingFlags)0x3E).Any(m =>
                m.Attributes.HasFlag(System.Reflection.MethodAttributes.PinvokeImpl)))
            .Where(t => t.Namespace?.EndsWith(".Interop", StringComparison.Ordinal) != true)
            .Select(t => t.FullName!)];

        Assert.That(outside, Is.Empty);
    }

    /// <summary>The host may declare native functions, for which the compiler generates unsafe code, and nothing more.</summary>
    [Test]
    public void The_host_has_no_unsafe_code()
    {
        string host = Path.Combine(Repository.Root, "Hyperlight.Host");
        string[] files = [.. Directory.GetFiles(host, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))];

        Assert.That(files, Has.Length.GreaterThan(50));
        Assert.That(files.Where(f => File.ReadAllText(f).Contains(" unsafe ", StringComparison.Ordinal)), Is.Empty);
    }

    private static string[] References(Assembly assembly) => [.. assembly.GetReferencedAssemblies()
        .Select(r => r.Name!)
        .Where(n => n.StartsWith("Hyperlight", StringComparison.Ordinal))];
}
