using Hyperlight.Programs;

namespace Hyperlight.Tests.ExtensionsAI;

/// <summary>A program that does not run: it records its input, and has the output that a test gives it. Its exit code is 3.</summary>
internal sealed class RecordedRunner : IProgramRunner
{
    private ProgramInput? _input;

    public bool HasRun => _input is not null;

    public ProgramInput Input => _input ?? throw new InvalidOperationException("The program has not run.");

    public (byte[] Bytes, bool IsError)[] Output { get; set; } = [];

    public Dictionary<string, ReadOnlyMemory<byte>> Files { get; set; } = [];

    public void Clear()
    {
        _input = null;
        Output = [];
        Files = [];
    }

    public Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        _input = input;
        return new ProgramRun(
            async (observer, token) =>
            {
                foreach ((byte[] bytes, bool isError) in Output)
                {
                    await observer(new ProgramOutput(bytes, isError), token);
                }

                return new ProgramResult(ProgramEnd.Exited, 3, null, default, default) { CollectedFiles = Files };
            },
            cancellationToken);
    }
}
