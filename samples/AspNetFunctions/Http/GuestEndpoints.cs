using System.Text.RegularExpressions;
using Hyperlight.Samples.AspNetFunctions.Functions;
using Hyperlight.Samples.AspNetFunctions.Guests;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>Uploads, lists and removes guests.</summary>
internal static partial class GuestEndpoints
{
    public static void MapGuests(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/guests", static (GuestCatalog catalog) => catalog.Guests.Select(GuestAnswer.Of));
        routes.MapGet("/guests/{name}", Get);
        routes.MapGet("/guests/{name}/functions", GetFunctions);
        routes.MapPut("/guests/{name}", PutAsync);
        routes.MapDelete("/guests/{name}", DeleteAsync);
    }

    private static Results<Ok<GuestAnswer>, NotFound> Get(string name, GuestCatalog catalog) =>
        catalog.Find(name) is { } guest ? TypedResults.Ok(GuestAnswer.Of(guest)) : TypedResults.NotFound();

    private static Results<Ok<FunctionsAnswer>, NotFound> GetFunctions(string name, GuestCatalog catalog) =>
        catalog.Find(name) is { } guest ? TypedResults.Ok(FunctionsAnswer.Of(guest)) : TypedResults.NotFound();

    /// <summary>The body is the guest's ELF file.</summary>
    private static async Task<Created<GuestAnswer>> PutAsync(
        string name, HttpRequest request, GuestCatalog catalog, IOptions<ServiceOptions> options, CancellationToken cancellationToken)
    {
        if (!ValidName().IsMatch(name))
        {
            throw new BadArgumentsException("A guest's name has 1 to 64 lower-case letters, digits and hyphens, and begins with a letter.");
        }

        byte[] elf = await BodyReader.ReadAsync(request, options.Value.MaximumGuestSize, cancellationToken);
        FunctionGuest guest = await catalog.PutAsync(name, elf, cancellationToken);
        return TypedResults.Created($"/guests/{name}", GuestAnswer.Of(guest));
    }

    private static async Task<Results<NoContent, NotFound>> DeleteAsync(string name, GuestCatalog catalog) =>
        await catalog.RemoveAsync(name) ? TypedResults.NoContent() : TypedResults.NotFound();

    [GeneratedRegex("^[a-z][a-z0-9-]{0,63}$")]
    private static partial Regex ValidName();
}
