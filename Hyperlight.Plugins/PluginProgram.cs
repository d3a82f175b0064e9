namespace Hyperlight.Plugins;

/// <summary>The main part of a plugin: it executes the calls of the application.</summary>
public static class PluginProgram
{
    /// <summary>A program has started when it reads this file, which exists in micro VMs that take a snapshot then.</summary>
    private const string Checkpoint = "/dev/hyperlight/ready";

    /// <summary>
    /// Executes calls until the application ends. Exceptions of the plugin's methods are those of the call. Standard input and output
    /// belong to the calls: what the plugin writes to <see cref="Console.Out"/> goes to the standard error.
    /// </summary>
    /// <typeparam name="TContract">The interface.</typeparam>
    /// <param name="contract">Its generated code.</param>
    /// <param name="plugin">What implements it.</param>
    /// <returns>The end of the last call.</returns>
    public static async Task RunAsync<TContract>(PluginContract<TContract> contract, TContract plugin)
        where TContract : class
    {
        ArgumentNullException.ThrowIfNull(contract);
        ArgumentNullException.ThrowIfNull(plugin);
        using Stream input = Console.OpenStandardInput();
        using Stream output = Console.OpenStandardOutput();
        Console.SetOut(Console.Error);
        var transport = new StreamTransport(input, output, int.MaxValue);
        IPluginDispatcher dispatcher = contract.CreateDispatcher(plugin);
        if (File.Exists(Checkpoint))
        {
            _ = File.ReadAllBytes(Checkpoint);
        }

        await RunAsync(dispatcher, transport).ConfigureAwait(false);
    }

    internal static async Task RunAsync(IPluginDispatcher dispatcher, IPluginTransport transport)
    {
        while (await transport.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
        {
            using var request = new PluginRequest(line);
            ReadOnlyMemory<byte> answer = await AnswerAsync(dispatcher, request).ConfigureAwait(false);
            await transport.WriteAsync(answer, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(IPluginDispatcher dispatcher, PluginRequest request)
    {
        try
        {
            await dispatcher.DispatchAsync(request).ConfigureAwait(false);
            return request.ToAnswer(null);
        }
#pragma warning disable CA1031 // The application gets whatever the plugin throws.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return request.ToAnswer(exception);
        }
    }
}
