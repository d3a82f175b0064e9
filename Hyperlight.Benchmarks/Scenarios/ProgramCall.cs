using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A program inside the guest. Its result is compared with that of the same machine code in this process.</summary>
internal sealed class ProgramCall : Scenario
{
    public const ulong Rounds = 2;

    private readonly GuestProgram _program;
    private readonly MultiUseSandbox _sandbox;
    private readonly ulong? _expected;

    public ProgramCall(BenchmarkDriver driver, GuestProgram program)
    {
        _program = program;
        _sandbox = BenchGuest.Builder(driver, BenchGuest.BinaryOf(program)).Build();
        if (NativeFunction.IsPossible)
        {
            using var native = new NativeProgram(program);
            _expected = native.Result();
        }
    }

    public override long? InstructionCount => _sandbox.InstructionCount;

    /// <exception cref="InvalidDataException">The guest has computed something else than the processor.</exception>
    public override void Run()
    {
        ulong result = _sandbox.Call<ulong>("RunProgram", (ulong)_program, Rounds);
        if (_expected is { } expected && result != expected)
        {
            throw new InvalidDataException($"The program {_program} returned 0x{result:X} in the guest, and 0x{expected:X} outside.");
        }
    }

    public override void Dispose() => _sandbox.Dispose();
}
