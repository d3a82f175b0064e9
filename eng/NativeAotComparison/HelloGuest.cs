using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests;

/// <summary>
/// The guest of samples/HelloWorld on the emulator as applications have it. Its first call executes fewer instructions than it takes
/// until anything is translated; later calls must execute emitted code, and answer the same.
/// </summary>
internal static class HelloGuest
{
    private const int Calls = 1000;
    private const string Answer = "Hello, World! Today is Monday.";

    /// <summary>Calls the guest, and prints when it was in emitted code first.</summary>
    public static void Run()
    {
        Assert.That(EmittingCompiler.WhyUnusable is null, EmittingCompiler.WhyUnusable ?? "");
        var recorder = new MachineRecorder();
        using MultiUseSandbox sandbox = new SandboxBuilder()
            .WithHypervisor(recorder)
            .WithGuest(Path.Combine(AppContext.BaseDirectory, "hello.elf"))
            .WithHostFunction("GetWeekday", static () => "Monday")
            .Build();
        EmulatorVirtualMachine machine = recorder.Machine!;
        int callsBefore = 0;
        for (int i = 0; i < Calls; i++)
        {
            string answer = sandbox.Call<string>("SayHello", "World");
            Assert.That(answer == Answer, $"call {i} was answered with {answer}");
            callsBefore += machine.CodeEntries == 0 ? 1 : 0;
        }

        TestContext.Out.WriteLine(
            $"{Calls} calls, {machine.InstructionCount} instructions, {machine.CodeEntries} entries of emitted code, none in the first {callsBefore} calls");
        Assert.That(machine.CodeEntries, Is.Positive);
    }

    /// <summary>Keeps the machine of the sandbox.</summary>
    private sealed class MachineRecorder() : ForwardingHypervisor(new EmulatorHypervisor(new EmulatorOptions()))
    {
        public EmulatorVirtualMachine? Machine { get; private set; }

        public override IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
        {
            IVirtualMachine machine = base.CreateVirtualMachine(in options);
            Machine = (EmulatorVirtualMachine)machine;
            return machine;
        }
    }
}
