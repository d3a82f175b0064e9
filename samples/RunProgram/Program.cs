using Hyperlight;
using Hyperlight.Programs;
using Hyperlight.Samples.RunProgram;

const int WrongUsage = 2;
const int CannotRun = 126;
const int NotFound = 127;

if (CommandLine.Parse(args) is not { } line)
{
    Console.Error.WriteLine(CommandLine.Usage);
    return WrongUsage;
}

if (line.Command is [var name, ..] && line.ExecutablePath is null)
{
    Console.Error.WriteLine($"{name}: not found");
    return NotFound;
}

try
{
    var steps = new StepTimer(line.IsVerbose);
    ProgramImage image = ProgramFiles.ImageOf(line);
    steps.End("files found");
    if (line.IsVerbose || line.ImageToWrite is not null)
    {
        // The runner builds the image too, which reads all files again.
        ProgramImageFile file = await image.BuildAsync();
        steps.End($"image {file.Path} {(file.WasCached ? "found" : "built")}, {file.Entries} entries, {file.Size} bytes");
        if (line.ImageToWrite is { } path)
        {
            File.Copy(file.Path, path, overwrite: true);
            return 0;
        }
    }

    await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = image,
        Command = [line.ExecutablePath!, .. line.Command[1..]],
        Checkpoint = line.Checkpoint,
        CheckpointDirectory = line.CheckpointDirectory,
        Directories = line.Directories,
        Network = new ProgramNetwork { AllowedHosts = line.AllowedHosts },
        Seed = line.Seed,
        Limits = new ProgramLimits { Time = Timeout.InfiniteTimeSpan },
    });
    steps.End("micro VM created");
    if (runner.WarmUp is { } warmUp)
    {
        Console.Error.Write(warmUp.StandardOutput + warmUp.StandardError);
    }

    using Stream input = Console.OpenStandardInput();
    using Stream output = Console.OpenStandardOutput();
    using Stream error = Console.OpenStandardError();
    ProgramResult result = await runner.RunAsync(new ProgramInput
    {
        Arguments = line.RunArguments,
        StandardInputStream = input,
        StandardOutputStream = output,
        StandardErrorStream = error,
    });
    steps.End("program ended");

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
catch (Exception exception) when (exception is HyperlightException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(exception.Message);
    return CannotRun;
}
