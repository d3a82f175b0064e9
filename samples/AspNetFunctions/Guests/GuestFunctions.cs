using Hyperlight.Samples.AspNetFunctions.Functions;

namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>
/// Asks a guest for its functions. The guest ABI has no list of them, so this is a convention of this service: the function
/// <c>ListFunctions</c> returns one signature in each line.
/// </summary>
internal static class GuestFunctions
{
    private const int MostFunctions = 1000;

    /// <returns>The functions, or <see langword="null"/> if the guest has no such function.</returns>
    /// <exception cref="FormatException">The guest's list is not valid.</exception>
    public static async Task<IReadOnlyList<Signature>?> ListAsync(SandboxPool pool, CancellationToken cancellationToken)
    {
        await using SandboxLease lease = await pool.RentAsync(cancellationToken);
        string text;
        try
        {
            text = await lease.CallAsync<string>("ListFunctions", [], cancellationToken);
        }
        catch (GuestErrorException exception) when (exception.Code == GuestErrorCode.GuestFunctionNotFound)
        {
            return null;
        }

        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Signature[] functions = [.. lines.Take(MostFunctions).Select(Signature.Parse)];
        return functions.DistinctBy(static function => function.Name).Count() == lines.Length
            ? functions
            : throw new FormatException($"The guest lists a function twice, or more than {MostFunctions} functions.");
    }
}
