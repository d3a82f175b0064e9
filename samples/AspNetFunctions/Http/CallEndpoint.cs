using System.Diagnostics;
using System.Text.Json;
using Hyperlight.Samples.AspNetFunctions.Functions;
using Hyperlight.Samples.AspNetFunctions.Guests;
using Hyperlight.Samples.AspNetFunctions.Live;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>Calls a function of a guest. Each request has a clean sandbox.</summary>
internal static class CallEndpoint
{
    public static void MapCalls(this IEndpointRouteBuilder routes) => routes.MapPost("/guests/{name}/functions/{function}", CallAsync);

    private static async Task<Results<EmptyHttpResult, NotFound>> CallAsync(
        string name,
        string function,
        HttpContext context,
        GuestCatalog catalog,
        EventHub events,
        ILogger<GuestScope> logger,
        IOptions<ServiceOptions> options,
        CancellationToken cancellationToken)
    {
        if (catalog.Find(name) is not { } guest)
        {
            return TypedResults.NotFound();
        }

        byte[] body = await BodyReader.ReadAsync(context.Request, options.Value.MaximumBodySize, cancellationToken);
        var request = CallRequest.Parse(body);
        Signature signature = guest.Find(function, request.Signature);
        GuestValue[] arguments = JsonArguments.Convert(request.Arguments, signature);
        using IDisposable? scope = logger.BeginScope(new GuestScope(name));
        long started = Stopwatch.GetTimestamp();
        string outcome = "ok";
        try
        {
            GuestValue result;
            await using (SandboxLease lease = await guest.Pool.RentAsync(cancellationToken))
            {
                result = await lease.CallAsync<GuestValue>(function, arguments, cancellationToken);
            }

            await WriteAsync(context.Response, result, Stopwatch.GetElapsedTime(started));
            return TypedResults.Empty;
        }
        catch (Exception exception)
        {
            outcome = exception is OperationCanceledException && cancellationToken.IsCancellationRequested
                ? "cancelled"
                : Problem.Of(exception).Kind;
            throw;
        }
        finally
        {
            if (events.HasReaders)
            {
                events.Publish(new LiveEvent(
                    "call", name, $"{function}: {outcome}", Milliseconds: Stopwatch.GetElapsedTime(started).TotalMilliseconds));
            }
        }
    }

    private static async Task WriteAsync(HttpResponse response, GuestValue result, TimeSpan elapsed)
    {
        response.ContentType = "application/json";
        await using (var writer = new Utf8JsonWriter(response.BodyWriter))
        {
            writer.WriteStartObject();
            writer.WriteString("type", TypeNames.Of(result.Type));
            writer.WritePropertyName("result");
            JsonResult.Write(writer, result);
            writer.WriteNumber("milliseconds", Math.Round(elapsed.TotalMilliseconds, 3));
            writer.WriteEndObject();
        }
    }
}
