namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The floor of <see cref="ProgramCall"/>: the same machine code, called in this process.</summary>
internal sealed class NativeProgram(GuestProgram program) : Scenario
{
    private readonly NativeFunction _function = new(BenchGuest.BinaryOf(program), "ProgramAddress");

    /// <summary>What the program returns.</summary>
    public ulong Result() => _function.Call((ulong)program, ProgramCall.Rounds);

    public override void Run() => Result();

    public override void Dispose() => _function.Dispose();
}
