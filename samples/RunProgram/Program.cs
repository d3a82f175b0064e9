using Hyperlight;
using Hyperlight.Programs;

const int Usage = 2;
const int CannotRun = 126;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: RunProgram EXECUTABLE [ARGUMENT...]");
    return Usage;
}

try
{
    await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate { Image = ProgramImage.FromExecutable(args[0]) });
    ProgramResult result = await runner.RunAsync(new ProgramInput
    {
        Arguments = args[1..],
        StandardInput = await ReadInput(),
    });

    using Stream output = Console.OpenStandardOutput();
    using Stream error = Console.OpenStandardError();
    output.Write(result.StandardOutputBytes.Span);
    error.Write(result.StandardErrorBytes.Span);
    foreach (UnsupportedSystemCall call in result.UnsupportedSystemCalls)
    {
        Console.Error.WriteLine($"not implemented: {call.Name} ({call.Count} times)");
    }

    if (result.End != ProgramEnd.Exited)
    {
        Console.Error.WriteLine($"the program was ended: {result.End}, signal {result.Signal}, address 0x{result.FaultAddress:X}");
    }

    return result.ExitCode;
}
catch (HyperlightException exception)
{
    Console.Error.WriteLine(exception.Message);
    return CannotRun;
}

// Input from a terminal would have to be complete before the program starts.
static async Task<byte[]> ReadInput()
{
    if (!Console.IsInputRedirected)
    {
        return [];
    }

    using var bytes = new MemoryStream();
    using Stream input = Console.OpenStandardInput();
    await input.CopyToAsync(bytes);
    return bytes.ToArray();
}
