using System.Collections.Concurrent;
using System.Security.Cryptography;
using Hyperlight.Samples.AspNetFunctions.Functions;
using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>The guests of the service. As a hosted service it loads the guest that comes with it, and drains all pools at the end.</summary>
internal sealed class GuestCatalog(GuestSandboxes sandboxes, IOptions<ServiceOptions> options) : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<string, FunctionGuest> _guests = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changes = new(1);

    public IEnumerable<FunctionGuest> Guests => _guests.Values.OrderBy(static guest => guest.Name, StringComparer.Ordinal);

    public FunctionGuest? Find(string name) => _guests.GetValueOrDefault(name);

    /// <summary>
    /// Adds a guest, or replaces the one of this name. Its pool is warm, and its functions are known, before requests reach it;
    /// requests that use the replaced one go on until they end.
    /// </summary>
    public async Task<FunctionGuest> PutAsync(string name, byte[] elf, CancellationToken cancellationToken)
    {
        var binary = GuestBinary.FromBytes(elf, name, cancellationToken);
        await _changes.WaitAsync(cancellationToken);
        try
        {
            if (!_guests.ContainsKey(name) && _guests.Count >= options.Value.MaximumGuests)
            {
                throw new CatalogFullException(options.Value.MaximumGuests);
            }

            SandboxPool pool = sandboxes.CreatePool(name, binary);
            try
            {
                IReadOnlyList<Signature>? functions = await GuestFunctions.ListAsync(pool, cancellationToken);
                var guest = new FunctionGuest(name, Convert.ToHexStringLower(SHA256.HashData(elf)), elf.Length, functions, pool);
                FunctionGuest? replaced = _guests.GetValueOrDefault(name);
                _guests[name] = guest;
                _ = replaced?.DisposeAsync().AsTask();
                return guest;
            }
            catch
            {
                await pool.DisposeAsync();
                throw;
            }
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Removes a guest when its calls have ended.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveAsync(string name)
    {
        if (!_guests.TryRemove(name, out FunctionGuest? guest))
        {
            return false;
        }

        await guest.DisposeAsync();
        return true;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        byte[] elf = await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "functions.elf"), cancellationToken);
        await PutAsync("functions", elf, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_guests.Keys.ToArray().Select(RemoveAsync));

    public void Dispose() => _changes.Dispose();
}
