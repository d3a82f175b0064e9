using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Tests.Emulator;

/// <summary>The emulator says how it executes guest code.</summary>
[TestFixture]
internal sealed class EmulatorStatusTests
{
    [Test]
    public void The_emulator_compiles_to_machine_code_where_it_can()
    {
        string reason = new EmulatorHypervisor().Probe().Reason!;

        Assert.That(reason, EmittingCompiler.WhyUnusable is { } why
            ? Does.Contain(why)
            : Does.StartWith("compiles guest code to machine code"));
    }

    [Test]
    public void A_host_without_machine_code_compiles_if_the_runtime_does() => Assert.That(
        EmulatorHypervisor.Describe(isWanted: true, "this host is not x64", isCompiled: true),
        Is.EqualTo("compiles guest code to .NET IL, because this host is not x64; no hypervisor needed"));

    [Test]
    public void The_emulator_interprets_if_translation_is_off() => Assert.That(
        new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }).Probe().Reason,
        Does.StartWith("interprets guest code, because translation is off"));

    [Test]
    public void The_emulator_interprets_if_the_runtime_compiles_no_code() => Assert.That(
        EmulatorHypervisor.Describe(isWanted: true, "there is no executable memory", isCompiled: false),
        Does.StartWith("interprets guest code, because this runtime compiles no code and there is no executable memory"));

    [Test]
    public void A_sandbox_says_the_same() => Assert.That(
        new SandboxBuilder().UseEmulator().WithGuest(Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf")).BuildUninitialized().Hypervisor.ToString(),
        Is.EqualTo($"emulator ({HypervisorSelector.Default.Select("emulator").Reason})").And.Contains(new EmulatorHypervisor().Probe().Reason));
}
