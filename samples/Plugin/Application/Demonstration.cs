using Hyperlight.Programs;

namespace Hyperlight.Samples.Plugin.Application;

/// <summary>Calls an untrusted plugin, which misbehaves in every way it knows, while other calls are served.</summary>
internal static class Demonstration
{
    public static string PluginDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "programs", "UntrustedPlugin");

    public static async Task RunAsync(TextWriter output, Func<SandboxBuilder> createBuilder)
    {
        // Each has a micro VM: what one plugin does is nothing to the others.
        await using PluginRunner<ITextPlugin> serving = await CreateAsync(createBuilder, TimeSpan.FromMinutes(1));
        await using PluginRunner<ITextPlugin> misbehaving = await CreateAsync(createBuilder, TimeSpan.FromMinutes(1));
        await using PluginRunner<ITextPlugin> looping = await CreateAsync(createBuilder, TimeSpan.FromSeconds(2));
        using var end = new CancellationTokenSource();
        Task<int> served = ServeAsync(serving, end.Token);

        await CallAsync(output, misbehaving);
        foreach (Misbehaviour kind in Enum.GetValues<Misbehaviour>())
        {
            await output.WriteLineAsync($"{kind,-12} {await OutcomeAsync(kind == Misbehaviour.Loop ? looping : misbehaving, kind)}");
        }

        await end.CancelAsync();
        await output.WriteLineAsync($"Meanwhile, {(await served > 0 ? "other" : "no")} calls were served.");
    }

    private static Task<PluginRunner<ITextPlugin>> CreateAsync(Func<SandboxBuilder> createBuilder, TimeSpan callTime) => PluginRunner.CreateAsync(
        TextPluginContract.Instance,
        new PluginTemplate
        {
            Program = new ProgramTemplate
            {
                Image = ProgramImage.FromDirectory(PluginDirectory),
                Command = ["/UntrustedPlugin"],
                Limits = new ProgramLimits { Memory = 64 << 20, Time = Timeout.InfiniteTimeSpan },
                CreateBuilder = createBuilder,
            },
            CallTime = callTime,
        });

    private static async Task CallAsync(TextWriter output, PluginRunner<ITextPlugin> runner)
    {
        await using PluginSession<ITextPlugin> session = runner.Start();
        ITextPlugin plugin = session.Plugin;
        await output.WriteLineAsync($"Reversed     {await plugin.ReverseAsync("Hyperlight")}");
        WordCounts counts = await plugin.CountAsync(new TextDocument("rose", ["a rose is a rose", "is a rose"]), 2, CancellationToken.None);
        await output.WriteLineAsync($"Counted      {counts.Total} words, {string.Join(", ", counts.Words.Select(static pair => $"{pair.Key}: {pair.Value}"))}");
        await plugin.RememberAsync("a note");
        await output.WriteLineAsync($"Recalled     {await plugin.RecallAsync() ?? "nothing"} in the same session, " +
            $"{await OtherSessionAsync(runner, session) ?? "nothing"} in the next one");
    }

    private static async Task<string?> OtherSessionAsync(PluginRunner<ITextPlugin> runner, PluginSession<ITextPlugin> session)
    {
        await session.DisposeAsync();
        return await runner.CallAsync(static plugin => plugin.RecallAsync());
    }

    private static async Task<string> OutcomeAsync(PluginRunner<ITextPlugin> runner, Misbehaviour kind)
    {
        try
        {
            return $"the plugin answers: {await runner.CallAsync(plugin => plugin.MisbehaveAsync(kind))}";
        }
        catch (PluginException exception)
        {
            return $"exception of the plugin: {exception.ExceptionType}: {exception.ExceptionMessage}";
        }
        catch (PluginEndedException exception)
        {
            return $"the plugin has ended: {exception.Result.End}, exit code {exception.Result.ExitCode}";
        }
        catch (GuestProtocolException exception)
        {
            return $"refused: {exception.Message}";
        }
    }

    /// <summary>What the application does for its users. Each call is a session of its own.</summary>
    private static async Task<int> ServeAsync(PluginRunner<ITextPlugin> runner, CancellationToken cancellationToken)
    {
        int served = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            string text = $"request {served}";
            string reversed = await runner.CallAsync(plugin => plugin.ReverseAsync(text));
            if (!reversed.Reverse().SequenceEqual(text))
            {
                throw new InvalidOperationException($"'{text}' was answered with '{reversed}'.");
            }

            served++;
        }

        return served;
    }
}
