using Hyperlight.Samples.AspNetFunctions.Guests;
using Hyperlight.Samples.AspNetFunctions.Live;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>What the page shows: the state of drivers and pools, and events as they come.</summary>
internal static class LiveEndpoints
{
    public static void MapLive(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/status", static (ISandboxFactory factory, HypervisorSelector selector, GuestCatalog catalog) =>
            StatusAnswer.Of(factory, selector, catalog));
        routes.MapGet("/events", Read);
    }

    private static Results<ServerSentEventsResult<LiveEvent>, StatusCodeHttpResult> Read(
        EventHub events, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        events.TryRead(cancellationToken, lifetime.ApplicationStopping) is { } stream
            ? TypedResults.ServerSentEvents(stream)
            : TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
}
