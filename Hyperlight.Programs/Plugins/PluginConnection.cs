using System.IO.Pipelines;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Plugins;

namespace Hyperlight.Programs;

/// <summary>A run of a plugin's program, and the calls that are made to it.</summary>
internal sealed class PluginConnection : IPluginChannel, IAsyncDisposable
{
    private const int Killed = 9;

    private readonly Pipe _requests = new();
    private readonly Pipe _answers = new();
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly TimeSpan _callTime;
#pragma warning disable CA1859 // Nothing else depends on how lines are carried.
    private readonly IPluginTransport _transport;
#pragma warning restore CA1859
    private ProgramResult? _result;
    private long _id;
    private int _isDisposed;

    public PluginConnection(IProgramRunner runner, PluginTemplate template)
    {
        _callTime = template.CallTime;
        _transport = new StreamTransport(_answers.Reader.AsStream(), _requests.Writer.AsStream(), template.AnswerBytes);
        Result = RunAsync(runner);
    }

    public Task<ProgramResult> Result { get; }

    public async Task CallAsync(PluginCall pluginCall, CancellationToken cancellationToken)
    {
        using PluginAnswer answer = await ExchangeAsync(pluginCall, cancellationToken).ConfigureAwait(false);
    }

    public async Task<TResult> CallAsync<TResult>(
        PluginCall pluginCall, JsonTypeInfo<TResult> resultType, bool canBeNull, CancellationToken cancellationToken)
    {
        using PluginAnswer answer = await ExchangeAsync(pluginCall, cancellationToken).ConfigureAwait(false);
        try
        {
            return answer.Result(resultType, canBeNull);
        }
        catch (GuestProtocolException)
        {
            await EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _end.CancelAsync().ConfigureAwait(false);
        await ((Task)Result).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task<ProgramResult> RunAsync(IProgramRunner runner)
    {
        Exception? failure = null;
        try
        {
            return await runner.RunAsync(
                new ProgramInput { StandardInputStream = _requests.Reader.AsStream(), StandardOutputStream = _answers.Writer.AsStream() }, _end.Token)
                .ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure = exception;
            throw;
        }
        finally
        {
            // A call that waits finds out.
            await _answers.Writer.CompleteAsync(failure).ConfigureAwait(false);
            await _requests.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<PluginAnswer> ExchangeAsync(PluginCall call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ThrowIfEndedAsync(call.Method).ConfigureAwait(false);
            return await AnswerAsync(call, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<PluginAnswer> AnswerAsync(PluginCall call, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_callTime);
        bool isAnswered = false;
        try
        {
            long id = ++_id;
            await _transport.WriteAsync(call.ToRequest(id), limit.Token).ConfigureAwait(false);
            if (await _transport.ReadAsync(limit.Token).ConfigureAwait(false) is not { } line)
            {
                throw new PluginEndedException(call.Method, await Result.ConfigureAwait(false));
            }

            PluginAnswer answer = PluginAnswer.Read(line, id, call.Method);
            isAnswered = true;
            answer.ThrowIfError();
            return answer;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            _result = new ProgramResult(ProgramEnd.TimeLimit, 0, Killed, default, default);
            throw new PluginEndedException(call.Method, _result);
        }
        catch (InvalidDataException exception)
        {
            throw new GuestProtocolException($"The plugin's answer to the call of '{call.Method}' is too long: {exception.Message}", exception);
        }
        finally
        {
            // An answer that comes later would be taken for that of the next call.
            if (!isAnswered)
            {
                await EndAsync().ConfigureAwait(false);
            }
        }
    }

    private async ValueTask EndAsync()
    {
        try
        {
            await _end.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The session was disposed meanwhile, which has ended the plugin.
        }
    }

    /// <summary>Calls after the end of the plugin fail as the one that ended it.</summary>
    private async ValueTask ThrowIfEndedAsync(string method)
    {
        if (_result is null && Result.IsCompleted)
        {
            _result = await Result.ConfigureAwait(false);
        }

        if (_result is not null)
        {
            throw new PluginEndedException(method, _result);
        }

        _end.Token.ThrowIfCancellationRequested();
    }
}
