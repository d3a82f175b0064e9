using Hyperlight;
using Hyperlight.Samples.Plugin.Application;

if (!Directory.Exists(Demonstration.PluginDirectory))
{
    Console.Error.WriteLine("The plugin was not published, because this machine cannot link programs for Linux. The build says why.");
    return 1;
}

try
{
    await Demonstration.RunAsync(Console.Out, static () => new SandboxBuilder());
    return 0;
}
catch (HyperlightException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
