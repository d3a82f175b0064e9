using System.Runtime.CompilerServices;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Emulator;

/// <summary>The emulator says how it executes guest code.</summary>
[TestFixture]
internal sealed class EmulatorStatusTests
{
    [Test]
    public void The_emulator_compiles_if_the_runtime_does() => Assert.That(
        new EmulatorHypervisor().Probe().Reason,
        Does.StartWith(RuntimeFeature.IsDynamicCodeCompiled ? "compiles guest code to .NET IL" : "interprets guest code"));

    [Test]
    public void The_emulator_interprets_if_translation_is_off() => Assert.That(
        new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }).Probe().Reason,
        Does.StartWith("interprets guest code, because translation is off"));

    [Test]
    public void The_emulator_interprets_if_the_runtime_compiles_no_code() => Assert.That(
        EmulatorHypervisor.Describe(isWanted: true, isPossible: false),
        Does.StartWith("interprets guest code, because this runtime compiles no code"));

    [Test]
    public void A_sandbox_says_the_same() => Assert.That(
        new SandboxBuilder().UseEmulator().WithGuest(Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf")).BuildUninitialized().Hypervisor.ToString(),
        Is.EqualTo($"emulator ({HypervisorSelector.Default.Select("emulator").Reason})").And.Contains(EmulatorHypervisor.Describe(true, RuntimeFeature.IsDynamicCodeCompiled)));
}
